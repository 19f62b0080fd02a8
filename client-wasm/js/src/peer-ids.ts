// Who the page is in each swarm.

const CHARS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/** Characters of a peer id. */
const LENGTH = 20;

/** A new peer id that begins with `prefix`. */
export function newPeerId(prefix: string): string {
    const random = crypto.getRandomValues(new Uint8Array(LENGTH));
    const rest = Array.from(random, (byte) => CHARS[byte % CHARS.length]).join("");
    // What the tracker could not take for 20 bytes is left out.
    return (prefix.replace(/[^ -~]/g, "") + rest).slice(0, LENGTH);
}

/**
 * A page keeps its peer id in a swarm for as long as it lives, also over reloads of the player; two
 * players of one stream on one page are two peers.
 */
export class PeerIds {
    /** By swarm: ids that nobody uses now. */
    readonly #free = new Map<string, string[]>();

    /** An id that was given back, or a new one. */
    claim(infoHash: string, make: () => string): string {
        return this.#free.get(infoHash)?.pop() ?? make();
    }

    /** Gives an id back for the swarm's next player. */
    release(infoHash: string, peerId: string): void {
        const free = this.#free.get(infoHash) ?? [];
        free.push(peerId);
        this.#free.set(infoHash, free);
    }
}

/** The page's own. */
export const peerIds = new PeerIds();
