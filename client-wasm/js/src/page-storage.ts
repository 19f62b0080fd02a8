// A storage of the page's own, with p2p-media-loader 2.3's interface. It keeps what has loaded, for longer or in
// another place than the engine's memory; what it has is asked of nobody else.

import type { CommonCoreConfig, DefinedCoreConfig, StreamConfig } from "./config.js";
import type { KnownSegment } from "./streams.js";
import type { StreamType } from "./types.js";

/** What the page implements. */
export interface SegmentStorage {
    /** Called first. */
    initialize(
        coreConfig: CommonCoreConfig,
        mainStreamConfig: StreamConfig,
        secondaryStreamConfig: StreamConfig,
    ): Promise<void>;
    /** Where the player is, in seconds, and how fast. */
    onPlaybackUpdated(position: number, rate: number): void;
    /** The player asks for a segment. */
    onSegmentRequested(
        swarmId: string,
        streamId: string,
        segmentId: number,
        startTime: number,
        endTime: number,
        streamType: StreamType,
        isLiveStream: boolean,
    ): void;
    /** A segment has loaded; the data is the storage's. */
    storeSegment(
        swarmId: string,
        streamId: string,
        segmentId: number,
        data: ArrayBuffer,
        startTime: number,
        endTime: number,
        streamType: StreamType,
        isLiveStream: boolean,
    ): Promise<void>;
    /** A stored segment. */
    getSegmentData(swarmId: string, streamId: string, segmentId: number): Promise<ArrayBuffer | undefined>;
    /** In MiB. The engine does not need to know. */
    getUsage(): { totalCapacity: number; usedCapacity: number };
    hasSegment(swarmId: string, streamId: string, segmentId: number): boolean;
    /** All that is stored of a stream. */
    getStoredSegmentIds(swarmId: string, streamId: string): number[];
    /** `callback` is to be called when the segments of a stream change. */
    setSegmentChangeCallback(callback: (streamId: string) => void): void;
    destroy(): void;
}

/** Where a segment belongs, as the storage names it. */
type Place = [swarmId: string, streamId: string, segmentId: number];

/** The page's storage, which may fail at any time: loading goes on without it then. */
export class PageStorage {
    readonly #ready: Promise<void>;
    #storage: SegmentStorage | undefined;

    constructor(
        make: (isLive: boolean) => SegmentStorage,
        config: DefinedCoreConfig,
        private readonly isLive: boolean,
        private readonly swarmId: string,
    ) {
        this.#ready = this.#begin(make, config).catch((reason: unknown) => this.#fail(reason));
    }

    async #begin(make: (isLive: boolean) => SegmentStorage, config: DefinedCoreConfig): Promise<void> {
        const { mainStream, secondaryStream, ...common } = config;
        const storage = make(this.isLive);
        storage.setSegmentChangeCallback(() => {});
        await storage.initialize(common, mainStream, secondaryStream);
        this.#storage = storage;
    }

    played(position: number, rate: number): void {
        this.#try((storage) => storage.onPlaybackUpdated(position, rate));
    }

    /** Whether a segment is there; the player has just asked for it. */
    has(segment: KnownSegment): boolean {
        const { startTime, endTime, swarm } = segment;
        const place = this.#place(segment);
        return (
            this.#try((storage) => {
                storage.onSegmentRequested(...place, startTime, endTime, swarm.stream.type, this.isLive);
                return storage.hasSegment(...place);
            }) ?? false
        );
    }

    async store(segment: KnownSegment, data: ArrayBuffer): Promise<void> {
        const { startTime, endTime, swarm } = segment;
        await this.#ready;
        await this.#try((storage) =>
            storage
                .storeSegment(...this.#place(segment), data, startTime, endTime, swarm.stream.type, this.isLive)
                .catch((reason: unknown) => this.#fail(reason)),
        );
    }

    /** A copy of what is stored; nothing when it is not there after all, or empty. */
    async load(segment: KnownSegment): Promise<ArrayBuffer | undefined> {
        try {
            const data = await this.#try((storage) => storage.getSegmentData(...this.#place(segment)));
            return data?.byteLength ? data.slice(0) : undefined;
        } catch (reason) {
            return void this.#fail(reason);
        }
    }

    /** The same from an offset on, as a response to an HTTP request for it. */
    async response(segment: KnownSegment, offset: number): Promise<Response | undefined> {
        const data = await this.load(segment);
        const bytes = data?.byteLength ?? 0;
        if (!data || bytes <= offset) {
            return undefined;
        }
        const headers = { "Content-Range": `bytes ${offset}-${bytes - 1}/${bytes}` };
        return new Response(data.slice(offset), { status: 206, headers });
    }

    destroy(): void {
        void this.#ready.then(() => {
            this.#try((storage) => storage.destroy());
            this.#storage = undefined;
        });
    }

    #place({ swarm, externalId }: KnownSegment): Place {
        return [this.swarmId, `${swarm.stream.type}-${swarm.infoHash}`, externalId];
    }

    #try<T>(use: (storage: SegmentStorage) => T): T | undefined {
        try {
            return this.#storage && use(this.#storage);
        } catch (reason) {
            this.#fail(reason);
            return undefined;
        }
    }

    #fail(reason: unknown): void {
        this.#storage = undefined;
        console.warn("beekeepr: customSegmentStorageFactory's storage failed; going on without it", reason);
    }
}
