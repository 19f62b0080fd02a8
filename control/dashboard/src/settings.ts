// A channel's form as text, and back: what is left empty is left out, so that the seeder's defaults hold.

import type { Channel } from "./types.js";

/** The form's fields, all of them text. */
export interface Fields {
    manifest: string;
    swarm_id: string;
    swarm_id_parameters: string;
    renditions: string;
    prefetch_s: string;
    warm_s: string;
    headers: string;
    cookies: string;
    allowed_hosts: string;
    failover: string;
    fetch_bps_max: string;
    proxy: string;
}

export function fields(channel: Channel): Fields {
    const lines = (list: string[] | undefined) => (list ?? []).join("\n");
    const pairs = (table: Record<string, string> | undefined) =>
        lines(Object.entries(table ?? {}).map(([name, value]) => `${name}: ${value}`));
    const { renditions } = channel;
    return {
        manifest: channel.manifest,
        swarm_id: channel.swarm_id ?? "",
        swarm_id_parameters: (channel.swarm_id_parameters ?? []).join(", "),
        renditions: Array.isArray(renditions) ? renditions.join(", ") : (renditions ?? ""),
        prefetch_s: channel.prefetch_s?.toString() ?? "",
        warm_s: channel.warm_s?.toString() ?? "",
        headers: pairs(channel.headers),
        cookies: pairs(channel.cookies),
        allowed_hosts: lines(channel.allowed_hosts),
        failover: lines(channel.failover),
        fetch_bps_max: channel.fetch_bps_max?.toString() ?? "",
        proxy: channel.proxy ?? "",
    };
}

/** The channel that a form describes, or an error that names the field. */
export function channel(form: Fields): Channel {
    const made: Channel = { manifest: form.manifest.trim() };
    const set = <K extends keyof Channel>(key: K, value: Channel[K] | undefined) => {
        if (value !== undefined) {
            made[key] = value;
        }
    };
    set("swarm_id", text(form.swarm_id));
    set("swarm_id_parameters", list(form.swarm_id_parameters));
    set("renditions", renditions(form.renditions));
    set("prefetch_s", whole("Prefetch", form.prefetch_s));
    set("warm_s", whole("Warm-up", form.warm_s));
    set("headers", pairs("Headers", form.headers));
    set("cookies", pairs("Cookies", form.cookies));
    set("allowed_hosts", list(form.allowed_hosts));
    set("failover", list(form.failover));
    set("fetch_bps_max", whole("Fetch limit", form.fetch_bps_max));
    set("proxy", text(form.proxy));
    return made;
}

function text(value: string): string | undefined {
    return value.trim() || undefined;
}

function list(value: string): string[] | undefined {
    const items = value.split(/[\n,]/).map((it) => it.trim());
    const given = items.filter((it) => it !== "");
    return given.length > 0 ? given : undefined;
}

function renditions(value: string): string | string[] | undefined {
    const items = list(value);
    const [only] = items ?? [];
    return items?.length === 1 && (only === "all" || only === "top") ? only : items;
}

function whole(name: string, value: string): number | undefined {
    if (value.trim() === "") {
        return undefined;
    }
    const number = Number(value);
    if (!Number.isSafeInteger(number) || number < 0) {
        throw new Error(`${name}: “${value.trim()}” is not a whole number of 0 or more`);
    }
    return number;
}

function pairs(name: string, value: string): Record<string, string> | undefined {
    const lines = value.split("\n").filter((it) => it.trim() !== "");
    const entries = lines.map((line): [string, string] => {
        const colon = line.indexOf(":");
        if (colon < 1) {
            throw new Error(`${name}: “${line.trim()}” is not “name: value”`);
        }
        return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
    });
    return entries.length > 0 ? Object.fromEntries(entries) : undefined;
}
