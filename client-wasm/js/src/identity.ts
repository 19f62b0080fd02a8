// What a stream's swarms are called on the tracker, one for each generation of p2p-media-loader: 1.x to 2.2 name
// a stream by its place in the manifest, 2.3 to 4.x by a hash of what the manifest says of it, brought into one
// form, 5.x by a hash of the same as written. `core/model` does this in Rust for the seeder; the form is made of
// JavaScript's own ways with letters and numbers, which here come for nothing (docs/decisions/wasm.md).

import { md5 } from "./md5.js";
import { sha1Base64 } from "./sha1.js";
import type { Stream, StreamProperties } from "./types.js";

/** Codecs of AVC in decimal, as old manifests write them: profile and level. */
const DECIMAL_AVC = /^(avc1?)\.(0|-?[1-9]\d*)\.(0|-?[1-9]\d*)$/;

/** Characters of a swarm's name. */
const INFO_HASH_LENGTH = 20;

/** The clients that a swarm is for: p2p-media-loader 1.x to 2.2, 2.3 to 4.x, 5.x. */
export type Generation = "v2_index" | "v2" | "v3";

/** The swarm's name on the tracker; nothing where clients of this generation know no such stream. */
export function infoHash(swarmId: string, stream: Stream, generation: Generation = "v2"): string | undefined {
    const { type, properties, index, asWritten } = stream;
    if (generation === "v2_index") {
        const hash = md5(`v2-${swarmId}-${type}-${index}`);
        return index === undefined ? index : btoa(String.fromCharCode(...hash.subarray(1)));
    }
    const text = generation === "v2" ? identityText(properties) : asWritten;
    const prefix = generation === "v2" ? "v2" : "v3";
    return text === undefined
        ? text
        : sha1Base64(`${prefix}-${swarmId}-${type}-${sha1Base64(text)}`).slice(0, INFO_HASH_LENGTH);
}

/** All fields in their order, empty where the manifest says nothing. */
export function identityText(properties: StreamProperties): string {
    const { bitrate, codecs = "", width, height, language = "", channels = "" } = properties;
    const { name = "", frameRate = "", videoRange = "" } = properties;
    return [
        Math.trunc(bitrate),
        codecs.split(",").map(codecForm).sort().join(","),
        width || "",
        height || "",
        // `und` (undetermined) says nothing; cut to two letters it would look like a language.
        language === "und" ? "" : language.slice(0, 2).toLowerCase(),
        channels.split("/")[0],
        name.trim().toLowerCase(),
        numberForm(frameRate),
        videoRange.trim().toUpperCase(),
    ].join("-");
}

/** Lower case, and AVC in hexadecimal: `avc1.66.30` is `avc1.42001e` (RFC 6381). */
function codecForm(codec: string): string {
    const hex = (text: string) => Number(text).toString(16).padStart(2, "0");
    const form = codec.trim().toLowerCase();
    return form.replace(DECIMAL_AVC, (_, kind, profile, level) => `${kind}.${hex(profile)}00${hex(level)}`);
}

/** The number as JavaScript writes it; nothing for what is none. */
export function numberForm(text: string): string {
    const number = Number(text);
    return text === "" || Number.isNaN(number) ? "" : String(number);
}
