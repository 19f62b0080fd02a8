// Listeners by event name.

type Listener = (...args: never[]) => void;

/** Calls listeners; one that throws harms neither the others nor the caller. */
export class EventTarget<M extends { [K in keyof M]: (...args: never[]) => void }> {
    readonly #listeners = new Map<keyof M, Set<Listener>>();

    addEventListener<K extends keyof M>(name: K, listener: M[K]): void {
        const listeners = this.#listeners.get(name) ?? new Set();
        this.#listeners.set(name, listeners.add(listener));
    }

    removeEventListener<K extends keyof M>(name: K, listener: M[K]): void {
        this.#listeners.get(name)?.delete(listener);
    }

    dispatch<K extends keyof M>(name: K, ...args: Parameters<M[K]>): void {
        for (const listener of [...(this.#listeners.get(name) ?? [])]) {
            guard(() => listener(...args));
        }
    }
}

/** Runs foreign code; what it throws reaches the page's error handlers, not our caller. */
export function guard(foreign: () => void): void {
    try {
        foreign();
    } catch (error) {
        reportError(error);
    }
}
