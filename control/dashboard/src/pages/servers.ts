// How the tracker and the STUN server are.

import { Refusal, reason } from "../api.js";
import { type Context, refreshing } from "../context.js";
import { empty, failure, h, replace, table } from "../dom.js";
import { growth, metric } from "../figures.js";
import { count } from "../format.js";
import type { Figure, Swarm } from "../types.js";
import { tiles } from "./statistics.js";

/** Metrics that tell how a server is: names without its own, and how to call them. */
const SERVERS = [
    {
        title: "Tracker",
        prefix: "beekeepr_tracker_",
        shown: [
            ["connections", "Connections"],
            ["peers", "Peers in swarms"],
            ["swarms", "Swarms"],
            ["announces_total", "Announces"],
            ["offers_relayed_total", "Offers relayed"],
            ["failures_total", "Refused"],
            ["tokens_refused_total", "Tokens refused"],
        ],
    },
    {
        title: "STUN server",
        prefix: "beekeepr_stun_",
        shown: [
            ["replies_total", "Answers"],
            ["drops_total", "Dropped"],
            ["limited_total", "Over the limit"],
            ["connections", "TCP and TLS connections"],
        ],
    },
] as const;

/** Between two looks; rates are of this long. */
const LOOK_MS = 5_000;

/** Of the largest; the API has more. */
const SWARMS_SHOWN = 20;

interface Look {
    at_ms: number;
    figures: Figure[];
}

export function serversPage(context: Context): HTMLElement {
    const [said, place, swarms] = [h("div"), h("div", { class: "stack" }), h("div")];
    let before: Look | undefined;
    const refresh = refreshing(
        context,
        async () => {
            const { figures } = await context.api.get<{ figures: Figure[] }>("/v1/health");
            const now = { at_ms: performance.now(), figures };
            const isOpen = [...place.querySelectorAll("details")].map((it) => it.open);
            replace(place, ...SERVERS.map((it, index) => server(it, before, now, isOpen[index] ?? false)));
            before = now;
            replace(swarms, await largest(context));
            replace(said);
        },
        (error) => replace(said, failure(reason(error))),
    );
    refresh();
    const timer = setInterval(refresh, LOOK_MS);
    context.onClose(() => clearInterval(timer));
    return h(
        "div",
        { class: "stack" },
        h("h1", {}, "Servers"),
        said,
        place,
        h("section", { class: "card" }, h("h2", {}, "Largest swarms"), swarms),
    );
}

function server(it: (typeof SERVERS)[number], before: Look | undefined, now: Look, isOpen: boolean): HTMLElement {
    const all = now.figures.filter((figure) => figure.metric.startsWith(it.prefix));
    if (all.length === 0) {
        const why = empty("It does not run in this process; its own /metrics has its figures.");
        return h("section", { class: "card" }, h("h2", {}, it.title), why);
    }
    const shown = tiles(it.title);
    const seconds = before ? (now.at_ms - before.at_ms) / 1000 : 0;
    shown.set(
        it.shown.map(([name, title]) => {
            const value = metric(all, it.prefix + name) ?? 0;
            const speed = growth(metric(before?.figures ?? [], it.prefix + name), value, seconds);
            if (!name.endsWith("_total")) {
                return [title, count(value)];
            }
            return [title, speed === undefined ? "–" : `${speed.toFixed(1)}/s`, `${count(value)} in all`];
        }),
    );
    const rows = all.map((figure) => [figure.help, figure.labels.join(", "), count(figure.value)]);
    const every = table(it.title, ["Metric", "Labels", "Value"], rows);
    const whole = h("details", { open: isOpen }, h("summary", {}, "Everything it counts"), every);
    return h("section", { class: "card" }, h("h2", {}, it.title), shown.element, whole);
}

async function largest(context: Context): Promise<HTMLElement> {
    try {
        const { swarms } = await context.api.get<{ swarms: Swarm[] }>("/v1/swarms");
        const rows = swarms.slice(0, SWARMS_SHOWN).map((it) => [h("code", {}, it.info_hash), count(it.complete + it.incomplete)]);
        return rows.length > 0 ? table("Largest swarms", ["Swarm", "Peers"], rows) : empty("There is no swarm: nobody has announced.");
    } catch (error) {
        if (error instanceof Refusal && error.status === 404) {
            return empty(error.message);
        }
        throw error;
    }
}
