// Everything of the package.

export type {
    CommonCoreConfig,
    CoreConfig,
    DefinedCoreConfig,
    DynamicCoreConfig,
    HttpRequestSetup,
    SegmentValidator,
    StreamConfig,
} from "./config.js";
export { Core } from "./core.js";
export type { SwarmIdBuilder, SwarmIdContext } from "./generations.js";
export {
    type DynamicHlsJsP2PEngineConfig,
    HlsJsP2PEngine,
    type HlsJsP2PEngineConfig,
    type HlsWithP2PConfig,
    type HlsWithP2PInstance,
    type PartialHlsJsP2PEngineConfig,
} from "./hlsjs.js";
export { isSeeder, peerName } from "./names.js";
export type { SegmentStorage } from "./page-storage.js";
export type { EngineState, Stats } from "./stats.js";
export type { TokenSource } from "./tokens.js";
export type { ListedSegment } from "./streams.js";
export * from "./types.js";
