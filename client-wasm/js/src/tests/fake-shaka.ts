// As much of Shaka Player as the engine touches: schemes, filters, events. Requests run as its networking engine runs
// them, without its timers and its patience.

import type { Operation, PluginArguments, Player, Request, RequestContext, Response, SchemePlugin, Shaka } from "../shaka-types.js";

export const SEGMENT = 1;
export const MANIFEST = 0;
export const TIMING = 4;

type Filter = (type: number, what: never, context?: RequestContext) => void;

class ShakaError {
    static Severity = { RECOVERABLE: 1 };
    static Category = { NETWORK: 1 };
    static Code = { OPERATION_ABORTED: 7001, HTTP_ERROR: 1002 };
    constructor(readonly severity: number, readonly category: number, readonly code: number, ...rest: unknown[]) {
        this.data = rest;
    }
    readonly data: unknown[];
}

/** A library of its own for each test, whose own plugin answers what it is told to. */
export function fakeShaka() {
    const schemes = new Map<string, { plugin: SchemePlugin; priority: number; progress: boolean }>();
    const own: { uri: string; aborted: boolean }[] = [];
    /** What the origin has, by address; nothing for a failure. */
    const origin = new Map<string, Uint8Array>();
    class AbortableOperation {
        constructor(readonly promise: Promise<Response>, private readonly onAbort: () => Promise<void>) {
            promise.catch(() => undefined);
        }
        abort = () => this.onAbort();
    }
    const parse = (uri: string, originalRequest: Request) => {
        const asked = { uri, aborted: false };
        own.push(asked);
        const bytes = origin.get(uri);
        const response = { uri, originalUri: uri, originalRequest, headers: {}, data: bytes?.slice().buffer };
        const promise = bytes ? Promise.resolve(response as Response) : Promise.reject(new ShakaError(1, 1, 1002));
        return new AbortableOperation(promise, async () => void (asked.aborted = true));
    };
    const NetworkingEngine = {
        RequestType: { MANIFEST, SEGMENT, TIMING },
        PluginPriority: { FALLBACK: 1, PREFERRED: 2, APPLICATION: 3 },
        registerScheme: (scheme: string, plugin: SchemePlugin, priority: number, progress: boolean) => {
            if ((schemes.get(scheme)?.priority ?? 0) <= priority) schemes.set(scheme, { plugin, priority, progress });
        },
        unregisterScheme: (scheme: string) => void schemes.delete(scheme),
    };
    const shaka = {
        net: { NetworkingEngine, HttpFetchPlugin: { isSupported: () => true, parse } },
        util: { AbortableOperation, Error: ShakaError },
    } as unknown as Shaka;
    NetworkingEngine.registerScheme("http", parse as never, 2, true);
    return { shaka, schemes, own, origin };
}

/** A player with its own networking engine. */
export class FakePlayer {
    readonly requestFilters = new Set<Filter>();
    readonly responseFilters = new Set<Filter>();
    readonly listeners = new Map<string, Set<() => void>>();
    readonly configured: [string, unknown][] = [];
    media: HTMLMediaElement | null = null;
    asset: string | null = null;

    constructor(private readonly library: ReturnType<typeof fakeShaka>) {}

    asPlayer(): Player {
        return this as unknown as Player;
    }

    getNetworkingEngine() {
        return {
            registerRequestFilter: (filter: Filter) => void this.requestFilters.add(filter),
            registerResponseFilter: (filter: Filter) => void this.responseFilters.add(filter),
            unregisterRequestFilter: (filter: Filter) => void this.requestFilters.delete(filter),
            unregisterResponseFilter: (filter: Filter) => void this.responseFilters.delete(filter),
        };
    }
    getConfiguration = () => ({ streaming: { useNativeHlsOnSafari: true } });
    configure = (name: string, value: unknown) => void this.configured.push([name, value]);
    getAssetUri = () => this.asset;
    getMediaElement = () => this.media;
    getStats = () => ({ estimatedBandwidth: 8_000_000 });
    addEventListener(name: string, listener: () => void): void {
        this.listeners.set(name, (this.listeners.get(name) ?? new Set()).add(listener));
    }
    removeEventListener(name: string, listener: () => void): void {
        this.listeners.get(name)?.delete(listener);
    }
    dispatch(name: string): void {
        for (const listener of this.listeners.get(name) ?? []) listener();
    }

    /** Asks for something as Shaka does: filters, plugin, filters. */
    request(type: number, uri: string, context?: RequestContext, headers: Record<string, string> = {}): Operation {
        const request = requestOf(uri, headers);
        for (const filter of this.requestFilters) filter(type, request as never, context);
        const plugin = this.library.schemes.get("http")?.plugin;
        const operation = plugin?.(...argumentsOf(uri, request, type)) as Operation;
        operation.promise.then(
            (response) => this.responseFilters.forEach((filter) => filter(type, response as never, context)),
            () => undefined,
        );
        return operation;
    }
}

export function requestOf(uri: string, headers: Record<string, string> = {}): Request {
    const retryParameters = { connectionTimeout: 10_000, stallTimeout: 5_000 };
    return { uris: [uri], method: "GET", headers, allowCrossSiteCredentials: false, retryParameters } as unknown as Request;
}

export function argumentsOf(
    uri: string,
    request: Request,
    type = SEGMENT,
    progress: (...told: number[]) => void = () => undefined,
): PluginArguments {
    return [uri, request, type, progress, () => undefined, {}] as unknown as PluginArguments;
}

/** A segment as Shaka's references tell of it. */
export function contextOf(uri: string, startTime: number, streamId = 1): RequestContext {
    const segment = { getUris: () => [uri], getStartTime: () => startTime, isPartial: () => false };
    return { type: 1, segment, stream: streams[streamId] ??= { id: streamId, type: "video", originalId: null } } as never;
}
const streams: Record<number, object> = {};
