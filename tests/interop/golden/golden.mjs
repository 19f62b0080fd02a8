// @ts-check
// One case, seen by all three generations.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { watch } from './browser.mjs';
import { isDash, requested } from './cases.mjs';
import { nameSwarm, shortId } from './names.mjs';
import { documentAt, FIXTURES } from './server.mjs';
import * as v3 from './v3.mjs';

/**
 * @typedef {object} GoldenStream
 * @property {'main' | 'secondary'} kind
 * @property {string} [url] HLS: the media playlist
 * @property {string} [representation] DASH: its id
 * @property {string} identity its part of the swarm's name
 * @property {string} swarm the text that is hashed
 * @property {string} info_hash the 20 characters for the tracker
 * @property {[number, string][]} segments number on the wire, address and, with a `|`, first and last byte
 */

const MADE_BY = {
  hls: {
    v2_index: 'p2p-media-loader-hlsjs 2.2.2 with hls.js 1.7.4 in Chromium',
    v2: 'p2p-media-loader-hlsjs 2.3.1 with hls.js 1.7.4 in Chromium',
    v3: 'the rules of p2p-media-loader 5.0.0 over m3u8-parser 7.2.0',
  },
  dash: {
    v2_index: 'p2p-media-loader-shaka 2.2.2 with shaka-player 4.16.50 in Chromium',
    v2:
      'identities: p2p-media-loader-core 2.3.1 over the properties that its adapter for Shaka ' +
      'takes of shaka-player 4.16.50; segments: as v2_index, whose numbering it kept',
    v3: 'the rules of p2p-media-loader 5.0.0 over mpd-parser 1.4.0',
  },
};

/**
 * @param {import('playwright-core').Browser} browser
 * @param {import('./cases.mjs').Case} it
 */
export async function makeGolden(browser, it) {
  const views = isDash(it) ? await dashViews(browser, it) : await hlsViews(browser, it);
  const address = requested(it);
  return {
    requested: address,
    ...documentAt(address),
    clock: it.clock,
    playlists: isDash(it) ? undefined : playlistsOf(Object.values(views)),
    ...views,
  };
}

/**
 * @param {import('playwright-core').Browser} browser
 * @param {import('./cases.mjs').Case} it
 */
async function hlsViews(browser, it) {
  const by = async (/** @type {'v2' | 'v2_index'} */ generation) => {
    const { swarmId, streams } = await watch(browser, generation, it);
    // An audio track that its variant carries has no playlist; the engine keeps it all the same.
    const apart = streams.filter(({ runtimeId }) => runtimeId);
    const seen = apart.map((stream) => ({ url: stream.runtimeId, ...named(generation, swarmId, stream) }));
    return view(MADE_BY.hls[generation], swarmId, seen);
  };
  const { answered, file } = documentAt(requested(it));
  const swarmId = withoutQuery(requested(it));
  const streams = v3.nameSwarms(swarmId, v3.hlsStreams(textOf(file), answered)).map(({ key, segments, ...name }) => {
    const playlist = documentAt(key);
    return { url: key, ...name, segments: v3.hlsSegments(textOf(playlist.file), playlist.answered) };
  });
  return {
    v2_index: await by('v2_index'),
    v2: await by('v2'),
    v3: view(MADE_BY.hls.v3, swarmId, streams),
  };
}

/**
 * @param {import('playwright-core').Browser} browser
 * @param {import('./cases.mjs').Case} it
 */
async function dashViews(browser, it) {
  const seen = await watch(browser, 'v2_index', it);
  const ofStream = new Map(
    (seen.variants ?? []).flatMap(({ video, audio }) => [video, audio].filter(Boolean)).map((of) => [of.runtimeId, of]),
  );
  const by = (/** @type {'v2' | 'v2_index'} */ generation, /** @type {any[]} */ streams) =>
    view(
      MADE_BY.dash[generation],
      seen.swarmId,
      streams.map((stream) => ({
        representation: ofStream.get(stream.runtimeId)?.representation,
        ...named(generation, seen.swarmId, stream),
      })),
    );
  const { answered, file } = documentAt(requested(it));
  const swarmId = withoutQuery(requested(it));
  const now = it.clock ? Date.parse(it.clock) : 0;
  const bytesAt = (/** @type {string} */ url) => readFileSync(join(FIXTURES, documentAt(url).file));
  const streams = v3.nameSwarms(swarmId, v3.dashStreams(textOf(file), answered, { now, bytesAt }));
  return {
    v2_index: by('v2_index', seen.streams),
    v2: by('v2', seen.streams.map((stream) => ({ ...stream, index: shakaIdentity(stream, seen.variants ?? []) }))),
    v3: view(
      MADE_BY.dash.v3,
      swarmId,
      streams.map(({ key, ...stream }) => ({ representation: key, ...stream })),
    ),
  };
}

/**
 * The identity that 2.3's adapter for Shaka gives a stream: by the first variant that has it.
 * @param {import('./browser.mjs').SeenStream} stream
 * @param {any[]} variants
 */
function shakaIdentity({ runtimeId }, variants) {
  const variant = variants.find(({ video, audio }) => [video?.runtimeId, audio?.runtimeId].includes(runtimeId));
  const { bandwidth: bitrate, video, audio } = variant;
  if (video?.runtimeId === runtimeId) {
    const { codecs, width, height, frameRate, hdr: videoRange } = video;
    const own = { codecs: withoutAudio(codecs), width, height, frameRate, videoRange };
    return shortId({ bitrate, ...(bitrate !== 0 && own) });
  }
  if (!video) return shortId({ bitrate });
  const { codecs, language, channelsCount: channels, label, representation } = audio;
  return shortId({ bitrate: 0, codecs, language, channels, name: label ?? representation });
}

/** A muxed stream's codecs of video; these prefixes are what 2.3's adapter takes for audio. */
function withoutAudio(/** @type {string | undefined} */ codecs) {
  const audio = /^(mp4a|ac-3|ec-3|ec\+3|opus|vorb|flac)/;
  const list = (codecs ?? '').split(',').map((codec) => codec.trim().toLowerCase());
  return list.filter((codec) => !audio.test(codec)).join(',');
}

/**
 * @param {'v2' | 'v2_index'} generation
 * @param {string} swarmId
 * @param {import('./browser.mjs').SeenStream} stream
 */
function named(generation, swarmId, { type, index, segments }) {
  return { kind: type, identity: String(index), ...nameSwarm(generation, swarmId, { type, index }), segments };
}

/**
 * @param {string} made_by
 * @param {string} swarm_id
 * @param {any[]} streams
 */
const view = (made_by, swarm_id, streams) => ({ made_by, swarm_id, streams });

/** Where each stream's media playlist comes from. */
function playlistsOf(/** @type {{ streams: any[] }[]} */ views) {
  const urls = new Set(views.flatMap(({ streams }) => streams.map(({ url }) => url)));
  return Object.fromEntries([...urls].map((url) => [url, documentAt(url)]));
}

/** As 5.x makes a swarm id of the address that was asked for. */
const withoutQuery = (/** @type {string} */ url) => url.split('?')[0];

const textOf = (/** @type {string} */ file) => readFileSync(join(FIXTURES, file), 'utf8');
