// The engine as a player's adapter and a page see it. Names follow p2p-media-loader-core 2.3.

import type { Action } from "./action.js";
import { type CoreConfig, type DefinedCoreConfig, type DynamicCoreConfig, Settings } from "./config.js";
import { EventTarget, guard } from "./events.js";
import { type Generation, infoHash } from "./identity.js";
import { Input } from "./input.js";
import { type NewsContext, publish, type Source } from "./news.js";
import { PageStorage } from "./page-storage.js";
import { newPeerId, peerIds } from "./peer-ids.js";
import { Policy } from "./policy.js";
import { Shell } from "./shell.js";
import { Meter, type Stats } from "./stats.js";
import { nameOf, type SegmentKey } from "./store.js";
import { type KnownSegment, type ListedSegment, Streams } from "./streams.js";
import { swarmIdOf } from "./swarm-id.js";
import {
    type CoreEventMap,
    CoreRequestError,
    type EngineCallbacks,
    type Peer,
    type Stream,
} from "./types.js";
import { loadWasm, type WasmModule } from "./wasm.js";

/** In which a viewer meets others when it is to meet all; first the one that most are in. */
const GENERATIONS: readonly Generation[] = ["v2", "v2_index", "v3"];

/** A playlist that was read before the engine was there. */
interface Playlist {
    segments: readonly ListedSegment[];
    live: boolean;
}

/**
 * Shares the segments of one presentation at a time. Until the WebAssembly module has loaded, after
 * any failure, and for what it does not know, {@link Core.loadSegment} declines: the player's own
 * loader then serves.
 */
export class Core {
    readonly #settings: Settings;
    readonly #events = new EventTarget<CoreEventMap>();
    readonly #wanted = new Map<string, EngineCallbacks>();
    readonly #peers = new Map<string, Peer & { conn: number }>();
    /** Where segments that load now come from. */
    readonly #sources = new Map<string, Source>();
    #storage: PageStorage | undefined;
    readonly #policy: Policy;
    /** Counts what passes; the adapter adds what passes it by. */
    readonly meter = new Meter();
    #wasm: WasmModule | undefined;
    #shell: Shell | undefined;
    #dead = false;
    #manifestUrl: string | undefined;
    /** Before redirects. */
    #requestedUrl: string | undefined;
    #streams = new Streams();
    /** Streams and playlists of the manifest, for an engine that starts later. */
    #manifest = new Map<string, { stream: Stream; playlist?: Playlist }>();
    #playback: { positionMs: number; rateMilli: number } | undefined;
    static #nextStreamKey = 1;

    /** `module` is for tests. */
    constructor(config: CoreConfig = {}, module?: Promise<WasmModule>) {
        this.#settings = new Settings(config);
        this.#policy = new Policy(
            () => this.#settings.common,
            () => this.#configure(),
        );
        (module ?? loadWasm(this.#settings.common.wasmUrl)).then(
            (wasm) => {
                this.#wasm = wasm;
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
        const numbers = this.#settings.numbers(this.#policy.allowed());
        this.#shell?.call((engine, now) => engine.configure(now, numbers));
    }

    /** How sharing goes. */
    getStats(): Stats {
        const { sharing, uploads } = this.#policy.allowed();
        const state = this.#dead ? "failed" : this.#wasm ? "running" : "loading";
        const isSharing = sharing && state !== "failed";
        return this.meter.stats(this.getPeers(), { state, isSharing, isUploading: isSharing && uploads });
    }

    addEventListener<K extends keyof CoreEventMap>(name: K, listener: CoreEventMap[K]): void {
        this.#events.addEventListener(name, listener);
    }

    removeEventListener<K extends keyof CoreEventMap>(name: K, listener: CoreEventMap[K]): void {
        this.#events.removeEventListener(name, listener);
    }

    /** The connected peers of all streams. */
    getPeers(): Peer[] {
        return Array.from(this.#peers.values(), ({ conn: _, ...peer }) => peer);
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
        if (!this.#manifest.has(stream.runtimeId)) {
            this.#manifest.set(stream.runtimeId, { stream });
            this.#join(stream);
        }
    }

    /** Takes a stream's playlist, which replaces the previous one. */
    setSegments(streamRuntimeId: string, segments: readonly ListedSegment[], live: boolean): void {
        const entry = this.#manifest.get(streamRuntimeId);
        if (entry) {
            entry.playlist = { segments, live };
            this.#list(streamRuntimeId, entry.playlist);
        }
    }

    /** What is listed for a stream. */
    getSegments(streamRuntimeId: string): readonly ListedSegment[] {
        return this.#manifest.get(streamRuntimeId)?.playlist?.segments ?? [];
    }

    hasStream(streamRuntimeId: string): boolean {
        return this.#manifest.has(streamRuntimeId);
    }

    hasSegment(segmentRuntimeId: string): boolean {
        return this.#streams.find(segmentRuntimeId) !== undefined;
    }

    /** Whether {@link loadSegment} would take this segment. */
    isSegmentLoadable(segmentRuntimeId: string, sequence?: number): boolean {
        const segment = this.#streams.find(segmentRuntimeId, sequence);
        return segment !== undefined && this.#isLoadable(segment);
    }

    /**
     * Loads a segment from whoever has it. False, and no callback, when the player's own loader has
     * to do it.
     */
    loadSegment(segmentRuntimeId: string, callbacks: EngineCallbacks, sequence?: number): boolean {
        const segment = this.#streams.find(segmentRuntimeId, sequence);
        const shell = this.#shell;
        if (!shell || !segment || !this.#isLoadable(segment)) {
            return false;
        }
        const { key } = segment;
        if (!this.#playback) {
            // Nothing plays yet, so it will begin with what is asked for first.
            this.updatePlayback(segment.startTime, 1);
        }
        this.#wanted.set(nameOf(key), callbacks);
        if (this.#storage?.has(segment)) {
            void this.#loadStored(segment, shell);
            return true;
        }
        shell.tell(Input.SegmentWanted, key.stream, key.id);
        return true;
    }

    /** Gives a segment up; no callback follows. What has loaded of it stays. */
    abortSegmentLoading(segmentRuntimeId: string, sequence?: number): void {
        const key = this.#streams.find(segmentRuntimeId, sequence)?.key;
        if (key && this.#wanted.delete(nameOf(key))) {
            this.#shell?.tell(Input.SegmentUnwanted, key.stream, key.id);
        }
    }

    /** Where the player is, in seconds, and how fast; rate 0 while it is paused. */
    updatePlayback(position: number, rate: number): void {
        const playback = { positionMs: Math.round(position * 1000), rateMilli: Math.round(rate * 1000) };
        this.#playback = playback;
        this.#storage?.played(position, rate);
        this.#shell?.tell(Input.Playback, playback.positionMs, playback.rateMilli);
    }

    /** Leaves all swarms and forgets the presentation. The next manifest starts anew. */
    destroy(): void {
        const shell = this.#shell;
        for (const { key, infoHash, peerId } of this.#streams.swarms()) {
            shell?.tell(Input.StreamRemoved, key);
            peerIds.release(infoHash, peerId);
        }
        shell?.close();
        this.#policy.close();
        this.#storage?.destroy();
        this.#shell = this.#storage = undefined;
        this.#manifestUrl = this.#requestedUrl = this.#playback = undefined;
        this.#manifest = new Map();
        this.#streams = new Streams();
        this.#peers.clear();
        this.#giveBack();
    }

    #isLoadable({ key, swarm }: KnownSegment): boolean {
        const { isP2PDisabled } = this.#settings.of(swarm.stream.type);
        return this.#shell !== undefined && !isP2PDisabled && !this.#wanted.has(nameOf(key));
    }

    /** Begins as soon as there are both a module and a manifest. */
    #start(): void {
        if (!this.#wasm || this.#shell || this.#dead || this.#manifest.size === 0) {
            return;
        }
        try {
            this.#shell = this.#newShell(this.#wasm);
        } catch (reason) {
            return this.#fail(reason);
        }
        this.#policy.open();
        for (const [runtimeId, { stream, playlist }] of this.#manifest) {
            this.#join(stream);
            if (playlist) this.#list(runtimeId, playlist);
        }
        if (this.#playback) {
            const { positionMs, rateMilli } = this.#playback;
            this.updatePlayback(positionMs / 1000, rateMilli / 1000);
        }
    }

    #newShell(wasm: WasmModule): Shell {
        const { announceTrackers, rtcConfig } = this.#settings.of("main");
        return new Shell(wasm, {
            trackers: announceTrackers,
            rtcConfig,
            token: this.#settings.common.token,
            numbers: this.#settings.numbers(this.#policy.allowed()),
            origin: (key) => this.#origin(key),
            check: (key, data) => this.#check(key, data),
            ready: (key, data, bandwidth) => this.#settle(key, (one) => one.onSuccess({ data, bandwidth })),
            failed: (key) => this.#settle(key, (one) => one.onError(new CoreRequestError("failed"))),
            dropped: (key) => this.#streams.dropped(key),
            news: (kind, number, text) => this.#news(kind, number, text),
            peerFailed: (conn, error) => this.#peerFailed(conn, error),
            died: (reason) => this.#fail(reason),
        });
    }

    #join(stream: Stream): void {
        if (!this.#shell) {
            // Starting joins all streams that are there.
            return this.#start();
        }
        const names = this.#names(stream);
        const [infoHash] = names.values();
        if (infoHash === undefined) {
            return;
        }
        const { swarm, isNew } = this.#streams.add(stream, infoHash, () => ({
            key: Core.#nextStreamKey++,
            infoHash,
            names,
            peerId: peerIds.claim(infoHash, () => newPeerId(this.#settings.of(stream.type).trackerClientVersionPrefix)),
            stream,
        }));
        if (isNew) {
            this.#shell.call((engine, now) => {
                engine.streamAdded(now, swarm.key, infoHash, swarm.peerId);
                for (const name of [...names.values()].slice(1)) {
                    engine.swarmAdded(now, swarm.key, name, new Float64Array());
                }
            });
        }
    }

    /** A stream's swarms; what another stream's is called already is left out. */
    #names(stream: Stream): Map<Generation, string> {
        const { generation, swarmId: chosen, swarmIdParameters } = this.#settings.of(stream.type);
        const names = new Map<Generation, string>();
        for (const one of generation === "auto" ? GENERATIONS : [generation]) {
            const address = one === "v3" ? this.#requestedUrl : this.#manifestUrl;
            const swarmId = chosen ?? (address && swarmIdOf(address, swarmIdParameters));
            const name = swarmId === undefined ? swarmId : infoHash(swarmId, stream, one);
            if (name !== undefined && (names.size === 0 || !this.#streams.isNamed(name))) names.set(one, name);
        }
        return names;
    }

    #list(streamRuntimeId: string, { segments, live }: Playlist): void {
        const shell = this.#shell;
        this.#makeStorage(live);
        const keep = (key: SegmentKey) => shell?.store.has(key) || this.#wanted.has(nameOf(key));
        const listed = this.#streams.list(streamRuntimeId, segments, (key) => keep(key) ?? false);
        if (listed) {
            const { swarm, numbers, pairs } = listed;
            const newest = swarm.names.get("v3");
            shell?.call((engine, now) => {
                engine.segmentsListed(now, swarm.key, live, numbers);
                if (newest && pairs.length > 0) engine.swarmAdded(now, swarm.key, newest, pairs);
            });
        }
    }

    #origin(key: SegmentKey) {
        const segment = this.#streams.get(key);
        const config = this.#settings.of(segment?.swarm.stream.type ?? "main");
        return (
            segment && {
                url: segment.url,
                byteRange: segment.byteRange,
                firstByteMs: config.httpFirstByteTimeoutMs,
                stored: this.#storage?.has(segment) ? () => this.#storage?.load(segment) : undefined,
                setup: config.httpRequestSetup,
                validate: config.validateHTTPSegment,
            }
        );
    }

    async #check(key: SegmentKey, data: ArrayBuffer): Promise<boolean> {
        const segment = this.#streams.get(key);
        const validate = this.#settings.of(segment?.swarm.stream.type ?? "main").validateP2PSegment;
        return segment !== undefined && (!validate || validate(segment.url, segment.byteRange, data));
    }

    #settle(key: SegmentKey, tell: (callbacks: EngineCallbacks) => void): void {
        const callbacks = this.#wanted.get(nameOf(key));
        if (callbacks && this.#wanted.delete(nameOf(key))) {
            guard(() => tell(callbacks));
        }
    }

    #news(kind: Action, number: (index: number) => number, text: string): void {
        const context: NewsContext = {
            events: this.#events,
            peers: this.#peers,
            streams: this.#streams,
            meter: this.meter,
            policy: this.#policy,
            sources: this.#sources,
            loaded: (key, segment) => this.#keep(key, segment),
            trackerUrl: (tracker) => this.#settings.of("main").announceTrackers[tracker] ?? "",
            progress: (key, bytes) => {
                const total = this.#shell?.store.total(key) ?? 0;
                guard(() => this.#wanted.get(nameOf(key))?.onProgress?.(bytes, total));
            },
        };
        publish(context, kind, number, text);
    }

    /** The page's own, made when it is known what the stream is like. */
    #makeStorage(live: boolean): void {
        const { customSegmentStorageFactory: make } = this.#settings.common;
        if (make && this.#shell) {
            const swarmId = this.#settings.of("main").swarmId ?? this.#manifestUrl ?? "";
            this.#storage ??= new PageStorage(make, this.getConfig(), live, swarmId);
        }
    }

    /** Answers from the page's storage, or by the engine when it has nothing after all. */
    async #loadStored(segment: KnownSegment, shell: Shell): Promise<void> {
        const data = await this.#storage?.load(segment).catch(() => undefined);
        const { key } = segment;
        if (data?.byteLength) {
            this.#settle(key, (one) => one.onSuccess({ data, bandwidth: 0 }));
        } else if (this.#wanted.has(nameOf(key))) {
            shell.tell(Input.SegmentWanted, key.stream, key.id);
        }
    }

    /** Gives the page's storage a segment that has loaded. */
    #keep(key: SegmentKey, segment: KnownSegment): void {
        const data = this.#storage && this.#shell?.store.copy(key);
        if (data) void this.#storage?.store(segment, data);
    }

    #peerFailed(conn: number, error: Error): void {
        const peer = [...this.#peers.values()].find((one) => one.conn === conn);
        if (peer) {
            const { peerId, streamType } = peer;
            this.#events.dispatch("onPeerError", { peerId, streamType, error });
        }
    }

    /** The engine is gone for good; the player goes on over HTTP. */
    #fail(reason: unknown): void {
        this.#dead = true;
        this.#policy.close();
        this.#shell?.close();
        this.#shell = undefined;
        this.#peers.clear();
        this.#giveBack();
        console.warn("beekeepr: the engine cannot run; playing over HTTP alone", reason);
        this.#events.dispatch("onEngineFailed", reason);
    }

    /** Leaves all wanted segments to the player's own loader. */
    #giveBack(): void {
        const wanted = [...this.#wanted.values()];
        this.#wanted.clear();
        for (const callbacks of wanted) {
            guard(() => callbacks.onError(new CoreRequestError("failed")));
        }
    }
}
