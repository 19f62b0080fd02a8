// Asking the admin API, with the session's cookie and its token against forged requests.

import type { Listing, Session } from "./types.js";

/** An answer that is none: what the API said, or that it could not be asked. */
export class Refusal extends Error {
    constructor(
        readonly status: number,
        message: string,
    ) {
        super(message);
    }
}

/** Channels, revocations: what one page of the dashboard shows at most. */
const ITEMS_MAX = 2_000;

export class Api {
    /** Told when the session has ended. */
    onSignedOut = () => {};
    #csrf = "";

    async session(): Promise<Session> {
        return this.#begin(await this.get<Session>("/v1/session"));
    }

    async signIn(key: string): Promise<Session> {
        return this.#begin(await this.send<Session>("POST", "/v1/session", { key }));
    }

    async signOut(): Promise<void> {
        await this.send("DELETE", "/v1/session");
        this.#csrf = "";
    }

    #begin(session: Session): Session {
        this.#csrf = session.csrf ?? "";
        return session;
    }

    async get<T>(path: string): Promise<T> {
        return (await this.#ask(path, {})).json() as Promise<T>;
    }

    async text(path: string): Promise<string> {
        return (await this.#ask(path, {})).text();
    }

    /** With the state that it is in. */
    async tagged<T>(path: string): Promise<[T, string]> {
        const answer = await this.#ask(path, {});
        return [(await answer.json()) as T, answer.headers.get("etag") ?? ""];
    }

    /** All pages of a list. */
    async all<T>(path: string): Promise<T[]> {
        const items: T[] = [];
        let after = "";
        do {
            const listing: Listing<T> = await this.get(`${path}?limit=500${after}`);
            items.push(...listing.items);
            after = listing.next === undefined ? "" : `&after=${encodeURIComponent(listing.next)}`;
        } while (after !== "" && items.length < ITEMS_MAX);
        return items;
    }

    /** Changes something; `state` are headers that say in which state it must be. */
    async send<T>(method: string, path: string, body?: unknown, state: Record<string, string> = {}): Promise<T> {
        const headers: Record<string, string> = { "x-csrf-token": this.#csrf, ...state };
        const request: RequestInit = { method, headers };
        if (body !== undefined) {
            headers["content-type"] = "application/json";
            request.body = JSON.stringify(body);
        }
        const answer = await this.#ask(path, request);
        return (answer.status === 204 ? undefined : await answer.json()) as T;
    }

    async #ask(path: string, request: RequestInit): Promise<Response> {
        let answer: Response;
        try {
            answer = await fetch(path, { credentials: "same-origin", ...request });
        } catch {
            throw new Refusal(0, "Control does not answer. Is it running?");
        }
        if (answer.ok) {
            return answer;
        }
        if (answer.status === 401 && path !== "/v1/session") {
            this.onSignedOut();
        }
        const problem = (await answer.json().catch(() => ({}))) as { detail?: string; title?: string };
        throw new Refusal(answer.status, problem.detail ?? problem.title ?? `status ${answer.status}`);
    }
}

/** What to tell of something that was thrown. */
export function reason(error: unknown): string {
    return error instanceof Error ? error.message : String(error);
}
