// Peer connections with one data channel each, made and closed as the engine says.

/** What the engine is told. After {@link Peers.close} nothing more is said of a connection. */
export interface PeerCalls {
    offerReady(conn: number, sdp: string): void;
    answerReady(conn: number, sdp: string): void;
    channelOpened(conn: number): void;
    channelClosed(conn: number): void;
    /** Why it will be closed, where that is known. */
    channelFailed(conn: number, error: Error): void;
    channelMessage(conn: number, message: Uint8Array): void;
    channelDrained(conn: number, buffered: number): void;
}

/**
 * How long candidates are gathered before the description goes out with what there is. A STUN server
 * that answers needs a tenth of this; p2p-media-loader waits 5 s for one that is silent.
 */
const GATHERING_MS_MAX = 2_000;

/** Bytes below which a channel's send buffer is to be filled again: half of the 64 KiB window. */
export const LOW_WATER_BYTES = 32 * 1024;

/** Bytes in the random label of a data channel; as p2p-media-loader 2.3. */
const LABEL_BYTES = 20;

export class Peers {
    readonly #connections = new Map<number, Connection>();

    constructor(
        private readonly rtcConfig: RTCConfiguration,
        private readonly calls: PeerCalls,
    ) {}

    /** Makes a connection that offers. */
    offer(conn: number): void {
        this.#start(conn, async (connection) => {
            const sdp = await connection.offer();
            this.#ifOpen(connection, () => this.calls.offerReady(conn, sdp));
        });
    }

    /** Makes a connection that answers. */
    accept(conn: number, sdp: string): void {
        this.#start(conn, async (connection) => {
            const answer = await connection.accept(sdp);
            this.#ifOpen(connection, () => this.calls.answerReady(conn, answer));
        });
    }

    /** Our offer was answered. */
    answered(conn: number, sdp: string): void {
        const connection = this.#connections.get(conn);
        connection?.answered(sdp).catch(() => this.#lost(connection));
    }

    send(conn: number, message: Uint8Array): void {
        const connection = this.#connections.get(conn);
        if (connection && !connection.send(message)) {
            this.#lost(connection);
        }
    }

    /** Bytes that the channel has not handed to the network yet. */
    buffered(conn: number): number {
        return this.#connections.get(conn)?.buffered ?? 0;
    }

    close(conn: number): void {
        this.#connections.get(conn)?.close();
        this.#connections.delete(conn);
    }

    closeAll(): void {
        for (const conn of [...this.#connections.keys()]) {
            this.close(conn);
        }
    }

    #start(conn: number, negotiate: (connection: Connection) => Promise<void>): void {
        let connection: Connection;
        try {
            connection = new Connection(conn, this.rtcConfig, {
                opened: () => this.#ifOpen(connection, () => this.calls.channelOpened(conn)),
                lost: (error) => this.#lost(connection, error),
                message: (bytes) => this.#ifOpen(connection, () => this.calls.channelMessage(conn, bytes)),
                drained: (left) => this.#ifOpen(connection, () => this.calls.channelDrained(conn, left)),
            });
        } catch {
            // No WebRTC here, or too many connections: the browser's own limit.
            this.calls.channelClosed(conn);
            return;
        }
        this.#connections.set(conn, connection);
        negotiate(connection).catch(() => this.#lost(connection));
    }

    #ifOpen(connection: Connection, call: () => void): void {
        if (this.#connections.get(connection.conn) === connection) {
            call();
        }
    }

    #lost(connection: Connection, error?: Error): void {
        this.#ifOpen(connection, () => {
            if (error) this.calls.channelFailed(connection.conn, error);
            this.close(connection.conn);
            this.calls.channelClosed(connection.conn);
        });
    }
}

interface ConnectionCalls {
    opened(): void;
    lost(error?: Error): void;
    message(bytes: Uint8Array): void;
    drained(buffered: number): void;
}

class Connection {
    readonly #rtc: RTCPeerConnection;
    #channel: RTCDataChannel | undefined;

    constructor(
        readonly conn: number,
        rtcConfig: RTCConfiguration,
        private readonly calls: ConnectionCalls,
    ) {
        this.#rtc = new RTCPeerConnection(rtcConfig);
        this.#rtc.onconnectionstatechange = () => {
            // "disconnected" may heal; the engine has its own patience with silent peers.
            const { connectionState: state } = this.#rtc;
            if (state === "failed") calls.lost(new Error("the connection failed"));
            if (state === "closed") calls.lost();
        };
    }

    get buffered(): number {
        return this.#channel?.bufferedAmount ?? 0;
    }

    async offer(): Promise<string> {
        this.#use(this.#rtc.createDataChannel(randomLabel()));
        await this.#rtc.setLocalDescription(await this.#rtc.createOffer());
        return this.#gathered();
    }

    async accept(sdp: string): Promise<string> {
        this.#rtc.ondatachannel = ({ channel }) => {
            if (!this.#channel) this.#use(channel);
        };
        await this.#rtc.setRemoteDescription({ type: "offer", sdp });
        await this.#rtc.setLocalDescription(await this.#rtc.createAnswer());
        return this.#gathered();
    }

    async answered(sdp: string): Promise<void> {
        await this.#rtc.setRemoteDescription({ type: "answer", sdp });
    }

    /** False when the channel cannot take it. */
    send(message: Uint8Array): boolean {
        try {
            this.#channel?.send(message as Uint8Array<ArrayBuffer>);
            return this.#channel !== undefined;
        } catch {
            return false;
        }
    }

    close(): void {
        this.#rtc.onconnectionstatechange = this.#rtc.ondatachannel = null;
        if (this.#channel) {
            const channel = this.#channel;
            channel.onopen = channel.onmessage = channel.onclose = channel.onbufferedamountlow = null;
        }
        this.#rtc.close();
    }

    #use(channel: RTCDataChannel): void {
        this.#channel = channel;
        channel.binaryType = "arraybuffer";
        channel.bufferedAmountLowThreshold = LOW_WATER_BYTES;
        channel.onmessage = ({ data }: MessageEvent<unknown>) => {
            // Peers send no texts; whoever does breaks the protocol.
            if (data instanceof ArrayBuffer) this.calls.message(new Uint8Array(data));
            else this.calls.lost(new Error("got a text on the data channel, expected bytes"));
        };
        channel.onbufferedamountlow = () => this.calls.drained(channel.bufferedAmount);
        channel.onclose = () => this.calls.lost();
        if (channel.readyState === "open") this.calls.opened();
        else channel.onopen = () => this.calls.opened();
    }

    /** The local description, when all candidates are in it or time is up. */
    async #gathered(): Promise<string> {
        const rtc = this.#rtc;
        await new Promise<void>((done) => {
            const timer = setTimeout(done, GATHERING_MS_MAX);
            const look = () => {
                if (rtc.iceGatheringState === "complete") {
                    clearTimeout(timer);
                    done();
                }
            };
            rtc.onicegatheringstatechange = look;
            look();
        });
        rtc.onicegatheringstatechange = null;
        return rtc.localDescription?.sdp ?? "";
    }
}

function randomLabel(): string {
    const bytes = crypto.getRandomValues(new Uint8Array(LABEL_BYTES));
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
