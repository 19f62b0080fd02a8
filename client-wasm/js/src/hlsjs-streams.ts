// hls.js's levels, audio tracks and fragments as streams and segments. Which properties name a
// stream, and which number a segment has, follow p2p-media-loader-hlsjs 2.3.1: its pages and ours
// must agree.

import type { Fragment, LevelDetails, LevelParsed, ManifestLoadedData, MediaPlaylist } from "hls.js";
import type { Core } from "./core.js";
import { numberForm } from "./identity.js";
import type { ListedSegment } from "./streams.js";
import type { ByteRange, Stream } from "./types.js";

type Level = LevelParsed & { maxBitrate?: number };

/** Codecs as p2p-media-loader 5.0 tells them apart, by how they begin (vhs-utils 4.1, `codecs.js`). */
const VIDEO = /^(av0?1|avc0?[1-4]|vp0?[89]|hvc1|hev1|theora|mp4v)/i;
const AUDIO = /^(mp4a|flac|vorbis|opus|ac-[34]|ec-3|alac|mp3|speex|aac)/i;

/** The streams of a manifest. */
export function streamsOf({ levels, audioTracks }: Pick<ManifestLoadedData, "levels" | "audioTracks">): Stream[] {
    return [
        ...named(levels.map((level) => [mainStream(level), mainText(level), level.attrs["BANDWIDTH"]])),
        ...named(audioTracks.map((track) => [secondaryStream(track), secondaryText(track, levels), ""])),
    ];
}

/**
 * Adds what other generations know the streams by. 5.x counts the bitrate only where nothing else tells two
 * streams apart, as some packagers change it all the time.
 */
function named(streams: [stream: Stream, text: string | undefined, bitrate: string | undefined][]): Stream[] {
    const isTwin = (text?: string) => streams.filter(([, other]) => other === text).length > 1;
    return streams.map(([stream, text, bitrate], index) => ({
        ...stream,
        index,
        asWritten: text === undefined ? text : `${isTwin(text) && Number(bitrate) || 0}-${text}`,
    }));
}

function mainText({ attrs, width, height }: Level): string {
    const { CODECS: codecs, "FRAME-RATE": frameRate = "", "VIDEO-RANGE": videoRange = "" } = attrs;
    return [codecsOf(codecs, VIDEO), width || "", height || "", "", "", "", numberForm(frameRate), videoRange].join("-");
}

/** Nothing for an audio track that no variant names. */
function secondaryText({ attrs, groupId }: MediaPlaylist, levels: readonly Level[]): string | undefined {
    const group = levels.filter((level) => level.attrs["AUDIO"] === groupId);
    const codecs = group.map((level) => codecsOf(level.attrs["CODECS"], AUDIO)).find(Boolean) ?? "";
    const { LANGUAGE: language = "", CHANNELS: channels = "", NAME: name = "" } = attrs;
    return group.length > 0 ? [codecs, "", "", language, channels, name, "", ""].join("-") : undefined;
}

function codecsOf(codecs: string | undefined, wanted: RegExp): string {
    const list = (codecs ?? "").split(",").map((codec) => codec.trim());
    return list.filter((codec) => wanted.test(codec)).join(",");
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
function mainStream(level: Level): Stream {
    const bitrate = level.maxBitrate ?? level.bitrate;
    const { videoCodec: codecs, width, height, attrs } = level;
    const frameRate = attrs["FRAME-RATE"];
    const videoRange = attrs["VIDEO-RANGE"];
    const described = { bitrate, codecs, width, height, frameRate, videoRange };
    const properties = bitrate === 0 ? { bitrate } : described;
    return { runtimeId: firstOf(level.url) ?? "", type: "main", properties };
}

function secondaryStream({ url, audioCodec, lang, channels, name }: MediaPlaylist): Stream {
    const properties = { bitrate: 0, codecs: audioCodec, language: lang, channels, name };
    return { runtimeId: firstOf(url) ?? "", type: "secondary", properties };
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
