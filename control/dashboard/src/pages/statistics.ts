// What the overview and a channel's page have in common: the figures now, over time, and what they are worth.

import { reason } from "../api.js";
import { chart } from "../chart.js";
import { type Context, refreshing } from "../context.js";
import { failure, h, replace } from "../dom.js";
import { columns, originBps, share, sources, sum } from "../figures.js";
import { bytes, count, money, percent, rate } from "../format.js";
import type { Counters, History, Live, Point, Summary } from "../types.js";

/** Spans to look at, with the length of a sample. */
const RANGES = [
    { name: "Hour", range_s: 3_600, step_s: 10 },
    { name: "Day", range_s: 86_400, step_s: 60 },
    { name: "Month", range_s: 31 * 86_400, step_s: 3_600 },
] as const;

/** The store has the last figures a moment after they are told. */
const WRITTEN_MS = 1_000;

export interface Statistics {
    element: HTMLElement;
    refresh: () => void;
}

/** `channel` is undefined for all; `told` gets all figures of the range each time. */
export function statistics(context: Context, channel: string | undefined, told: (all: Counters) => void = () => {}): Statistics {
    const of = channel === undefined ? "" : `&channel=${encodeURIComponent(channel)}`;
    const [now, worth, said] = [tiles("Now"), tiles("Saved"), h("div", { role: "status" })];
    const traffic = chart({
        title: "Viewers’ bytes by source",
        lines: [
            { name: "Peers", colour: "peer" },
            { name: "Super-peers", colour: "seeder" },
            { name: "HTTP", colour: "http" },
        ],
        stacked: true,
        show: rate,
        height: 260,
    });
    const viewers = chart({ title: "Viewers", lines: [{ name: "Viewers", colour: "accent" }], show: count, whole: true });
    const origin = chart({ title: "Left for the origin", lines: [{ name: "Origin", colour: "http" }], show: rate });
    for (const it of [traffic, viewers, origin]) {
        context.onClose(it.close);
    }

    let range: (typeof RANGES)[number] = RANGES[0];
    const exports = h("span", { class: "row" });
    const refresh = refreshing(
        context,
        async () => {
            const to = Math.floor(Date.now() / 1000);
            const query = `/v1/statistics?from=${to - range.range_s}&to=${to}&step=${range.step_s}${of}`;
            replace(exports, save("CSV", `${query}&format=csv`, "csv"), save("JSON", query, "json"));
            const [history, summary] = await Promise.all([
                context.api.get<History>(query),
                context.api.get<Summary>(`/v1/summary${of.replace("&", "?")}`),
            ]);
            const points = history.points.map((point) => ({ ...point }));
            const columned = columns(points, history.from_s, history.to_s, history.step_s);
            traffic.set(columned.at_s, [columned.peers, columned.seeder, columned.http]);
            viewers.set(columned.at_s, [columned.viewers]);
            origin.set(columned.at_s, [columned.origin]);
            worth.set(savings(summary));
            told(sum(points));
            replace(said);
        },
        (error) => replace(said, failure(reason(error))),
    );
    const choose = h("div", { class: "choice", role: "group", "aria-label": "Range" });
    const show = () =>
        replace(
            choose,
            ...RANGES.map((it) =>
                h("button", { type: "button", "aria-pressed": String(it === range), onclick: () => pick(it) }, it.name),
            ),
        );
    const pick = (it: (typeof RANGES)[number]) => {
        const place = RANGES.indexOf(it);
        range = it;
        show();
        (choose.children[place] as HTMLElement).focus();
        refresh();
    };
    show();

    const showNow = (live: Live) => now.set(current(live, channel));
    context.onClose(
        context.news.listen({
            statistics: (live) => {
                showNow(live);
                const timer = setTimeout(refresh, WRITTEN_MS);
                context.onClose(() => clearTimeout(timer));
            },
            changed: refresh,
        }),
    );
    context.api.get<Live>("/v1/live").then(showNow, (error) => replace(said, failure(reason(error))));
    refresh();
    const bar = h("div", { class: "bar" }, choose, h("span", { class: "row" }, "Export", exports));
    const element = h(
        "div",
        { class: "stack" },
        said,
        now.element,
        worth.element,
        bar,
        traffic.element,
        h("div", { class: "two" }, viewers.element, origin.element),
    );
    return { element, refresh };
}

function save(name: string, href: string, ending: string): HTMLElement {
    return h("a", { href, download: `beekeepr-statistics.${ending}` }, name);
}

type Tile = [name: string, value: string, more?: string];

export function tiles(label: string): { element: HTMLElement; set(tiles: Tile[]): void } {
    const element = h("dl", { class: "tiles", "aria-label": label });
    return {
        element,
        set(list) {
            const made = list.map(([name, value, more]) =>
                h("div", {}, h("dt", {}, name), h("dd", {}, value, more ? h("small", {}, more) : undefined)),
            );
            replace(element, ...made);
        },
    };
}

/** The figures of the last ten seconds of one channel, or of all. */
export function ofChannel(live: Live, channel: string | undefined): Point[] {
    return live.channels.filter((it) => channel === undefined || it.channel === channel);
}

function current(live: Live, channel: string | undefined): Tile[] {
    const it = sum(ofChannel(live, channel));
    const { all, http } = sources(it);
    return [
        ["Viewers", count(it.viewer_s / live.step_s)],
        ["Not over HTTP", all > 0 ? percent(share(it)) : "–"],
        ["Left for the origin", rate(originBps(it, live.step_s))],
        ["From peers and super-peers", rate(((all - http) * 8) / live.step_s)],
    ];
}

function savings(it: Summary): Tile[] {
    const tile = (name: string, saved: number, micros: number): Tile => [name, bytes(saved), money(micros, it.currency)];
    return [
        tile("Saved this hour", it.hour.saved_bytes, it.hour.saved_micros),
        tile("Saved today (UTC)", it.day.saved_bytes, it.day.saved_micros),
        tile("Saved this month", it.month.saved_bytes, it.month.saved_micros),
        tile("Month at this pace", it.month_saved_bytes_projected, it.month_saved_micros_projected),
    ];
}
