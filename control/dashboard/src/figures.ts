// What follows from the figures of the API. No page, no network: all of it is tested in Node.

import type { Counters, Figure, Point } from "./types.js";

/** The figures that add up; `viewers_max` does not over time. */
export function add(into: Partial<Counters>, more: Partial<Counters>): void {
    for (const [name, value] of Object.entries(more) as [keyof Counters, number][]) {
        if (typeof value === "number") {
            into[name] = (into[name] ?? 0) + value;
        }
    }
}

/** Everything of all points together. */
export function sum(points: readonly Partial<Counters>[]): Counters {
    const all: Partial<Counters> = {};
    for (const point of points) {
        add(all, point);
    }
    // Whatever is not there counts as nothing.
    return new Proxy(all, { get: (target, name) => Reflect.get(target, name) ?? 0 }) as Counters;
}

/** Viewers' bytes by where they came from. */
export function sources(it: Counters): { http: number; peers: number; seeder: number; all: number } {
    const [http, peers, seeder] = [it.http_bytes, it.peer_bytes, it.super_peer_bytes];
    return { http, peers, seeder, all: http + peers + seeder };
}

/** The part of viewers' bytes that did not come over HTTP, 0 to 1. */
export function share(it: Counters): number {
    const { http, all } = sources(it);
    return all > 0 ? (all - http) / all : 0;
}

/** What the origin or CDN still sends: to viewers and to seeders. */
export function originBps(it: Counters, step_s: number): number {
    return ((it.http_bytes + it.seeder_fetched_bytes) * 8) / step_s;
}

/** Columns for a chart, one value for each step; spans in which nothing happened are zeros. */
export interface Columns {
    at_s: number[];
    viewers: number[];
    http: number[];
    peers: number[];
    seeder: number[];
    origin: number[];
}

/** More than any answer of the API has points. */
const COLUMNS_MAX = 2_000;

export function columns(points: readonly Point[], from_s: number, to_s: number, step_s: number): Columns {
    const known = new Map(points.map((point) => [point.at_s, point]));
    const made: Columns = { at_s: [], viewers: [], http: [], peers: [], seeder: [], origin: [] };
    const first = Math.max(from_s - (from_s % step_s), to_s - COLUMNS_MAX * step_s);
    for (let at = first - (first % step_s); at < to_s; at += step_s) {
        const it = sum([known.get(at) ?? {}]);
        const bps = (value: number) => (value * 8) / step_s;
        made.at_s.push(at);
        made.viewers.push(it.viewer_s / step_s);
        made.http.push(bps(it.http_bytes));
        made.peers.push(bps(it.peer_bytes));
        made.seeder.push(bps(it.super_peer_bytes));
        made.origin.push(originBps(it, step_s));
    }
    return made;
}

/** A part of a whole with a name. */
export interface Part {
    name: string;
    value: number;
}

/** Starts by how long the first frame took. */
export function startUps(it: Counters): Part[] {
    const within = [it.starts_250, it.starts_500, it.starts_1000, it.starts_2000, it.starts_4000];
    const later = it.starts - within.reduce((all, value) => all + value, 0);
    const names = ["≤ ¼ s", "≤ ½ s", "≤ 1 s", "≤ 2 s", "≤ 4 s", "longer"];
    return names.map((name, index) => ({ name, value: within[index] ?? Math.max(later, 0) }));
}

/** Watched seconds by the picture's lines. */
export function renditions(it: Counters): Part[] {
    return [
        { name: "≤ 270p", value: it.lines_270_s },
        { name: "≤ 400p", value: it.lines_400_s },
        { name: "≤ 576p", value: it.lines_576_s },
        { name: "≤ 800p", value: it.lines_800_s },
        { name: "≤ 1200p", value: it.lines_1200_s },
        { name: "more", value: it.lines_more_s },
    ];
}

/** How viewers fared; what cannot be known without viewers is `undefined`. */
export interface Experience {
    start_ms: number | undefined;
    stallsPerHour: number | undefined;
    stalledPart: number | undefined;
}

export function experience(it: Counters): Experience {
    const watched = it.viewer_s > 0;
    return {
        start_ms: it.starts > 0 ? it.start_ms / it.starts : undefined,
        stallsPerHour: watched ? it.stalls / (it.viewer_s / 3600) : undefined,
        stalledPart: watched ? Math.min(it.stalled_ms / 1000 / it.viewer_s, 1) : undefined,
    };
}

/** A metric's value, all its labels together; `undefined` where there is none of that name. */
export function metric(figures: readonly Figure[], name: string): number | undefined {
    const found = figures.filter((it) => it.metric === name);
    return found.length > 0 ? found.reduce((all, it) => all + it.value, 0) : undefined;
}

/** How fast a counter grew between two looks; a server that began anew counts from zero. */
export function growth(before: number | undefined, now: number | undefined, seconds: number): number | undefined {
    if (before === undefined || now === undefined || seconds <= 0) {
        return undefined;
    }
    return (now >= before ? now - before : now) / seconds;
}
