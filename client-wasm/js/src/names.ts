// Peers as people call them.

const CONSONANTS = "bdfghklmnprstvz";
const VOWELS = "aeiou";

/** How the peer ids of Beekeepr's seeder begin (`PEER_ID_PREFIX_SEEDER` in core/model). */
const SEEDER_PREFIX = "-BS";

/** Whether a peer says that it is a seeder. A claim, not a proof. */
export function isSeeder(peerId: string): boolean {
    return peerId.startsWith(SEEDER_PREFIX);
}

/** A name for a peer, always the same for one id: "Lumo Pati", "Seeder Kado Vuru". */
export function peerName(peerId: string): string {
    // FNV-1a, 32 bits.
    let hash = 0x811c9dc5;
    for (const char of peerId) {
        hash = Math.imul(hash ^ char.charCodeAt(0), 0x01000193);
    }
    hash >>>= 0;
    const take = (letters: string) => {
        const letter = letters.charAt(hash % letters.length);
        hash = Math.floor(hash / letters.length);
        return letter;
    };
    const word = () => take(CONSONANTS).toUpperCase() + take(VOWELS) + take(CONSONANTS) + take(VOWELS);
    return `${isSeeder(peerId) ? "Seeder " : ""}${word()} ${word()}`;
}
