// Who the page is in each swarm.

/** Characters of a peer id. */
const LENGTH = 20;

/** A new peer id that begins with `prefix`. */
export function newPeerId(prefix: string): string {
    const random = crypto.getRandomValues(new Uint8Array(LENGTH));
    // What the tracker could not take for 20 bytes is left out.
    const start = prefix.replace(/[^ -~]/g, "");
    return (start + Array.from(random, (byte) => (byte % 36).toString(36)).join("")).slice(0, LENGTH);
}

/**
 * A page keeps its peer id in a swarm for as long as it lives, also over reloads of the player; two
 * players of one stream on one page are two peers.
 */
export class PeerIds {
    /** By swarm: ids that nobody uses now. */
    readonly #free: Record<string, string[]> = {};

    /** An id that was given back, or a new one. */
    claim(infoHash: string, make: () => string): string {
        return this.#free[infoHash]?.pop() ?? make();
    }

    /** Gives an id back for the swarm's next player. */
    release(infoHash: string, peerId: string): void {
        (this.#free[infoHash] ??= []).push(peerId);
    }
}

/** The page's own. */
export const peerIds = new PeerIds();
