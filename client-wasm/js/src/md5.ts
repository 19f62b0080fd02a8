// MD5 (RFC 1321), for names only: p2p-media-loader up to 2.2 hashes its swarms so.

const START = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476] as const;
const SHIFTS = [
    [7, 12, 17, 22],
    [5, 9, 14, 20],
    [4, 11, 16, 23],
    [6, 10, 15, 21],
] as const;
/** Factor and summand of the place of a round's word. */
const PLACES = [
    [1, 0],
    [5, 1],
    [3, 5],
    [7, 0],
] as const;
const WORDS = 16;
const BLOCK_BYTES = 64;

/** The hash of a text's UTF-8, 16 bytes. */
export function md5(text: string): Uint8Array {
    const words = padded(new TextEncoder().encode(text));
    const state = Int32Array.from(START);
    for (let at = 0; at < words.length; at += WORDS) {
        mix(state, words.subarray(at, at + WORDS));
    }
    return Uint8Array.from({ length: BLOCK_BYTES / 4 }, (_, i) => (state[i >> 2] ?? 0) >>> (8 * (i & 3)));
}

/** Words of whole blocks, lowest byte first: the bytes, one bit, zeros, and the number of bits. */
function padded(bytes: Uint8Array): Int32Array {
    const words = new Int32Array(Math.ceil((bytes.length + 9) / BLOCK_BYTES) * WORDS);
    [...bytes, 0x80].forEach((byte, i) => {
        words[i >> 2] = (words[i >> 2] ?? 0) | (byte << (8 * (i & 3)));
    });
    words[words.length - 2] = bytes.length * 8;
    return words;
}

function mix(state: Int32Array, block: Int32Array): void {
    let [a = 0, b = 0, c = 0, d = 0] = state;
    for (let i = 0; i < 64; i++) {
        const round = i >> 4;
        const f = [(b & c) | (~b & d), (d & b) | (~d & c), b ^ c ^ d, c ^ (b | ~d)][round] ?? 0;
        const [factor, summand] = PLACES[round] ?? [0, 0];
        const word = block[(factor * i + summand) & 15] ?? 0;
        // The RFC's table: the integer part of 2^32 times |sin(i + 1)|.
        const sum = (a + f + word + Math.floor(Math.abs(Math.sin(i + 1)) * 2 ** 32)) | 0;
        const shift = SHIFTS[round]?.[i & 3] ?? 0;
        [a, b, c, d] = [d, (b + ((sum << shift) | (sum >>> (32 - shift)))) | 0, b, c];
    }
    [a, b, c, d].forEach((value, i) => {
        state[i] = (state[i] ?? 0) + value;
    });
}
