// SHA-1 (RFC 3174), for names only: what it protects is the meeting with p2p-media-loader, which hashes its
// streams so. SubtleCrypto has it, but not on pages without TLS, and not at once.

const START = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0] as const;
const WORDS = 16;
const BLOCK_BYTES = 64;

/** The hash of a text's UTF-8, 20 bytes, in base64. */
export function sha1Base64(text: string): string {
    const words = padded(new TextEncoder().encode(text));
    const state = Int32Array.from(START);
    for (let at = 0; at < words.length; at += WORDS) {
        mix(state, words.subarray(at, at + WORDS));
    }
    const bytes = Array.from(state, (word) => [24, 16, 8, 0].map((shift) => (word >>> shift) & 255));
    return btoa(String.fromCharCode(...bytes.flat()));
}

/** Words of whole blocks: the bytes, one bit, zeros, and the number of bits. */
function padded(bytes: Uint8Array): Int32Array {
    const blocks = Math.ceil((bytes.length + 9) / BLOCK_BYTES);
    const words = new Int32Array(blocks * WORDS);
    const put = (index: number, byte: number) => {
        words[index >> 2] = (words[index >> 2] ?? 0) | (byte << (24 - 8 * (index & 3)));
    };
    bytes.forEach((byte, index) => put(index, byte));
    put(bytes.length, 0x80);
    words[words.length - 1] = bytes.length * 8;
    return words;
}

function mix(state: Int32Array, block: Int32Array): void {
    const word = Array.from(block);
    const roll = (value: number, by: number) => (value << by) | (value >>> (32 - by));
    let [a = 0, b = 0, c = 0, d = 0, e = 0] = state;
    for (let i = 0; i < 80; i++) {
        const w = (word[i] ??= roll(
            (word[i - 3] ?? 0) ^ (word[i - 8] ?? 0) ^ (word[i - 14] ?? 0) ^ (word[i - 16] ?? 0),
            1,
        ));
        const parity = b ^ c ^ d;
        const [f, k] =
            i < 20 ? [(b & c) | (~b & d), 0x5a827999]
            : i < 40 ? [parity, 0x6ed9eba1]
            : i < 60 ? [(b & c) | (b & d) | (c & d), 0x8f1bbcdc]
            : [parity, 0xca62c1d6];
        [a, b, c, d, e] = [(roll(a, 5) + f + e + k + w) | 0, a, roll(b, 30), c, d];
    }
    [a, b, c, d, e].forEach((value, index) => {
        state[index] = (state[index] ?? 0) + value;
    });
}
