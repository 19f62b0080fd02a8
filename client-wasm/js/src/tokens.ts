// Tokens for the trackers. They ride in announces; the engine says when, and when a new one is needed.

import { Input } from "./input.js";
import type { Tell } from "./wasm.js";

/** A token, or who gives one for a tracker's URL. */
export type TokenSource = string | ((tracker: string) => string | Promise<string>);

export class Tokens {
    readonly #held: string[] = [];

    /** Gets the first token of each tracker at once. */
    constructor(
        private readonly source: TokenSource,
        private readonly urls: readonly string[],
        private readonly tell: Tell,
    ) {
        urls.forEach((_, tracker) => void this.renew(tracker));
    }

    /** The token that goes into a tracker's announce. */
    of(tracker: number): string | undefined {
        return this.#held[tracker];
    }

    /** Gets a new one. A source that fails is asked again by and by. */
    async renew(tracker: number): Promise<void> {
        const { source } = this;
        const url = this.urls[tracker];
        if (url === undefined) {
            return;
        }
        try {
            const token = await (typeof source === "string" ? source : source(url));
            this.#held[tracker] = token;
            this.tell(Input.TokenGiven, tracker, livesMs(token));
        } catch (reason) {
            console.warn("beekeepr: no token for the tracker", url, reason);
        }
    }
}

/** For how long a token counts (RFC 7519, `exp`); NaN when it does not say so. Only the tracker checks it. */
export function livesMs(token: string, now = Date.now()): number {
    try {
        const payload = token.split(".")[1] ?? "";
        const { exp } = JSON.parse(atob(payload.replaceAll("-", "+").replaceAll("_", "/")));
        return Math.max(0, exp * 1000 - now);
    } catch {
        return Number.NaN;
    }
}
