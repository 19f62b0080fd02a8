// The engine as a player's adapter and a page see it. Names follow p2p-media-loader-core 2.3.

import { type CoreConfig, type DefinedCoreConfig, type DynamicCoreConfig, Settings } from "./config.js";
import { EventTarget, guard } from "./events.js";
import { defaultInfoHash, type Generation, identityHash, infoHash, numberForm, streamSwarmId } from "./identity.js";
import { Input } from "./input.js";
import { type ConnectedPeer, type NewsContext, publish } from "./news.js";
import type { PageStorage } from "./page-storage.js";
import { newPeerId, peerIds } from "./peer-ids.js";
import { Policy } from "./policy.js";
import type * as Rare from "./rare.js";
import { sha1Base64 } from "./sha1.js";
import { Shell } from "./shell.js";
import { Meter, type Stats } from "./stats.js";
import type { SegmentName } from "./store.js";
import { type Entry, flat, type KnownSegment, type ListedSegment, Streams, type Swarm } from "./streams.js";
import { swarmIdOf } from "./swarm-id.js";
import {
    type CoreEventMap,
    CoreRequestError,
    type EngineCallbacks,
    type Peer,
    type Stream,
    type StreamType,
} from "./types.js";
import { loadWasm, type WasmModule } from "./wasm.js";

/** What rare.ts has no copy of. */
const IDENTITY = { identityHash, infoHash, numberForm, streamSwarmId, hash: sha1Base64 };

/**
 * Shares the segments of one presentation at a time. Until the WebAssembly module has loaded, after
 * any failure, and for what it does not know, {@link Core.loadSegment} declines: the player's own
 * loader then serves.
 */
export class Core extends EventTarget<CoreEventMap> {
    readonly #settings: Settings;
    readonly #wanted = new Map<SegmentName, EngineCallbacks>();
    readonly #peers = new Map<string, ConnectedPeer>();
    /** Segments that load now from the page's storage. */
    readonly #stored = new Set<SegmentName>();
    readonly #streams = new Streams();
    readonly #policy: Policy;
    readonly #news: NewsContext;
    /** Counts what passes; the adapter adds what passes it by. */
    readonly meter = new Meter();
    #wasm: WasmModule | undefined;
    /** What this page needs and others do not. */
    #rare: typeof Rare | undefined;
    #storage: PageStorage | undefined;
    /** One for all streams, or one for each kind when their settings differ. */
    readonly #shells = new Map<StreamType, Shell>();
    #isSplit = false;
    #dead = false;
    #manifestUrl: string | undefined;
    /** Before redirects. */
    #requestedUrl: string | undefined;
    #playback: [positionMs: number, rateMilli: number] | undefined;
    static #nextStreamKey = 1;

    /** `module` is for tests. */
    constructor(config: CoreConfig = {}, module?: Promise<WasmModule>) {
        super();
        this.#settings = new Settings(config);
        const { common } = this.#settings;
        this.#policy = new Policy(common, () => this.#configure());
        this.#news = {
            events: this,
            peers: this.#peers,
            meter: this.meter,
            policy: this.#policy,
            streams: this.#streams,
            sources: new Map(),
            stored: this.#stored,
            loaded: (segment) => this.#keep(segment),
            progress: (name, bytes) => {
                const total = this.#streams.segments.get(name)?.swarm.shell.store.get(name)?.total ?? 0;
                guard(() => this.#wanted.get(name)?.onProgress?.(bytes, total));
            },
        };
        Promise.all([module ?? loadWasm(common.wasmUrl), this.#settings.isRare ? import("./rare.js") : undefined]).then(
            ([wasm, rare]) => {
                this.#wasm = wasm;
                this.#rare = rare;
                this.#start();
            },
            (reason: unknown) => this.#fail(reason),
        );
    }

    /** A copy of all settings. */
    getConfig(): DefinedCoreConfig {
        return this.#settings.copy();
    }

    /** Changes settings while running. */
    applyDynamicConfig(config: DynamicCoreConfig): void {
        this.#settings.change(config);
        this.#policy.look();
        this.#configure();
    }

    #configure(): void {
        if (this.#shells.size > 0 && !this.#isSplit && !this.#settings.isUniform) this.#split();
        for (const [type, shell] of this.#shells) shell.call("configure", this.#numbers(type));
    }

    #numbers(type: StreamType): Float64Array {
        return this.#settings.numbers(type, this.#policy.allowed(), this.#isSplit ? 2 : 1);
    }

    /** From now on the other kind of streams has an engine of its own. */
    #split(): void {
        this.#isSplit = true;
        this.#giveBack();
        const moved = [...this.#streams.entries.values()].filter(({ stream }) => stream.type !== "main");
        for (const swarm of this.#streams.swarms) {
            if (swarm.stream.type !== "main") this.#leave(swarm);
        }
        for (const entry of moved) entry.swarm = undefined;
        for (const entry of moved) this.#join(entry);
    }

    /** How sharing goes. */
    getStats(): Stats {
        const { sharing, uploads } = this.#policy.allowed();
        const state = this.#dead ? "failed" : this.#wasm ? "running" : "loading";
        const isSharing = sharing && !this.#dead;
        return this.meter.stats(this.getPeers(), { state, isSharing, isUploading: isSharing && uploads });
    }

    /** The connected peers of all streams. */
    getPeers(): Peer[] {
        return Array.from(this.#peers.values(), ({ shell: _, conn: __, ...peer }) => peer);
    }

    /**
     * Where the manifest came from, after redirects and before; it names the swarms unless `swarmId` does.
     */
    setManifestResponseUrl(url: string, requested = url): void {
        this.#manifestUrl = url;
        this.#requestedUrl = requested;
    }

    /** Registers a stream, once. */
    addStreamIfNoneExists(stream: Stream): void {
        const { entries } = this.#streams;
        if (!entries.has(stream.runtimeId)) {
            const entry = { stream, segments: [], live: undefined, swarm: undefined, known: [] };
            entries.set(stream.runtimeId, entry);
            if (this.#shells.size > 0) this.#join(entry);
            else this.#start();
        }
    }

    /** Takes a stream's playlist, which replaces the previous one. */
    setSegments(streamRuntimeId: string, segments: readonly ListedSegment[], live: boolean): void {
        const entry = this.#streams.entries.get(streamRuntimeId);
        if (entry) {
            Object.assign(entry, { segments, live });
            this.#list(entry);
        }
    }

    /** What is listed for a stream. */
    getSegments(streamRuntimeId: string): readonly ListedSegment[] {
        return this.#streams.entries.get(streamRuntimeId)?.segments ?? [];
    }

    hasStream(streamRuntimeId: string): boolean {
        return this.#streams.entries.has(streamRuntimeId);
    }

    hasSegment(segmentRuntimeId: string): boolean {
        return this.#streams.find(segmentRuntimeId) !== undefined;
    }

    /** Whether {@link loadSegment} would take this segment. */
    isSegmentLoadable(segmentRuntimeId: string, sequence?: number): boolean {
        return this.#isLoadable(this.#streams.find(segmentRuntimeId, sequence));
    }

    /**
     * Loads a segment from whoever has it. False, and no callback, when the player's own loader has
     * to do it.
     */
    loadSegment(segmentRuntimeId: string, callbacks: EngineCallbacks, sequence?: number): boolean {
        const segment = this.#streams.find(segmentRuntimeId, sequence);
        if (!segment && this.#shells.size > 0) {
            const [url = "", start, end] = segmentRuntimeId.split(/\|(\d+)-(\d+)$/);
            const byteRange = start ? { start: Number(start), end: Number(end) } : undefined;
            this.dispatch("onSegmentRegistryMiss", { url, byteRange });
        }
        if (!this.#isLoadable(segment)) {
            return false;
        }
        // Nothing plays yet? So it will begin with what is asked for first.
        if (!this.#playback) this.updatePlayback(segment.startTime, 1);
        this.#wanted.set(segment.name, callbacks);
        if (this.#storage?.has(segment)) {
            void this.#loadStored(segment);
        } else {
            tell(segment, Input.SegmentWanted);
        }
        return true;
    }

    /** Gives a segment up; no callback follows. What has loaded of it stays. */
    abortSegmentLoading(segmentRuntimeId: string, sequence?: number): void {
        const segment = this.#streams.find(segmentRuntimeId, sequence);
        if (segment && this.#wanted.delete(segment.name)) tell(segment, Input.SegmentUnwanted);
    }

    /** Where the player is, in seconds, and how fast; rate 0 while it is paused. */
    updatePlayback(position: number, rate: number): void {
        const playback = (this.#playback = [Math.round(position * 1000), Math.round(rate * 1000)]);
        this.#storage?.played(position, rate);
        for (const shell of this.#shells.values()) shell.tell(Input.Playback, ...playback);
    }

    /** Leaves all swarms and forgets the presentation. The next manifest starts anew. */
    destroy(): void {
        for (const swarm of this.#streams.swarms) this.#leave(swarm);
        this.#end();
        this.#storage?.destroy();
        this.#storage = this.#manifestUrl = this.#requestedUrl = this.#playback = undefined;
        this.#streams.entries.clear();
        this.#streams.segments.clear();
        this.#stored.clear();
        this.#giveBack();
    }

    #leave({ shell, key, infoHash, peerId }: Swarm): void {
        shell.tell(Input.StreamRemoved, key);
        peerIds.release(infoHash, peerId);
    }

    #end(): void {
        this.#policy.close();
        for (const shell of this.#shells.values()) shell.close();
        this.#shells.clear();
        this.#peers.clear();
    }

    #isLoadable(segment: KnownSegment | undefined): segment is KnownSegment {
        return (
            segment !== undefined &&
            this.#shells.size > 0 &&
            !this.#settings.of(segment.swarm.stream.type).isP2PDisabled &&
            !this.#wanted.has(segment.name)
        );
    }

    /** Begins as soon as there are both a module and a manifest. */
    #start(): void {
        if (!this.#wasm || this.#shells.size > 0 || this.#dead || this.#streams.entries.size === 0) {
            return;
        }
        this.#isSplit = !this.#settings.isUniform;
        try {
            this.#shell("main");
            this.#policy.open();
            for (const entry of this.#streams.entries.values()) this.#join(entry);
        } catch (reason) {
            this.#fail(reason);
        }
    }

    /** That of a kind of streams, made when it is needed. */
    #shell(type: StreamType): Shell {
        const kind = this.#isSplit ? type : "main";
        const shell = this.#shells.get(kind) ?? this.#newShell(kind);
        this.#shells.set(kind, shell);
        return shell;
    }

    #newShell(type: StreamType): Shell {
        const { announceTrackers: trackers, rtcConfig } = this.#settings.of(type);
        const { token } = this.#settings.common;
        const { segments } = this.#streams;
        const shell: Shell = new Shell(this.#wasm as WasmModule, {
            type,
            trackers,
            rtcConfig,
            tokens: (tell) => (token && this.#rare ? new this.#rare.Tokens(token, trackers, tell) : undefined),
            numbers: this.#numbers(type),
            origin: (name) => this.#origin(segments.get(name)),
            check: (name, data) => this.#check(segments.get(name), data),
            settled: (name, data, bandwidth) =>
                this.#settle(name, data ? (one) => one.onSuccess({ data, bandwidth }) : failed),
            dropped: (name) => this.#streams.dropped(name),
            news: (kind, number, text) => publish(this.#news, shell, kind, number, text),
            peerFailed: (conn, error) => {
                const peer = [...this.#peers.values()].find((one) => one.shell === shell && one.conn === conn);
                if (peer) this.dispatch("onPeerError", { peerId: peer.peerId, streamType: peer.streamType, error });
            },
            died: (reason) => this.#fail(reason),
        });
        if (this.#playback) shell.tell(Input.Playback, ...this.#playback);
        return shell;
    }

    /** Puts a stream into its swarm, which is made when it is new. */
    #join(entry: Entry): void {
        const { stream } = entry;
        const names = this.#names(stream);
        const [name] = names.values();
        if (name === undefined) {
            return;
        }
        entry.swarm = this.#streams.swarms.find((swarm) => swarm.infoHash === name) ?? this.#newSwarm(stream, name, names);
        this.#list(entry);
    }

    #newSwarm(stream: Stream, infoHash: string, names: Map<Generation, string>): Swarm {
        const key = Core.#nextStreamKey++;
        const shell = this.#shell(stream.type);
        const { trackerClientVersionPrefix } = this.#settings.of(stream.type);
        const peerId = peerIds.claim(infoHash, () => newPeerId(trackerClientVersionPrefix));
        shell.call("stream_added", bytesOf(infoHash + peerId), key);
        for (const name of [...names.values()].slice(1)) shell.call("swarm_added", bytesOf(name), key);
        return { key, infoHash, names, peerId, stream, shell };
    }

    /** A stream's swarms; what another stream's is called already is left out. */
    #names(stream: Stream): Map<Generation, string> {
        const config = this.#settings.of(stream.type);
        const swarmId = (generation?: Generation) => {
            const address = generation === "v3" ? this.#requestedUrl : this.#manifestUrl;
            return config.swarmId ?? (address && swarmIdOf(address, config.swarmIdParameters));
        };
        const byDefault = swarmId();
        if (!this.#rare) {
            return new Map(byDefault === undefined ? [] : [["v2", defaultInfoHash(byDefault, stream)]]);
        }
        const streams = Array.from(this.#streams.entries.values(), (entry) => entry.stream);
        const holder = (name: string) => this.#streams.named(name)?.stream;
        try {
            return this.#rare.namesOf(stream, { config, swarmId, streams, holder, identity: IDENTITY });
        } catch (error) {
            const { runtimeId, type: streamType, properties } = stream;
            this.dispatch("onStreamRegistrationError", { runtimeId, streamType, properties, error: error as Error });
            return new Map();
        }
    }

    #list(entry: Entry): void {
        const { swarm, live } = entry;
        if (!swarm || live === undefined) {
            return;
        }
        const { shell, key, names } = swarm;
        this.#makeStorage(live);
        const restarted = this.#streams.list(entry, swarm, (name) => shell.store.has(name) || this.#wanted.has(name));
        if (live && restarted) shell.tell(Input.StreamRestarted, key);
        shell.call("segments_listed", flat(entry.known), key, Number(live));
        const newest = names.get("v3");
        const pairs = this.#rare?.sequences(entry.known) ?? [];
        if (newest && pairs.length > 0) shell.call("swarm_added", Float64Array.of(...bytesOf(newest), ...pairs), key);
    }

    #origin(segment: KnownSegment | undefined) {
        if (!segment) {
            return undefined;
        }
        const { name, url, byteRange, swarm } = segment;
        const { httpFirstByteTimeoutMs, httpRequestSetup, validateHTTPSegment } = this.#settings.of(swarm.stream.type);
        const stored = async (offset: number) => {
            const response = await this.#storage?.response(segment, offset);
            if (response) this.#stored.add(name);
            return response;
        };
        this.#stored.delete(name);
        return {
            url,
            byteRange,
            firstByteMs: httpFirstByteTimeoutMs,
            stored: this.#storage?.has(segment) ? stored : undefined,
            setup: httpRequestSetup,
            validate: validateHTTPSegment,
        };
    }

    async #check(segment: KnownSegment | undefined, data: ArrayBuffer): Promise<boolean> {
        if (!segment) {
            return false;
        }
        const { validateP2PSegment } = this.#settings.of(segment.swarm.stream.type);
        return validateP2PSegment?.(segment.url, segment.byteRange, data) ?? true;
    }

    #settle(name: SegmentName, told: (callbacks: EngineCallbacks) => void): void {
        const callbacks = this.#wanted.get(name);
        if (callbacks && this.#wanted.delete(name)) guard(() => told(callbacks));
    }

    /** The page's own, made when it is known what the stream is like. */
    #makeStorage(live: boolean): void {
        const { customSegmentStorageFactory: make } = this.#settings.common;
        if (make && this.#rare) {
            const swarmId = this.#settings.of("main").swarmId ?? this.#manifestUrl ?? "";
            this.#storage ??= new this.#rare.PageStorage(make, this.getConfig(), live, swarmId);
        }
    }

    /** Answers from the page's storage, or by the engine when it has nothing after all. */
    async #loadStored(segment: KnownSegment): Promise<void> {
        const data = await this.#storage?.load(segment);
        if (data) {
            this.meter.bytes.storage += data.byteLength;
            this.meter.segments.storage++;
            this.#settle(segment.name, (one) => one.onSuccess({ data, bandwidth: 0 }));
        } else if (this.#wanted.has(segment.name)) {
            tell(segment, Input.SegmentWanted);
        }
    }

    /** Gives the page's storage a segment that has loaded. */
    #keep(segment: KnownSegment): void {
        const { name, swarm } = segment;
        const data = this.#storage && swarm.shell.store.get(name)?.copy();
        if (data) void this.#storage?.store(segment, data);
    }

    /** The engine is gone for good; the player goes on over HTTP. */
    #fail(reason: unknown): void {
        this.#dead = true;
        this.#end();
        this.#giveBack();
        console.warn("beekeepr: the engine cannot run; playing over HTTP alone", reason);
        this.dispatch("onEngineFailed", reason);
    }

    /** Leaves all wanted segments to the player's own loader. */
    #giveBack(): void {
        for (const name of [...this.#wanted.keys()]) this.#settle(name, failed);
    }
}

function failed(callbacks: EngineCallbacks): void {
    callbacks.onError(new CoreRequestError("failed"));
}

function tell({ swarm, externalId }: KnownSegment, kind: Input): void {
    swarm.shell.tell(kind, swarm.key, externalId);
}

/** Each character of an id stands for a byte. */
function bytesOf(ids: string): Float64Array {
    return Float64Array.from(ids, (char) => char.charCodeAt(0));
}
