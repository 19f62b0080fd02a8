// Telling commands from segment bytes on a data channel (docs of core/peer-proto).

/** Bytes of the words that begin and end a command. */
const WORD_BYTES = 4;

/** Whether a message is a command or a part of one; all else are segment bytes. */
export function isCommandChunk(message: Uint8Array): boolean {
    const words = [...message.subarray(0, WORD_BYTES), ...message.subarray(-WORD_BYTES)];
    return message.length >= 2 * WORD_BYTES && /^[cd]str[cd]end$/.test(String.fromCharCode(...words));
}

/** Segment bytes as messages, none of which looks like a command. */
export function segmentMessages(bytes: Uint8Array): Uint8Array[] {
    // Neither part both begins and ends with a command's words: the first ends inside the last word.
    return isCommandChunk(bytes) ? [bytes.subarray(0, -1), bytes.subarray(-1)] : [bytes];
}
