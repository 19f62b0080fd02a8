// What wasm-bindgen makes of ../../src, so that the shell can be checked before the module is built.
// The build checks the shell once more against the real declarations.
declare module "beekeepr-wasm" {
    export default function init(module: { module_or_path: URL | string }): Promise<unknown>;

    export function peerId(seedHigh: number, seedLow: number): string;

    export class Engine {
        constructor(now: number, seedHigh: number, seedLow: number, values: Float64Array);
        free(): void;
        configure(now: number, values: Float64Array): void;
        poll(): number;
        number(index: number): number;
        text(): string;
        data(): Uint8Array;
        deadline(): number;
        tick(now: number): void;
        streamAdded(now: number, stream: number, infoHash: string, peerId: string): boolean;
        streamRemoved(now: number, stream: number): void;
        segmentsListed(now: number, stream: number, live: boolean, numbers: Float64Array): void;
        playback(now: number, positionMs: number, rateMilli: number): void;
        segmentWanted(now: number, stream: number, segment: number): void;
        segmentUnwanted(now: number, stream: number, segment: number): void;
        segmentChecked(now: number, stream: number, segment: number, valid: boolean): void;
        fetchStarted(now: number, fetch: number, offset: number, total: number): void;
        fetchProgress(now: number, fetch: number, bytes: number): void;
        fetchDone(now: number, fetch: number): void;
        fetchFailed(now: number, fetch: number, status: number): void;
        trackerOpened(now: number, tracker: number): void;
        trackerMessage(now: number, tracker: number, text: string): void;
        trackerClosed(now: number, tracker: number): void;
        offerReady(now: number, conn: number, sdp: string): void;
        answerReady(now: number, conn: number, sdp: string): void;
        channelOpened(now: number, conn: number): void;
        channelClosed(now: number, conn: number): void;
        command(now: number, conn: number, message: Uint8Array): void;
        drained(now: number, conn: number, buffered: number): void;
        place(now: number, conn: number, bytes: number): boolean;
    }
}
