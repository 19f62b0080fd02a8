// One channel: its figures, how viewers fare, its swarm, its super-peers, and how to play it.

import { Refusal, reason } from "../api.js";
import { canSee, type Context, refreshing, seesWhole } from "../context.js";
import { copyable, empty, failure, h, replace, table } from "../dom.js";
import { experience, type Part, renditions, startUps, sum } from "../figures.js";
import { bytes, count, milliseconds, percent } from "../format.js";
import { flows, graph } from "../graph.js";
import type { Counters, Live, Seeded } from "../types.js";
import { ofChannel, statistics, tiles } from "./statistics.js";

export function channelPage(context: Context, name: string): HTMLElement {
    const quality = tiles("Quality of experience");
    const [starts, lines] = [bars("First frame after"), bars("Watched at")];
    const figures = statistics(context, name, (all) => fare(all));
    const fare = (all: Counters) => {
        const { start_ms, stallsPerHour, stalledPart } = experience(all);
        quality.set([
            ["First frame", start_ms === undefined ? "–" : milliseconds(start_ms), "on average"],
            ["Stalls", stallsPerHour === undefined ? "–" : stallsPerHour.toFixed(2), "per hour watched"],
            ["Standing still", stalledPart === undefined ? "–" : percent(stalledPart), "of the time"],
            ["Starts", count(all.starts)],
        ]);
        starts.set(startUps(all));
        lines.set(renditions(all));
    };
    const swarm = graph();
    const show = (live: Live) => swarm.set(flows(sum(ofChannel(live, name)), live.step_s));
    context.onClose(context.news.listen({ statistics: show }));
    context.api.get<Live>("/v1/live").then(show, () => swarm.set(flows(sum([]), 10)));
    return h(
        "div",
        { class: "stack" },
        h("div", { class: "bar" }, h("h1", {}, name), canSee(context.session) && h("a", { href: "#/channels" }, "All channels")),
        figures.element,
        h(
            "section",
            { class: "card" },
            h("h2", {}, "Quality of experience"),
            quality.element,
            h("div", { class: "two" }, starts.element, lines.element),
        ),
        swarm.element,
        seesWhole(context.session) && superPeers(context, name),
        canSee(context.session) && snippet(context, name),
    );
}

function bars(title: string): { element: HTMLElement; set(parts: Part[]): void } {
    const list = h("ul", { class: "bars" });
    const element = h("div", {}, h("h3", {}, title), list);
    return {
        element,
        set(parts) {
            const all = parts.reduce((whole, it) => whole + it.value, 0);
            if (all === 0) {
                return replace(list, h("li", {}, empty("No viewer has told yet.")));
            }
            const rows = parts.map(({ name, value }) =>
                h(
                    "li",
                    {},
                    h("span", {}, name),
                    h("meter", { min: 0, max: all, value, "aria-label": name }),
                    h("span", {}, percent(value / all)),
                ),
            );
            replace(list, ...rows);
        },
    };
}

function superPeers(context: Context, name: string): HTMLElement {
    const place = h("div");
    const refresh = refreshing(
        context,
        async () => {
            const { channels } = await context.api.get<{ channels: Seeded[] }>("/v1/super-peers");
            const found = channels.filter((it) => it.name === name);
            replace(place, found.length > 0 ? load(found) : empty("The seeder of this process does not seed this channel."));
        },
        (error) => {
            const isElsewhere = error instanceof Refusal && error.status === 404;
            replace(place, isElsewhere ? empty(reason(error)) : failure(reason(error)));
        },
    );
    refresh();
    context.onClose(context.news.listen({ statistics: refresh, changed: refresh }));
    return h("section", { class: "card" }, h("h2", {}, "Super-peer of this process"), place);
}

function load(found: Seeded[]): HTMLElement {
    const broken = found.filter((it) => it.reason !== null).map((it) => failure(it.reason ?? ""));
    const rows = found.map((it) => [
        it.state,
        `${count(it.viewers)} (${count(it.connections)} connections)`,
        bytes(it.peer_bytes),
        bytes(it.origin_bytes),
        `${count(it.cached_segments)} (${bytes(it.cached_bytes)})`,
        `${count(it.fetch_failures)} segments, ${count(it.manifest_failures)} manifests`,
    ]);
    const heads = ["State", "Viewers", "Sent", "Fetched from the origin", "Segments in memory", "Not fetched"];
    return h("div", {}, ...broken, table("Super-peer", heads, rows));
}

/** What plays the channel elsewhere: the same as `beekeepr up` prints. */
function snippet(context: Context, name: string): HTMLElement {
    const place = h("div");
    const path = `/v1/channels/${encodeURIComponent(name)}/embed`;
    context.api.text(path).then(
        (text) => replace(place, copyable(`HTML that plays ${name}`, text)),
        (error) => replace(place, empty(reason(error))),
    );
    return h("section", { class: "card" }, h("h2", {}, "On your own page"), place);
}
