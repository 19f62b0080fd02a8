// News as they come (server-sent events). After an interruption the browser connects again by itself, after a refusal we do;
// what was missed is read anew.

import type { Live } from "./types.js";

/** After a refusal: the session has ended, or as many listen as may. */
const RETRY_MS = 10_000;

export interface Listener {
    /** Figures of the last ten seconds. */
    statistics?: (live: Live) => void;
    /** Something was changed, or news were lost: what is shown may be old. */
    changed?: () => void;
}

export class LiveNews {
    readonly #listeners = new Set<Listener>();
    #events: EventSource | undefined;
    #retry: ReturnType<typeof setTimeout> | undefined;

    /** `connected` is told whether news come. */
    open(connected: (is: boolean) => void): void {
        const events = new EventSource("/v1/events");
        let wasLost = false;
        events.onopen = () => {
            connected(true);
            if (wasLost) {
                this.#tell((it) => it.changed?.());
            }
            wasLost = false;
        };
        events.onerror = () => {
            wasLost = true;
            connected(false);
            if (events.readyState === EventSource.CLOSED) {
                // Who asks anew hears why, and signs in again if that is it.
                this.#retry = setTimeout(() => {
                    this.open(connected);
                    this.#tell((it) => it.changed?.());
                }, RETRY_MS);
            }
        };
        events.addEventListener("statistics", ({ data }) => {
            const live = JSON.parse(data) as Live;
            this.#tell((it) => it.statistics?.(live));
        });
        for (const name of ["change", "lagged"]) {
            events.addEventListener(name, () => this.#tell((it) => it.changed?.()));
        }
        this.#events = events;
    }

    /** Tells the listener from now on; call what it gives to end that. */
    listen(listener: Listener): () => void {
        this.#listeners.add(listener);
        return () => this.#listeners.delete(listener);
    }

    close(): void {
        clearTimeout(this.#retry);
        this.#events?.close();
        this.#events = undefined;
        this.#listeners.clear();
    }

    #tell(call: (listener: Listener) => void): void {
        for (const listener of [...this.#listeners]) {
            call(listener);
        }
    }
}
