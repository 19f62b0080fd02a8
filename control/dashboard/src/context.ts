// What every page gets.

import type { Api } from "./api.js";
import type { LiveNews } from "./live.js";
import type { Role, Session } from "./types.js";

export interface Context {
    api: Api;
    news: LiveNews;
    session: Session;
    /** Goes when another page comes: what ends with the page. */
    onClose: (close: () => void) => void;
}

export function canSee({ role }: { role: Role }): boolean {
    return role === "owner" || role === "operator";
}

/** Sees the servers, which are nobody's but the operator's. */
export function seesWhole(session: Session): boolean {
    return canSee(session) && session.tenant === undefined;
}

/** A page that is left while it asks must not go on. */
export function refreshing(context: Context, refresh: () => Promise<void>, failed: (error: unknown) => void): () => void {
    let isOpen = true;
    let isBusy = false;
    let again = false;
    context.onClose(() => (isOpen = false));
    const run = async () => {
        if (isBusy) {
            again = true;
            return;
        }
        isBusy = true;
        try {
            await refresh();
        } catch (error) {
            if (isOpen) {
                failed(error);
            }
        }
        isBusy = false;
        if (again && isOpen) {
            again = false;
            void run();
        }
    };
    return () => void run();
}
