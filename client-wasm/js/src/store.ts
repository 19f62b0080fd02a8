// The segments' bytes. One buffer for each segment; the engine decides what is kept.

/** Which segment: the engine's stream key and the segment's id, in one text. */
export type SegmentName = `${number}/${number}`;

/** The name of a segment. */
export function nameOf(stream: number, id: number): SegmentName {
    return `${stream}/${id}`;
}

/** Bytes of the largest segment (`SEGMENT_BYTES_MAX` in core/model). */
export const SEGMENT_BYTES_MAX = 32 * 1024 * 1024;

/** What is reserved while a segment's size is not known: two seconds at 4 Mbit/s. */
const UNKNOWN_SIZE_BYTES = 1024 * 1024;

/** Segments by name, whole or in part. */
export class SegmentStore extends Map<SegmentName, SegmentBuffer> {
    /**
     * Puts bytes where they belong. False, and nothing written, when they do not fit.
     * `total` is the segment's size, if known.
     */
    write(name: SegmentName, offset: number, bytes: Uint8Array, total?: number): boolean {
        const buffer = this.get(name) ?? new SegmentBuffer(total);
        const fits = buffer.write(offset, bytes, total);
        if (fits) this.set(name, buffer);
        return fits;
    }
}

/** The bytes of one segment. */
export class SegmentBuffer {
    /** The segment's size, 0 while it is unknown. */
    total: number;
    #bytes: Uint8Array<ArrayBuffer>;
    #end = 0;

    constructor(total = 0) {
        this.total = total;
        this.#bytes = new Uint8Array(Math.min(total || UNKNOWN_SIZE_BYTES, SEGMENT_BYTES_MAX));
    }

    /** As {@link SegmentStore.write}. */
    write(offset: number, bytes: Uint8Array, total?: number): boolean {
        const end = offset + bytes.length;
        if (end > Math.min(total ?? SEGMENT_BYTES_MAX, SEGMENT_BYTES_MAX)) {
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

    /** The end of a response of unknown size was the end of the segment. */
    finish(): void {
        if (!this.total) {
            this.total = this.#end;
            this.#resize(this.#end);
        }
    }

    /** A copy for whoever takes buffers away: hls.js transfers them to its worker. */
    copy(): ArrayBuffer {
        return this.#bytes.buffer.slice(0);
    }

    /** A part, to be sent at once. */
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
