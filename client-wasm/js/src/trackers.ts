// WebSockets to the trackers, one for each, opened and closed as the engine says.

import { Input } from "./input.js";
import { readTrackerMessage } from "./signal.js";
import type { Tell } from "./wasm.js";

/** Characters in the largest message that is read (`TRACKER_MESSAGE_BYTES_MAX` in core/model). */
const MESSAGE_CHARS_MAX = 64 * 1024;

/** The sockets to the trackers of these addresses; a tracker is told by its place among them. */
export class Trackers {
    readonly #sockets = new Map<number, WebSocket>();

    /** `tell` hears what {@link Input} has of trackers, but nothing of sockets closed by {@link Trackers.disconnect}. */
    constructor(
        private readonly urls: readonly string[],
        private readonly tell: Tell,
    ) {}

    connect(tracker: number): void {
        this.disconnect(tracker);
        let socket: WebSocket;
        try {
            socket = new WebSocket(this.urls[tracker] ?? "");
        } catch {
            // A malformed URL, or ws: on an https: page. The engine tries again as after any failure.
            this.tell(Input.TrackerClosed, tracker);
            return;
        }
        this.#sockets.set(tracker, socket);
        const hear = <E>(heard: (event: E) => void) => (event: E) => {
            if (this.#sockets.get(tracker) === socket) heard(event);
        };
        socket.binaryType = "arraybuffer";
        socket.onopen = hear(() => this.tell(Input.TrackerOpened, tracker));
        socket.onmessage = hear(({ data }: MessageEvent<string | ArrayBuffer>) => {
            const text = typeof data === "string" ? data : new TextDecoder().decode(data);
            if (text.length > MESSAGE_CHARS_MAX) return;
            const [kind, fields, interval, peers] = readTrackerMessage(text);
            if (kind) this.tell(kind, tracker, interval, peers, fields);
        });
        // An error is always followed by a close.
        socket.onclose = hear(() => {
            this.#sockets.delete(tracker);
            this.tell(Input.TrackerClosed, tracker);
        });
    }

    disconnect(tracker: number): void {
        const socket = this.#sockets.get(tracker);
        this.#sockets.delete(tracker);
        socket?.close();
    }

    send(tracker: number, text: string): void {
        const socket = this.#sockets.get(tracker);
        if (socket?.readyState === WebSocket.OPEN) {
            socket.send(text);
        }
    }

    close(): void {
        this.urls.forEach((_, tracker) => this.disconnect(tracker));
    }
}
