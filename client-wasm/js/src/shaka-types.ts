// Types of Shaka Player by short names, and which of its public interfaces are used.

import type shaka from "shaka-player";
import type { CoreConfig, DefinedCoreConfig, DynamicCoreConfig } from "./config.js";

/** The library: `window.shaka`, or what a module imports. */
export type Shaka = typeof shaka;
export type Player = shaka.Player;
export type Request = shaka.extern.Request;
export type RequestContext = shaka.extern.RequestContext;
export type RequestType = shaka.net.NetworkingEngine.RequestType;
export type Response = shaka.extern.Response;
export type SegmentReference = shaka.media.SegmentReference;
export type ShakaStream = shaka.extern.Stream;
export type SchemePlugin = shaka.extern.SchemePlugin;
export type PluginArguments = Parameters<SchemePlugin>;
export type Operation = shaka.extern.IAbortableOperation<Response>;

/** All settings. */
export interface ShakaP2PEngineConfig {
    core: DefinedCoreConfig;
}

/** What a page may set. */
export interface PartialShakaEngineConfig {
    core?: CoreConfig;
    /** Where the reader of manifests is; by default `beekeepr-playlist_bg.wasm` beside the script. */
    playlistWasmUrl?: string;
}

/** What a page may change while playing. */
export interface DynamicShakaP2PEngineConfig {
    core?: DynamicCoreConfig;
}
