// What a stream's swarm is called on the tracker: by a hash of what the manifest says of the stream, brought into
// one form, as p2p-media-loader 2.3 to 4.x do (others: generations.ts). `core/model` does this in Rust for the
// seeder; the form is made of JavaScript's own ways with letters and numbers, which here come for nothing
// (docs/decisions/wasm.md).

import { sha1Base64 } from "./sha1.js";
import type { Stream, StreamProperties } from "./types.js";

/** Codecs of AVC in decimal, as old manifests write them: profile and level. */
const DECIMAL_AVC = /^(avc1?)\.(0|-?[1-9]\d*)\.(0|-?[1-9]\d*)$/;

/** Characters of a swarm's name. */
const INFO_HASH_LENGTH = 20;

/** The clients that a swarm is for: p2p-media-loader 1.x to 2.2, 2.3 to 4.x, 5.x. */
export type Generation = "v2_index" | "v2" | "v3";

/** What a stream is called before it is hashed, given what identifies it in its manifest. */
export function streamSwarmId(swarmId: string, { type }: Stream, identityHash: string, version = "v2"): string {
    return `${version}-${swarmId}-${type}-${identityHash}`;
}

/** The swarm's name on the tracker. */
export function infoHash(streamSwarmId: string): string {
    return sha1Base64(streamSwarmId).slice(0, INFO_HASH_LENGTH);
}

/** The same of a stream whose name is the default one. */
export function defaultInfoHash(swarmId: string, stream: Stream): string {
    return infoHash(streamSwarmId(swarmId, stream, identityHash(stream)));
}

/** What identifies a stream among those of its type. */
export function identityHash({ properties }: Stream): string {
    return sha1Base64(identityText(properties));
}

/** All fields in their order, empty where the manifest says nothing. */
export function identityText(properties: StreamProperties): string {
    const { bitrate, codecs = "", width, height, language = "", channels = "" } = properties;
    const { name = "", frameRate = "", videoRange = "" } = properties;
    const plain = (text: string) => text.trim().toLowerCase();
    return [
        Math.trunc(bitrate),
        codecs.split(",").map((codec) => plain(codec).replace(DECIMAL_AVC, hexadecimal)).sort(),
        width || "",
        height || "",
        // `und` (undetermined) says nothing; cut to two letters it would look like a language.
        language === "und" ? "" : language.slice(0, 2).toLowerCase(),
        channels.split("/")[0],
        plain(name),
        numberForm(frameRate),
        videoRange.trim().toUpperCase(),
    ].join("-");
}

/** `avc1.66.30` is `avc1.42001e` (RFC 6381). */
function hexadecimal(_: string, kind: string, profile: string, level: string): string {
    const hex = (text: string) => Number(text).toString(16).padStart(2, "0");
    return `${kind}.${hex(profile)}00${hex(level)}`;
}

/** The number as JavaScript writes it; nothing for what is none. */
export function numberForm(text: string): string {
    const number = Number(text);
    return text === "" || Number.isNaN(number) ? "" : `${number}`;
}
