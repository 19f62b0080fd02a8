// Listeners by event name.

/** Calls listeners; one that throws harms neither the others nor the caller. */
export class EventTarget<M extends { [K in keyof M]: (...args: never[]) => void }> {
    readonly #listeners: { [K in keyof M]?: Set<M[K]> } = {};

    addEventListener<K extends keyof M>(name: K, listener: M[K]): void {
        (this.#listeners[name] ??= new Set()).add(listener);
    }

    removeEventListener<K extends keyof M>(name: K, listener: M[K]): void {
        this.#listeners[name]?.delete(listener);
    }

    dispatch<K extends keyof M>(name: K, ...args: Parameters<M[K]>): void {
        for (const listener of [...(this.#listeners[name] ?? [])]) {
            guard(() => listener(...(args as never[])));
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
