// WebSockets to the trackers, one for each, opened and closed as the engine says.

/** What the engine is told. */
export interface TrackerCalls {
    trackerOpened(tracker: number): void;
    trackerMessage(tracker: number, text: string): void;
    /** Not called for sockets closed by {@link Trackers.disconnect}. */
    trackerClosed(tracker: number): void;
}

/** Characters in the largest message that is read (`TRACKER_MESSAGE_BYTES_MAX` in core/model). */
const MESSAGE_CHARS_MAX = 64 * 1024;

export class Trackers {
    readonly #sockets = new Map<number, WebSocket>();

    constructor(
        private readonly urls: readonly string[],
        private readonly calls: TrackerCalls,
    ) {}

    connect(tracker: number): void {
        this.disconnect(tracker);
        let socket: WebSocket;
        try {
            socket = new WebSocket(this.urls[tracker] ?? "");
        } catch {
            // A malformed URL, or ws: on an https: page. The engine tries again as after any failure.
            this.calls.trackerClosed(tracker);
            return;
        }
        this.#sockets.set(tracker, socket);
        this.#listen(tracker, socket);
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
        for (const tracker of [...this.#sockets.keys()]) {
            this.disconnect(tracker);
        }
    }

    #listen(tracker: number, socket: WebSocket): void {
        const current = () => this.#sockets.get(tracker) === socket;
        socket.binaryType = "arraybuffer";
        socket.onopen = () => {
            if (current()) this.calls.trackerOpened(tracker);
        };
        socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
            const text = typeof data === "string" ? data : new TextDecoder().decode(data);
            if (current() && text.length <= MESSAGE_CHARS_MAX) {
                this.calls.trackerMessage(tracker, text);
            }
        };
        // An error is always followed by a close.
        socket.onclose = () => {
            if (current()) {
                this.#sockets.delete(tracker);
                this.calls.trackerClosed(tracker);
            }
        };
    }
}
