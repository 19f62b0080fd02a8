// What settings may be. A page's mistake must not stop its player: what is wrong is told once and left out.

import list from "./settings.json";

/** The engine's numbers in its order: what pages call them, how much of the engine's one of theirs is, their defaults. */
export const NUMBERS = list as [name: string, unit: number, standard: number][];

/** Settings whose default does not tell what they may be: `typeof`, or one of some words. */
export const FORMS: Record<string, string> = {
    mode: "mesh|super-peer-only|off",
    generation: "v2|v2_index|v3|auto",
    swarmId: "string",
    wasmUrl: "string",
    token: "string|function",
    validateP2PSegment: "function",
    validateHTTPSegment: "function",
    httpRequestSetup: "function",
    streamSwarmIdBuilder: "function",
    customSegmentStorageFactory: "function",
    consent: "function",
};

/** What is wrong with a page's setting, whose default is `standard`; no value is never wrong. */
export function faultOf(name: string, value: unknown, standard: unknown): string | undefined {
    const form = FORMS[name] ?? kindOf(standard);
    if (!form) {
        return "there is no such setting";
    }
    return value === undefined || form.split("|").some((one) => one === value || one === kindOf(value))
        ? undefined
        : `expected ${form}, got ${(JSON.stringify(value) ?? `${value}`).slice(0, 60)}`;
}

/** `typeof`, `texts` for a list of those, nothing for what no setting may be. */
function kindOf(value: unknown): string {
    if (Array.isArray(value)) {
        return value.every((one) => typeof one === "string") ? "texts" : "";
    }
    // Not a number, and what lies below 0, is no number of anything.
    return value == null || (typeof value === "number" && !(value >= 0)) ? "" : typeof value;
}
