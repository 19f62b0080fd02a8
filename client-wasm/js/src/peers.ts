// Peer connections with one data channel each, made and closed as the engine says.

import { Input } from "./input.js";
import type { Tell } from "./wasm.js";

/**
 * How long candidates are gathered before the description goes out with what there is. A STUN server
 * that answers needs a tenth of this; p2p-media-loader waits 5 s for one that is silent.
 */
const GATHERING_MS_MAX = 2_000;

/** Bytes below which a channel's send buffer is to be filled again: half of the 64 KiB window. */
export const LOW_WATER_BYTES = 32 * 1024;

/** What is heard of connections besides what {@link Input} has of them. */
export interface PeerCalls {
    tell: Tell;
    /** A connection will be closed; why. */
    failed(conn: number, error: Error): void;
    received(conn: number, message: Uint8Array): void;
}

interface Connection {
    rtc: RTCPeerConnection;
    channel?: RTCDataChannel;
}

/** Peer connections by the engine's numbers. */
export interface Peers {
    /** Makes a connection that offers, or that answers an offer. */
    open(conn: number, offer?: string): void;
    /** Our offer was answered. */
    answered(conn: number, sdp: string): void;
    send(conn: number, message: Uint8Array): void;
    /** Bytes that the channel has not handed to the network yet. */
    buffered(conn: number): number;
    /** After this nothing more is said of a connection. */
    close(conn: number): void;
    closeAll(): void;
}

/** Begins without a connection. */
export function newPeers(rtcConfig: RTCConfiguration, { tell, failed, received }: PeerCalls): Peers {
    const connections = new Map<number, Connection>();

    function open(conn: number, offer?: string): void {
        const connection = connect(conn);
        if (!connection) {
            return;
        }
        const { rtc } = connection;
        const negotiate = async () => {
            if (offer === undefined) {
                // The other side does not care for the label.
                use(conn, connection, rtc.createDataChannel(String(Math.random())));
            } else {
                rtc.ondatachannel = ({ channel }) => use(conn, connection, channel);
                await rtc.setRemoteDescription({ type: "offer", sdp: offer });
            }
            await rtc.setLocalDescription();
            await gathered(rtc);
            const kind = offer === undefined ? Input.OfferReady : Input.AnswerReady;
            if (isOpen(conn, connection)) tell(kind, conn, 0, 0, rtc.localDescription?.sdp);
        };
        negotiate().catch(() => lost(conn, connection));
    }

    function connect(conn: number): Connection | undefined {
        try {
            const rtc = new RTCPeerConnection(rtcConfig);
            const connection: Connection = { rtc };
            rtc.onconnectionstatechange = () => {
                // "disconnected" may heal; the engine has its own patience with silent peers.
                const { connectionState: state } = rtc;
                if (state === "failed") lost(conn, connection, "the connection failed");
                if (state === "closed") lost(conn, connection);
            };
            connections.set(conn, connection);
            return connection;
        } catch {
            // No WebRTC here, or too many connections: the browser's own limit.
            return void tell(Input.ChannelClosed, conn);
        }
    }

    function use(conn: number, connection: Connection, channel: RTCDataChannel): void {
        // A second channel is not ours.
        if (connection.channel) {
            return;
        }
        connection.channel = channel;
        channel.binaryType = "arraybuffer";
        channel.bufferedAmountLowThreshold = LOW_WATER_BYTES;
        const told = (kind: Input, number?: number) => isOpen(conn, connection) && tell(kind, conn, number);
        channel.onmessage = ({ data }: MessageEvent<unknown>) => {
            // Peers send no texts; whoever does breaks the protocol.
            if (!(data instanceof ArrayBuffer)) lost(conn, connection, "got a text, expected bytes");
            else if (isOpen(conn, connection)) received(conn, new Uint8Array(data));
        };
        channel.onbufferedamountlow = () => told(Input.Drained, channel.bufferedAmount);
        channel.onclose = () => lost(conn, connection);
        channel.onopen = () => told(Input.ChannelOpened);
        if (channel.readyState === "open") told(Input.ChannelOpened);
    }

    const isOpen = (conn: number, connection: Connection) => connections.get(conn) === connection;

    function lost(conn: number, connection: Connection, reason?: string): void {
        if (isOpen(conn, connection)) {
            if (reason) failed(conn, new Error(reason));
            close(conn);
            tell(Input.ChannelClosed, conn);
        }
    }

    function close(conn: number): void {
        connections.get(conn)?.rtc.close();
        connections.delete(conn);
    }

    return {
        open,
        answered(conn, sdp) {
            const connection = connections.get(conn);
            connection?.rtc.setRemoteDescription({ type: "answer", sdp }).catch(() => lost(conn, connection));
        },
        send(conn, message) {
            const connection = connections.get(conn);
            try {
                if (connection) (connection.channel as RTCDataChannel).send(message as Uint8Array<ArrayBuffer>);
            } catch {
                if (connection) lost(conn, connection);
            }
        },
        buffered: (conn) => connections.get(conn)?.channel?.bufferedAmount ?? 0,
        close,
        closeAll: () => connections.forEach((_, conn) => close(conn)),
    };
}

/** Resolves when all candidates are in the local description, or time is up. */
async function gathered(rtc: RTCPeerConnection): Promise<void> {
    await new Promise<void>((done) => {
        setTimeout(done, GATHERING_MS_MAX);
        const look = () => {
            if (rtc.iceGatheringState === "complete") done();
        };
        rtc.onicegatheringstatechange = look;
        look();
    });
}
