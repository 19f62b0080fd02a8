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
    window: Pick<Window, "addEventListener" | "removeEventListener">;
    document: Pick<Document, "addEventListener" | "removeEventListener" | "hidden">;
    navigator: { onLine: boolean; connection?: NetworkInformation | undefined };
}

export class Policy {
    /** Answered by {@link CommonCoreConfig.consent}. */
    #consent: boolean;
    #asked = false;
    /** The page is frozen, in the back-forward cache, or offline. */
    #away = false;
    #uploaded = 0;
    #seen: Allowed;
    #lookedAt = Date.now();
    readonly #stop: (() => void)[] = [];

    /** `changed` is called when {@link Policy.allowed} says something else than before. */
    constructor(
        private readonly config: () => CommonCoreConfig,
        private readonly changed: () => void,
        private readonly around: Partial<Surroundings> = globalThis,
    ) {
        this.#consent = !config().consent;
        this.#seen = this.allowed();
    }

    /** Listens, and asks for consent; before it is given nothing is shared. */
    open(): void {
        this.close();
        this.#listen();
        this.#setAway(this.around.navigator?.onLine === false);
        this.#ask();
    }

    /** What is allowed now. */
    allowed(): Allowed {
        const { mode, p2pUploadLimit, isP2PUploadAllowedOnMetered, isP2PUploadAllowedWhenHidden } = this.config();
        const { document, navigator } = this.around;
        const { type, saveData } = navigator?.connection ?? {};
        const metered = type === "cellular" || saveData === true;
        const uploads =
            (isP2PUploadAllowedOnMetered || !metered) &&
            (isP2PUploadAllowedWhenHidden || !document?.hidden) &&
            (p2pUploadLimit === 0 || this.#uploaded < p2pUploadLimit * MIB);
        return { sharing: this.#consent && !this.#away && mode !== "off", uploads };
    }

    #ask(): void {
        const { consent } = this.config();
        if (!consent || this.#asked) {
            return;
        }
        this.#asked = true;
        const answer = async () => consent();
        answer().then(
            (yes) => {
                this.#consent = yes === true;
                this.look();
            },
            (reason: unknown) => console.warn("beekeepr: not sharing, as asking for consent failed", reason),
        );
    }

    /** So many bytes more were given to peers. */
    uploaded(bytes: number): void {
        this.#uploaded += bytes;
        this.look();
    }

    /** Tells when something has changed. */
    look(): void {
        const now = this.allowed();
        if (now.sharing !== this.#seen.sharing || now.uploads !== this.#seen.uploads) {
            this.#seen = now;
            this.changed();
        }
    }

    /** Stops listening. */
    close(): void {
        for (const stop of this.#stop.splice(0)) stop();
    }

    #listen(): void {
        const { window, document, navigator } = this.around;
        const on = (target: Partial<Surroundings["window"]> | undefined, name: string, heard: () => void) => {
            if (!target?.addEventListener) return;
            target.addEventListener(name, heard);
            this.#stop.push(() => target.removeEventListener?.(name, heard));
        };
        const leave = () => this.#setAway(true);
        const come = () => this.#setAway(navigator?.onLine === false);
        on(window, "pagehide", leave);
        on(window, "pageshow", come);
        on(window, "offline", leave);
        on(window, "online", come);
        on(document, "freeze", leave);
        on(document, "resume", come);
        on(document, "visibilitychange", () => this.look());
        on(navigator?.connection, "change", () => this.look());
        const clock = setInterval(() => this.lookAtClock(Date.now()), CLOCK_MS);
        (clock as { unref?: () => void }).unref?.();
        this.#stop.push(() => clearInterval(clock));
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
