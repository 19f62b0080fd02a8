// Which settings there are and what they may be. A page's mistake must not stop its player: what is wrong is
// told once and left out.

import type { CoreConfig } from "./config.js";
import settings from "./settings.json";

/** Settings that are no numbers, by what they may be; `typeof`, a list of texts, or one of some words. */
const FORMS: Record<string, string> = {
    isP2PDisabled: "boolean",
    isP2PUploadDisabled: "boolean",
    announceTrackers: "texts",
    rtcConfig: "object",
    trackerClientVersionPrefix: "string",
    swarmId: "string",
    swarmIdParameters: "texts",
    generation: "v2|v2_index|v3|auto",
    validateP2PSegment: "function",
    validateHTTPSegment: "function",
    httpRequestSetup: "function",
    customSegmentStorageFactory: "function",
    wasmUrl: "string",
    mode: "mesh|super-peer-only|off",
    consent: "function",
    token: "string|function",
    isP2PUploadAllowedOnMetered: "boolean",
    isP2PUploadAllowedWhenHidden: "boolean",
    mainStream: "object",
    secondaryStream: "object",
};

/** Numbers that the engine does not know. */
const NUMBERS = ["httpFirstByteTimeoutMs", "minViewers", "p2pUploadLimit"];

/** Numbers of the engine that no page sets: `mode` does. */
const DERIVED = "superPeersOnly";

for (const name of [...settings.map(({ name }) => name).filter((name) => name !== DERIVED), ...NUMBERS]) {
    FORMS[name] ??= "number";
}

/** All settings by name. */
export const OPTIONS: readonly string[] = Object.keys(FORMS);

/** What is wrong with a page's settings, and those that are right. */
export function faultsOf(config: CoreConfig): { faults: string[]; good: CoreConfig } {
    const faults: string[] = [];
    const check = (given: object, path: string): object => {
        const right = Object.entries(given).filter(([name, value]) => {
            const form = FORMS[name];
            const fault = value === undefined ? undefined : faultOf(form, value);
            if (fault) faults.push(`${path}${name}: ${fault}`);
            return !fault;
        });
        return Object.fromEntries(
            right.map(([name, value]) => [name, FORMS[name] === "object" && name !== "rtcConfig" && value
                ? check(value, `${path}${name}.`)
                : value]),
        );
    };
    return { faults, good: check(config, "core.") };
}

function faultOf(form: string | undefined, value: unknown): string | undefined {
    if (!form) {
        return "there is no such setting";
    }
    const fits = form.split("|").some((one) => one === value || one === formOf(value));
    return fits ? undefined : `expected ${form.replace("texts", "a list of texts")}, got ${shown(value)}`;
}

function formOf(value: unknown): string {
    if (Array.isArray(value)) {
        return value.every((one) => typeof one === "string") ? "texts" : "list";
    }
    // Not a number, and what lies below 0, is no number of anything.
    return typeof value === "number" && !(value >= 0) ? "none" : value === null ? "none" : typeof value;
}

function shown(value: unknown): string {
    return typeof value === "function" ? "a function" : String(JSON.stringify(value) ?? value).slice(0, 60);
}
