// hls.js's levels, audio tracks and fragments as streams and segments. Which properties name a
// stream, and which number a segment has, follow p2p-media-loader-hlsjs 2.3.1: its pages and ours
// must agree.

import type { Fragment, LevelDetails, LevelParsed, ManifestLoadedData, MediaPlaylist } from "hls.js";
import type { Core } from "./core.js";
import type { ListedSegment } from "./streams.js";
import type { ByteRange, Stream } from "./types.js";

type Level = LevelParsed & { maxBitrate?: number };

/** The streams of a manifest. */
export function streamsOf({ levels, audioTracks }: Pick<ManifestLoadedData, "levels" | "audioTracks">): Stream[] {
    return [...levels.map(mainStream), ...audioTracks.map((track, index) => secondaryStream(track, index, levels))];
}

/** Tells the core what a playlist lists. hls.js calls the playlist by the URL it asked for. */
export function listFragments(
    core: Core,
    details: LevelDetails,
    playlistUrl: string | string[] | undefined,
): void {
    const name = [details.url, firstOf(playlistUrl)].find((url) => url && core.hasStream(url));
    if (name === undefined) {
        return;
    }
    const known = new Map(core.getSegments(name).map((segment) => [segment.runtimeId, segment]));
    // Gaps are no segments, but they count.
    const segments = details.fragments.flatMap((fragment, index) =>
        fragment && !fragment.gap ? [segmentOf(fragment, details.live, index, known)] : [],
    );
    core.setSegments(name, segments, details.live);
}

/** A fragment's name: its URL, with its bytes when it is a part of a file. */
export function runtimeIdOf(fragment: Fragment): string {
    const range = rangeOf(fragment);
    return range ? `${fragment.url}|${range.start}-${range.end}` : fragment.url;
}

/**
 * A playlist without a manifest has the bitrate 0, and then nothing else counts either. Without any
 * number for it (`NaN`) the rest does.
 */
function mainStream(level: Level, index: number): Stream {
    const bitrate = level.maxBitrate ?? level.bitrate;
    const { videoCodec: codecs, width, height, attrs } = level;
    const frameRate = attrs["FRAME-RATE"];
    const videoRange = attrs["VIDEO-RANGE"];
    const properties = bitrate === 0 ? { bitrate } : { bitrate, codecs, width, height, frameRate, videoRange };
    return { runtimeId: firstOf(level.url) ?? "", type: "main", index, properties, written: { attrs, variants: [attrs] } };
}

function secondaryStream(track: MediaPlaylist, index: number, levels: readonly Level[]): Stream {
    const { url, audioCodec: codecs, lang: language, channels, name, groupId, attrs } = track;
    const properties = { bitrate: 0, codecs, language, channels, name };
    const variants = levels.filter((level) => level.attrs["AUDIO"] === groupId).map((level) => level.attrs);
    return { runtimeId: firstOf(url) ?? "", type: "secondary", index, properties, written: { attrs, variants } };
}

/**
 * The number counts the media sequence while live and the index on demand. When a live stream ends,
 * segments that have a number keep it.
 */
function segmentOf(
    fragment: Fragment,
    live: boolean,
    index: number,
    known: ReadonlyMap<string, ListedSegment>,
): ListedSegment {
    const sequence = Number(fragment.sn);
    const runtimeId = runtimeIdOf(fragment);
    const byteRange = rangeOf(fragment);
    return {
        runtimeId,
        sequence,
        externalId: live ? sequence : (known.get(runtimeId)?.externalId ?? index),
        url: fragment.url,
        onAir: fragment.programDateTime,
        ...(byteRange && { byteRange }),
        startTime: fragment.start,
        endTime: fragment.start + fragment.duration,
    };
}

/** hls.js's end is one past the last byte, ours is the last. */
function rangeOf({ byteRangeStartOffset: start, byteRangeEndOffset: end }: Fragment): ByteRange | undefined {
    return start !== undefined && end !== undefined && start < end ? { start, end: end - 1 } : undefined;
}

/** Levels have one URL, or several in other versions of hls.js. */
function firstOf(url: string | readonly string[] | undefined): string | undefined {
    return typeof url === "string" ? url : url?.[0];
}
