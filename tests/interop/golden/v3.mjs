// @ts-check
// What p2p-media-loader 5.0 makes of a manifest, derived.
//
// npm does not serve 5.x. It reads manifests with m3u8-parser and mpd-parser, which npm does serve
// and which upstream calls part of its wire format; what it makes of their values is documented
// (upstream's specs/segment-identity.md and specs/manifest-registry.md). Here those rules are
// written anew over the same parsers. Upstream's own golden vectors check the hashes
// (`identity.mjs`).

import { createHash } from 'node:crypto';
// @ts-expect-error: the package has no types
import { parseCodecs } from '@videojs/vhs-utils/cjs/codecs.js';
// @ts-expect-error: the package has no types
import { Parser } from 'm3u8-parser';
// @ts-expect-error: the package has no types
import { parse as parseMpd, parseUTCTiming } from 'mpd-parser';
import { readSidx } from './sidx.mjs';

/**
 * @typedef {Partial<Record<'bitrate' | 'codecs' | 'width' | 'height' | 'language' | 'channels' |
 *   'name' | 'frameRate' | 'videoRange', any>>} Properties
 * @typedef {{ kind: 'main' | 'secondary', key: string, properties: Properties, segments?: [number, string][] }} Stream
 *   `segments` are the ids and names of those the manifest itself lists.
 */

/** In the order in which they are hashed, after the bitrate. */
const FIELDS = /** @type {const} */ ([
  ...['codecs', 'width', 'height', 'language', 'channels', 'name', 'frameRate', 'videoRange'],
]);

const sha1 = (/** @type {string} */ text) => createHash('sha1').update(text, 'utf8').digest();

/** The stream's part of the swarm's name. */
export function identify(/** @type {Properties} */ properties) {
  const fields = FIELDS.map((field) => properties[field] ?? '');
  return sha1([properties.bitrate ?? 0, ...fields].join('-')).toString('base64');
}

/** What the tracker is told. */
export const hashSwarm = (/** @type {string} */ swarm) => sha1(swarm).subarray(0, 15).toString('base64');

/**
 * Names the swarms of all streams of one manifest. The bitrate counts only where two streams of a
 * kind would be the same without it.
 * @param {string} swarmId
 * @param {Stream[]} streams
 */
export function nameSwarms(swarmId, streams) {
  const plain = streams.map(({ kind, properties }) => `${kind} ${identify({ ...properties, bitrate: 0 })}`);
  const named = streams.map(({ kind, key, properties, segments }, place) => {
    const alone = plain.filter((other) => other === plain[place]).length === 1;
    const identity = identify(alone ? { ...properties, bitrate: 0 } : properties);
    const swarm = `v3-${swarmId}-${kind}-${identity}`;
    return { kind, key, identity, swarm, info_hash: hashSwarm(swarm), segments };
  });
  // The first of several with one address decides its identity.
  return named.filter(({ key }, place) => named.findIndex((other) => other.key === key) === place);
}

/** @returns {any} */
function parseM3u8(/** @type {string} */ text) {
  const parser = new Parser();
  parser.push(text);
  parser.end();
  return parser.manifest;
}

const resolve = (/** @type {string} */ uri, /** @type {string} */ base) => new URL(uri, base).href;

/** A segment's or a stream's codecs of one sort, as written. */
function codecsOf(/** @type {string | undefined} */ codecs, /** @type {'video' | 'audio'} */ sort) {
  const all = /** @type {any[]} */ (codecs ? parseCodecs(codecs) : []);
  const chosen = all.filter(({ mediaType }) => mediaType === sort);
  return chosen.map(({ type, details }) => type + details).join(',');
}

/** What tells a video stream from others. */
const videoProperties = (/** @type {any} */ attributes) => ({
  bitrate: attributes.BANDWIDTH,
  codecs: codecsOf(attributes.CODECS, 'video'),
  width: attributes.RESOLUTION?.width,
  height: attributes.RESOLUTION?.height,
  frameRate: attributes['FRAME-RATE'],
  videoRange: attributes['VIDEO-RANGE'],
});

/**
 * The streams of an HLS manifest; of a media playlist without one, the only stream, unidentified.
 * @param {string} text
 * @param {string} url where it came from
 * @returns {Stream[]}
 */
export function hlsStreams(text, url) {
  const { playlists = [], mediaGroups = {} } = parseM3u8(text);
  if (playlists.length === 0) return [{ kind: 'main', key: url, properties: {} }];
  const attributes = playlists.map((/** @type {any} */ playlist) => playlist.attributes);
  /** @type {Stream[]} */
  const streams = playlists.map((/** @type {any} */ playlist) => ({
    kind: 'main',
    key: resolve(playlist.uri, url),
    properties: videoProperties(playlist.attributes),
  }));
  const firstOf = (/** @type {string} */ type, /** @type {string} */ group, wanted = (/** @type {any} */ _) => true) =>
    attributes.find((/** @type {any} */ it) => it[type] === group && wanted(it));
  const add = (/** @type {string} */ type, /** @type {(group: string, name: string, rendition: any) => Omit<Stream, 'key'>} */ make) => {
    for (const [group, renditions] of Object.entries(mediaGroups[type] ?? {})) {
      if (!firstOf(type, group)) continue;
      for (const [name, rendition] of Object.entries(/** @type {Record<string, any>} */ (renditions))) {
        if (!rendition.uri) continue;
        const key = resolve(rendition.uri, url);
        if (streams.some((known) => known.key === key)) continue;
        streams.push({ key, ...make(group, name, rendition) });
      }
    }
  };
  add('VIDEO', (group, name, { language }) => {
    const properties = { ...videoProperties(firstOf('VIDEO', group)), name, language };
    return { kind: 'main', properties };
  });
  add('AUDIO', (group, name, { language }) => {
    const hasAudio = (/** @type {any} */ it) => codecsOf(it.CODECS, 'audio') !== '';
    const codecs = codecsOf(firstOf('AUDIO', group, hasAudio)?.CODECS, 'audio');
    const properties = { codecs, language, channels: channelsOf(text, group, name), name };
    return { kind: 'secondary', properties };
  });
  return streams;
}

/** CHANNELS of a rendition, which m3u8-parser does not keep. */
function channelsOf(/** @type {string} */ text, /** @type {string} */ group, /** @type {string} */ name) {
  const value = (/** @type {string} */ line, /** @type {string} */ key) =>
    new RegExp(`[:,]${key}="([^"]*)"`).exec(line)?.[1];
  const lines = text.split(/\r?\n/).filter((line) => line.startsWith('#EXT-X-MEDIA:TYPE=AUDIO,'));
  const own = lines.filter((line) => value(line, 'GROUP-ID') === group && value(line, 'NAME') === name);
  return own.map((line) => value(line, 'CHANNELS')).filter(Boolean).at(-1);
}

/**
 * The segments of a media playlist: the media sequence and each one's name.
 * @param {string} text
 * @param {string} url where it came from
 * @returns {[number, string][]}
 */
export function hlsSegments(text, url) {
  const { mediaSequence = 0, segments = [] } = parseM3u8(text);
  return distinct(
    segments.map((/** @type {any} */ { uri, byterange }, /** @type {number} */ place) => [
      mediaSequence + place,
      nameSegment(resolve(uri, url), byterange),
    ]),
  );
}

/**
 * The streams and segments of a DASH manifest.
 * @param {string} text
 * @param {string} url where it came from
 * @param {{ now: number, bytesAt: (url: string) => Uint8Array }} world the time, and files that hold indices
 * @returns {Stream[]}
 */
export function dashStreams(text, url, { now, bytesAt }) {
  const utc = parseUTCTiming(text);
  const NOW = utc?.method === 'DIRECT' ? utc.value : now;
  const { playlists, mediaGroups } = parseMpd(text, { manifestUri: url, NOW });
  const trick = trickModes(text);
  const idOf = (/** @type {any} */ { attributes, resolvedUri }) => attributes.NAME ?? resolvedUri;
  const listed = (/** @type {any} */ playlist) => ({ key: idOf(playlist), segments: dashSegments(playlist, bytesAt) });
  /** @type {Stream[]} */
  const streams = playlists.map((/** @type {any} */ playlist) => {
    // DASH's frame rate is as mpd-parser gives it; its manifest says nothing of a video range.
    const properties = { ...videoProperties(playlist.attributes), videoRange: undefined };
    return { kind: 'main', properties, ...listed(playlist) };
  });
  const groups = Object.values(mediaGroups.AUDIO ?? {}).flatMap((group) => Object.values(/** @type {any} */ (group)));
  for (const { language, playlists: renditions } of groups) {
    for (const rendition of renditions) {
      const id = idOf(rendition);
      const codecs = rendition.attributes.CODECS;
      const properties = { codecs, language, channels: dashChannels(text, id), name: rendition.attributes.NAME };
      streams.push({ kind: 'secondary', properties, ...listed(rendition) });
    }
  }
  return streams.filter(({ key }) => !trick.has(key));
}

/** Representations that are no ordinary playback. */
function trickModes(/** @type {string} */ text) {
  const sets = text.match(/<AdaptationSet[\s>][\s\S]*?<\/AdaptationSet>/g) ?? [];
  const marked = sets.filter((set) => set.includes('"http://dashif.org/guidelines/trickmode"'));
  return new Set(marked.flatMap((set) => [...set.matchAll(/<Representation\b[^>]*?\sid="([^"]*)"/g)].map(([, id]) => id)));
}

/** The channels of an audio Representation or else its AdaptationSet, in MPEG's own scheme. */
function dashChannels(/** @type {string} */ text, /** @type {string} */ id) {
  const sets = text.match(/<AdaptationSet[\s>][\s\S]*?<\/AdaptationSet>/g) ?? [];
  for (const set of sets) {
    const representations = set.match(/<Representation\s[^>]*?(\/>|>[\s\S]*?<\/Representation>)/g) ?? [];
    const own = representations.find((it) => /\sid="([^"]*)"/.exec(it)?.[1] === id);
    if (own === undefined) continue;
    const ofSet = set.replace(/<Representation\s[\s\S]*<\/Representation>|<Representation\s[^>]*\/>/g, '');
    return channelCount(own) ?? channelCount(ofSet);
  }
  return undefined;
}

function channelCount(/** @type {string} */ element) {
  const configurations = element.match(/<AudioChannelConfiguration\s[^>]*>/g) ?? [];
  const mpeg = configurations.filter((it) => it.includes('23003:3:audio_channel_configuration'));
  const counts = mpeg.map((it) => Number(/\svalue="([^"]*)"/.exec(it)?.[1]));
  return counts.find((count) => Number.isInteger(count) && count > 0);
}

/**
 * Tenths of seconds on the presentation timeline, and each segment's name.
 * @param {any} playlist
 * @param {(url: string) => Uint8Array} bytesAt
 */
function dashSegments({ segments, sidx, timeline }, bytesAt) {
  const id = (/** @type {number} */ time) => Math.round(time * 10);
  if (segments.length > 0 || !sidx) {
    return distinct(
      segments.map((/** @type {any} */ { presentationTime, resolvedUri, byterange }) => [
        id(presentationTime ?? 0),
        nameSegment(resolvedUri, byterange),
      ]),
    );
  }
  // The index gives durations; they add up from the period's beginning, whatever the index says of
  // where it begins.
  let time = sidx.timeline ?? timeline;
  const range = { start: sidx.byterange.offset, length: sidx.byterange.length };
  const bytes = bytesAt(sidx.resolvedUri).subarray(range.start, range.start + range.length);
  const { timescale, references } = readSidx(bytes, range.start);
  return distinct(
    references.map(({ offset, length, duration }) => {
      const name = nameSegment(sidx.resolvedUri, { offset, length });
      const listed = /** @type {[number, string]} */ ([id(time), name]);
      time += duration / timescale;
      return listed;
    }),
  );
}

/** The address and, for a part of a file, its first and last byte. */
const nameSegment = (/** @type {string} */ url, /** @type {{ offset: number, length: number } | undefined} */ range) =>
  range && range.length > 0 ? `${url}|${range.offset}-${range.offset + range.length - 1}` : url;

/** A name twice in a playlist is one segment, with the number of its last place. */
function distinct(/** @type {[number, string][]} */ segments) {
  const byName = new Map(segments.map(([id, name]) => [name, id]));
  return [...byName].map(([name, id]) => /** @type {[number, string]} */ ([id, name]));
}
