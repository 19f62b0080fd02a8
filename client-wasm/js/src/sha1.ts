// SHA-1 (RFC 3174), for names only: what it protects is the meeting with p2p-media-loader, which hashes its
// streams so. SubtleCrypto has it, but not on pages without TLS, and not at once.

const [A, B, E] = [0x67452301, 0xefcdab89, 0xc3d2e1f0];
const WORDS = 16;

/** The hash of a text's UTF-8, 20 bytes, in base64. */
export function sha1Base64(text: string): string {
    const bytes = new TextEncoder().encode(text);
    // Whole blocks: the bytes, one bit, zeros, and the number of bits.
    const words = new Int32Array(Math.ceil((bytes.length + 9) / 64) * WORDS);
    [...bytes, 0x80].forEach((byte, i) => {
        words[i >> 2] = (words[i >> 2] ?? 0) | (byte << (24 - 8 * (i & 3)));
    });
    words[words.length - 1] = bytes.length * 8;
    let state = Int32Array.of(A, B, ~A, ~B, E);
    for (let at = 0; at < words.length; at += WORDS) {
        state = mixed(state, [...words.subarray(at, at + WORDS)]);
    }
    const hash = Array.from(state, (word) => [24, 16, 8, 0].map((shift) => (word >>> shift) & 255));
    return btoa(String.fromCharCode(...hash.flat()));
}

function mixed(state: Int32Array<ArrayBuffer>, words: number[]): Int32Array<ArrayBuffer> {
    const roll = (value: number, by: number) => (value << by) | (value >>> (32 - by));
    let [a = 0, b = 0, c = 0, d = 0, e = 0] = state;
    for (let i = 0; i < 80; i++) {
        const word = (before: number) => words[i - before] ?? 0;
        words[i] ??= roll(word(3) ^ word(8) ^ word(14) ^ word(16), 1);
        const round = Math.floor(i / 20);
        const f = round === 0 ? (b & c) | (~b & d) : round === 2 ? (b & c) | (b & d) | (c & d) : b ^ c ^ d;
        // The RFC's constants are these roots' first bits.
        const k = Math.floor(Math.sqrt([2, 3, 5, 10][round] ?? 0) * 2 ** 30);
        [a, b, c, d, e] = [(roll(a, 5) + f + e + k + word(0)) | 0, a, roll(b, 30), c, d];
    }
    return Int32Array.from([a, b, c, d, e], (value, index) => value + (state[index] ?? 0));
}
