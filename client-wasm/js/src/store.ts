// The segments' bytes. One buffer for each segment; the engine decides what is kept.

/** Which segment: the engine's stream key and the segment's id. */
export interface SegmentKey {
    stream: number;
    id: number;
}

/** Bytes of the largest segment (`SEGMENT_BYTES_MAX` in core/model). */
export const SEGMENT_BYTES_MAX = 32 * 1024 * 1024;

/** What is reserved while a segment's size is not known: two seconds at 4 Mbit/s. */
const UNKNOWN_SIZE_BYTES = 1024 * 1024;

/** Segments by key, whole or in part. */
export class SegmentStore {
    readonly #buffers = new Map<string, SegmentBuffer>();

    /**
     * Puts bytes where they belong. False, and nothing written, when they do not fit.
     * `total` is the segment's size, if known.
     */
    write(key: SegmentKey, offset: number, bytes: Uint8Array, total?: number): boolean {
        const name = nameOf(key);
        const buffer = this.#buffers.get(name) ?? new SegmentBuffer(total);
        if (!buffer.write(offset, bytes, total)) {
            return false;
        }
        this.#buffers.set(name, buffer);
        return true;
    }

    /** The end of a response of unknown size was the end of the segment. */
    finish(key: SegmentKey): void {
        this.#buffers.get(nameOf(key))?.finish();
    }

    /** A copy for whoever takes buffers away: hls.js transfers them to its worker. */
    copy(key: SegmentKey): ArrayBuffer | undefined {
        return this.#buffers.get(nameOf(key))?.copy();
    }

    /** A part, to be sent at once. */
    slice(key: SegmentKey, offset: number, bytes: number): Uint8Array | undefined {
        return this.#buffers.get(nameOf(key))?.slice(offset, bytes);
    }

    /** The segment's size, 0 while it is unknown. */
    total(key: SegmentKey): number {
        return this.#buffers.get(nameOf(key))?.total ?? 0;
    }

    has(key: SegmentKey): boolean {
        return this.#buffers.has(nameOf(key));
    }

    drop(key: SegmentKey): void {
        this.#buffers.delete(nameOf(key));
    }
}

/** One text for one segment. */
export function nameOf({ stream, id }: SegmentKey): string {
    return `${stream}/${id}`;
}

class SegmentBuffer {
    total: number;
    #bytes: Uint8Array<ArrayBuffer>;
    #end = 0;

    constructor(total: number | undefined) {
        this.total = total ?? 0;
        this.#bytes = new Uint8Array(Math.min(total ?? UNKNOWN_SIZE_BYTES, SEGMENT_BYTES_MAX));
    }

    write(offset: number, bytes: Uint8Array, total: number | undefined): boolean {
        const end = offset + bytes.length;
        if (end > (total ?? SEGMENT_BYTES_MAX) || end > SEGMENT_BYTES_MAX) {
            return false;
        }
        if (total !== undefined && total !== this.total) {
            this.total = total;
            this.#resize(total);
        } else if (end > this.#bytes.length) {
            this.#resize(Math.min(Math.max(end, 2 * this.#bytes.length), SEGMENT_BYTES_MAX));
        }
        this.#bytes.set(bytes, offset);
        this.#end = Math.max(this.#end, end);
        return true;
    }

    finish(): void {
        if (this.total === 0) {
            this.total = this.#end;
            this.#resize(this.#end);
        }
    }

    copy(): ArrayBuffer {
        return this.#bytes.buffer.slice(0);
    }

    slice(offset: number, bytes: number): Uint8Array | undefined {
        const end = offset + bytes;
        return end <= this.#end ? this.#bytes.subarray(offset, end) : undefined;
    }

    #resize(bytes: number): void {
        const resized = new Uint8Array(bytes);
        resized.set(this.#bytes.subarray(0, bytes));
        this.#bytes = resized;
    }
}
