// What a stream's swarm is called on the tracker: p2p-media-loader 2.3 to 4.x names streams by a hash of what
// the manifest says of them, brought into one form. `core/model` does the same in Rust for the seeder; the form
// is made of JavaScript's own ways with letters and numbers, which here come for nothing
// (docs/decisions/wasm.md).

import { sha1Base64 } from "./sha1.js";
import type { Stream, StreamProperties } from "./types.js";

/** Codecs of AVC in decimal, as old manifests write them: profile and level. */
const DECIMAL_AVC = /^(avc1?)\.(0|-?[1-9]\d*)\.(0|-?[1-9]\d*)$/;

/** Characters of a swarm's name. */
const INFO_HASH_LENGTH = 20;

/** The swarm's name on the tracker. */
export function infoHash(swarmId: string, { type, properties }: Stream): string {
    const identity = sha1Base64(identityText(properties));
    return sha1Base64(`v2-${swarmId}-${type}-${identity}`).slice(0, INFO_HASH_LENGTH);
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

function numberForm(text: string): string {
    const number = Number(text);
    return text === "" || Number.isNaN(number) ? "" : String(number);
}
