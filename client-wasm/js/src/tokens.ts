// Tokens for the trackers. They ride in announces; the engine says when, and when a new one is needed.

import { Input } from "./input.js";

/** A token, or who gives one for a tracker's URL. */
export type TokenSource = string | ((tracker: string) => string | Promise<string>);

export class Tokens {
    readonly #held = new Map<number, string>();

    constructor(
        private readonly source: TokenSource | undefined,
        private readonly urls: readonly string[],
        private readonly tell: (kind: Input, tracker: number, livesMs: number) => void,
    ) {}

    /** Gets the first token of each tracker. */
    start(): void {
        if (this.source) this.urls.forEach((_, tracker) => this.renew(tracker));
    }

    /** The token that goes into a tracker's announce. */
    of(tracker: number): string | undefined {
        return this.#held.get(tracker);
    }

    /** Gets a new one. A source that fails is asked again by and by. */
    renew(tracker: number): void {
        const { source } = this;
        const url = this.urls[tracker];
        if (!source || url === undefined) {
            return;
        }
        const get = async () => (typeof source === "string" ? source : source(url));
        get().then(
            (token) => {
                this.#held.set(tracker, token);
                this.tell(Input.TokenGiven, tracker, livesMs(token));
            },
            (reason: unknown) => console.warn("beekeepr: no token for the tracker", url, reason),
        );
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
