// The swarm of a channel: who gives how much to whom, from the figures of the last ten seconds. Who is connected with whom is
// kept nowhere, so viewers are dots.

import { h, replace, svg } from "./dom.js";
import { rate } from "./format.js";
import type { Counters } from "./types.js";

/** Dots that can be told apart; more viewers are a number. */
const DOTS_MAX = 60;

/** What flows, in bit/s. */
export interface Flows {
    viewers: number;
    http: number;
    peers: number;
    seeder: number;
    fetched: number;
}

export function flows(it: Counters, step_s: number): Flows {
    const bps = (value: number) => (value * 8) / step_s;
    return {
        viewers: Math.round(it.viewer_s / step_s),
        http: bps(it.http_bytes),
        peers: bps(it.peer_bytes),
        seeder: bps(it.super_peer_bytes),
        fetched: bps(it.seeder_fetched_bytes),
    };
}

/** A line's width: 1 to 14, by its part of the largest flow. */
export function width(value: number, largest: number): number {
    return value > 0 && largest > 0 ? 1 + 13 * Math.sqrt(value / largest) : 0;
}

export function graph(): { element: HTMLElement; set(flows: Flows): void } {
    const place = h("div", { class: "graph" });
    const element = h("section", { class: "card" }, h("h2", {}, "Swarm, last ten seconds"), place);
    return { element, set: (now) => replace(place, picture(now)) };
}

const [ORIGIN, SEEDER] = [
    { x: 70, y: 60 },
    { x: 70, y: 240 },
];
const RING = { x: 400, y: 150, r: 105 };

function picture(now: Flows): SVGElement {
    const largest = Math.max(now.http, now.peers, now.seeder, now.fetched);
    const flow = (name: string, value: number, path: string, x: number, y: number) =>
        value > 0
            ? [
                  svg("path", { d: path, class: `flow ${name}`, "stroke-width": width(value, largest) }),
                  svg("text", { x, y, class: "note" }, rate(value)),
              ]
            : [];
    const edge = RING.x - RING.r - 14;
    return svg(
        "svg",
        { viewBox: "0 0 600 300", role: "img", "aria-label": sentence(now) },
        ...flow("http", now.http, `M${ORIGIN.x + 45} ${ORIGIN.y} L${edge} 115`, 180, 66),
        ...flow("seeder", now.seeder, `M${SEEDER.x + 45} ${SEEDER.y} L${edge} 185`, 180, 244),
        ...flow("http", now.fetched, `M${ORIGIN.x} ${ORIGIN.y + 22} L${SEEDER.x} ${SEEDER.y - 22}`, 84, 154),
        svg("circle", { cx: RING.x, cy: RING.y, r: RING.r, class: "ring", "stroke-width": width(now.peers, largest) }),
        ...dots(now.viewers),
        svg("text", { x: RING.x, y: RING.y - 2, class: "big" }, String(now.viewers)),
        svg("text", { x: RING.x, y: RING.y + 22, class: "note middle" }, now.viewers === 1 ? "viewer" : "viewers"),
        ...(now.peers > 0 ? [svg("text", { x: RING.x, y: RING.y + 42, class: "note middle" }, rate(now.peers))] : []),
        ...node("Origin", ORIGIN),
        ...node("Super-peer", SEEDER),
    );
}

function node(name: string, { x, y }: { x: number; y: number }): SVGElement[] {
    return [
        svg("rect", { x: x - 48, y: y - 20, width: 96, height: 40, rx: 8, class: "node" }),
        svg("text", { x, y: y + 5, class: "middle" }, name),
    ];
}

function dots(viewers: number): SVGElement[] {
    const shown = Math.min(viewers, DOTS_MAX);
    return Array.from({ length: shown }, (_, index) => {
        const angle = (index / shown) * 2 * Math.PI - Math.PI / 2;
        return svg("circle", { cx: RING.x + RING.r * Math.cos(angle), cy: RING.y + RING.r * Math.sin(angle), r: 6, class: "dot" });
    });
}

function sentence(now: Flows): string {
    return (
        `${now.viewers} viewers: ${rate(now.http)} from the origin, ${rate(now.peers)} from each other, ` +
        `${rate(now.seeder)} from super-peers, which fetch ${rate(now.fetched)}.`
    );
}
