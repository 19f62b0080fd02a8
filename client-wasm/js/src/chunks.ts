// Telling commands from segment bytes on a data channel (docs of core/peer-proto).

const CSTR = 0x63737472;
const DSTR = 0x64737472;
const CEND = 0x63656e64;
const DEND = 0x64656e64;

/** Bytes of the words that begin and end a command. */
const WORD_BYTES = 4;

/** Whether a message is a command or a part of one; all else are segment bytes. */
export function isCommandChunk(message: Uint8Array): boolean {
    if (message.length < 2 * WORD_BYTES) {
        return false;
    }
    const view = new DataView(message.buffer, message.byteOffset, message.length);
    const first = view.getUint32(0);
    const last = view.getUint32(message.length - WORD_BYTES);
    return (first === CSTR || first === DSTR) && (last === CEND || last === DEND);
}

/** Segment bytes as messages, none of which looks like a command. */
export function segmentMessages(bytes: Uint8Array): Uint8Array[] {
    if (!isCommandChunk(bytes)) {
        return [bytes];
    }
    // Neither part both begins and ends with a command's words: the first ends inside the last word.
    return [bytes.subarray(0, bytes.length - 1), bytes.subarray(bytes.length - 1)];
}
