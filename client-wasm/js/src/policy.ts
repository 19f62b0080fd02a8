// When the page may share, and when it may give: what the page, the user and the machine allow.

import type { Allowed, CommonCoreConfig } from "./config.js";

/** Parts of the Network Information API that browsers with it have. */
interface NetworkInformation extends EventTarget {
    type?: string;
    saveData?: boolean;
}

const MIB = 1024 * 1024;

/** How often the clock is looked at. */
const CLOCK_MS = 10_000;

/**
 * A clock that was not looked at for so long says that the machine slept: hidden pages have their timers run
 * once a minute at least. Connections do not survive it (ICE gives them up after 30 s, RFC 7675), but sockets to
 * trackers look alive for long.
 */
const SLEEP_MS = 90_000;

/** What {@link Policy} listens to; tests bring their own. */
export interface Surroundings {
    window: Pick<Window, "addEventListener">;
    document: Pick<Document, "addEventListener" | "hidden">;
    navigator: { onLine: boolean; connection?: NetworkInformation | undefined };
}

export class Policy {
    /** Answered by {@link CommonCoreConfig.consent}; undefined until it is asked. */
    #consent: boolean | undefined;
    /** The page is frozen, in the back-forward cache, or offline. */
    #away = false;
    #uploaded = 0;
    #seen: Allowed;
    #lookedAt = Date.now();
    #clock: ReturnType<typeof setInterval> | undefined;
    #listening = new AbortController();

    /** `changed` is called when {@link Policy.allowed} says something else than before. */
    constructor(
        private readonly config: CommonCoreConfig,
        private readonly changed: () => void,
        private readonly around: Partial<Surroundings> = globalThis,
    ) {
        this.#seen = this.allowed();
    }

    /** Listens, and asks for consent; before it is given nothing is shared. */
    open(): void {
        this.close();
        this.#listen();
        const { consent } = this.config;
        if (consent && this.#consent === undefined) void this.#ask(consent);
    }

    /** What is allowed now. */
    allowed(): Allowed {
        const { mode, consent, p2pUploadLimit, isP2PUploadAllowedOnMetered, isP2PUploadAllowedWhenHidden } = this.config;
        const { document, navigator } = this.around;
        const { type, saveData } = navigator?.connection ?? {};
        return {
            sharing: (!consent || this.#consent === true) && !this.#away && mode !== "off",
            uploads:
                (isP2PUploadAllowedOnMetered || (type !== "cellular" && !saveData)) &&
                (isP2PUploadAllowedWhenHidden || !document?.hidden) &&
                (!p2pUploadLimit || this.#uploaded < p2pUploadLimit * MIB),
        };
    }

    async #ask(consent: () => boolean | Promise<boolean>): Promise<void> {
        this.#consent = false;
        try {
            this.#consent = (await consent()) === true;
            this.look();
        } catch (reason) {
            console.warn("beekeepr: not sharing, as asking for consent failed", reason);
        }
    }

    /** So many bytes more were given to peers. */
    uploaded(bytes: number): void {
        this.#uploaded += bytes;
        this.look();
    }

    /** Tells when something has changed. */
    readonly look = (): void => {
        const now = this.allowed();
        const { sharing, uploads } = this.#seen;
        this.#seen = now;
        if (now.sharing !== sharing || now.uploads !== uploads) this.changed();
    };

    /** Stops listening. */
    close(): void {
        this.#listening.abort();
        clearInterval(this.#clock);
    }

    #listen(): void {
        const { window, document, navigator } = this.around;
        const { signal } = (this.#listening = new AbortController());
        const on = (target: Partial<Surroundings["window"]> | undefined, names: string, heard: () => void) => {
            for (const name of names.split(" ")) target?.addEventListener?.(name, heard, { signal });
        };
        const leave = () => this.#setAway(true);
        const come = () => this.#setAway(navigator?.onLine === false);
        on(window, "pagehide offline", leave);
        on(window, "pageshow online", come);
        on(document, "freeze", leave);
        on(document, "resume", come);
        on(document, "visibilitychange", this.look);
        on(navigator?.connection, "change", this.look);
        come();
        this.#clock = setInterval(() => this.lookAtClock(Date.now()), CLOCK_MS);
        (this.#clock as { unref?: () => void }).unref?.();
    }

    /** Begins anew after sleep: all connections are gone, whatever they look like. */
    lookAtClock(now: number): void {
        const slept = now - this.#lookedAt > SLEEP_MS;
        this.#lookedAt = now;
        if (slept && !this.#away) {
            this.#setAway(true);
            this.#setAway(false);
        }
    }

    #setAway(away: boolean): void {
        this.#away = away;
        this.look();
    }
}
