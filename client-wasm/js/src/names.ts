// Peers as people call them.

const COLOURS = [
    "Amber", "Azure", "Coral", "Copper", "Crimson", "Ebony", "Emerald", "Golden",
    "Indigo", "Ivory", "Jade", "Lilac", "Ochre", "Olive", "Pearl", "Rose",
    "Ruby", "Russet", "Saffron", "Scarlet", "Silver", "Teal", "Umber", "Violet",
];
const PLANTS = [
    "Acacia", "Alder", "Aster", "Birch", "Borage", "Cedar", "Clover", "Fennel",
    "Heather", "Hyssop", "Juniper", "Larch", "Lavender", "Linden", "Maple", "Myrtle",
    "Poplar", "Rowan", "Sage", "Sorrel", "Thyme", "Vetch", "Willow", "Yarrow",
];

/** How the peer ids of Beekeepr's seeder begin (`PEER_ID_PREFIX_SEEDER` in core/model). */
const SEEDER_PREFIX = "-BS";

/** Whether a peer says that it is a seeder. A claim, not a proof. */
export function isSeeder(peerId: string): boolean {
    return peerId.startsWith(SEEDER_PREFIX);
}

/** A name for a peer, always the same for one id: "Amber Linden", "Seeder Coral Sage". */
export function peerName(peerId: string): string {
    const hash = fnv1a(peerId);
    const plant = PLANTS[hash % PLANTS.length];
    const colour = COLOURS[Math.floor(hash / PLANTS.length) % COLOURS.length];
    return `${isSeeder(peerId) ? "Seeder " : ""}${colour} ${plant}`;
}

/** FNV-1a, 32 bits. */
function fnv1a(text: string): number {
    let hash = 0x811c9dc5;
    for (let i = 0; i < text.length; i++) {
        hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
    }
    return hash >>> 0;
}
