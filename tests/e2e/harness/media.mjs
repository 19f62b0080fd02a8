// @ts-check
// The media all scenarios play: one clip in several renditions, cut into MPEG-TS segments.
//
// It is encoded once and kept under `target/e2e-media`, in a folder named by the recipe. No encoder
// runs while players do.

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CLIP_S, MEDIA_DIR, SEGMENT_S } from './settings.mjs';

const run = promisify(execFile);

/** Frames per second: few, because software decoding in several pages is what a run costs. */
const FRAME_RATE = 15;

/** Where breaks begin, how long each is and where its segments are taken from. */
const BREAKS_AT = [5, 15, 25];
export const AD_SEGMENTS = 3;
const AD_AT = 50;

/** @typedef {{ size: string, kbps: number }} Rung one rendition to encode, sound apart */

/**
 * What most scenarios play. The main rendition's segments are about 170 KB: three chunks of the peer
 * protocol (65,535 bytes), the last one short.
 * @type {Rung[]}
 */
export const CLIP = [
  { size: '320x180', kbps: 600 },
  { size: '192x108', kbps: 250 },
];

/**
 * Three renditions for the player to choose from, each about twice the next.
 * @type {Rung[]}
 */
export const LADDER = [
  { size: '480x270', kbps: 1000 },
  { size: '320x180', kbps: 450 },
  { size: '192x108', kbps: 200 },
];

/** Constant bitrate, so that no segment is so small that it fits one chunk. */
const encoderArguments = (/** @type {Rung[]} */ rungs) => [
  ...['-hide_banner', '-loglevel', 'error'],
  ...['-f', 'lavfi', '-i', `testsrc2=size=${rungs[0].size}:rate=${FRAME_RATE}`],
  ...['-f', 'lavfi', '-i', 'sine=frequency=330:sample_rate=48000'],
  ...['-t', `${CLIP_S}`],
  ...rungs.flatMap(() => ['-map', '0:v', '-map', '1:a']),
  ...['-c:v', 'libx264', '-preset', 'veryfast', '-profile:v', 'main', '-level:v', '3.0'],
  ...['-pix_fmt', 'yuv420p', '-x264-params', 'nal-hrd=cbr', '-sc_threshold', '0'],
  ...['-g', `${FRAME_RATE * SEGMENT_S}`, '-keyint_min', `${FRAME_RATE * SEGMENT_S}`],
  ...rungs.flatMap(({ size, kbps }, i) => [
    ...[`-s:v:${i}`, size, `-b:v:${i}`, `${kbps}k`],
    ...[`-maxrate:v:${i}`, `${kbps}k`, `-bufsize:v:${i}`, `${kbps}k`],
  ]),
  ...['-c:a', 'aac', '-ac', '2', '-b:a', '48k'],
  ...['-f', 'hls', '-hls_time', `${SEGMENT_S}`, '-hls_list_size', '0', '-hls_playlist_type', 'vod'],
  ...['-var_stream_map', rungs.map((_, i) => `v:${i},a:${i}`).join(' '), '-master_pl_name', 'master.m3u8'],
  ...['-hls_segment_filename', '%v/%05d.ts', '%v/index.m3u8'],
];

/**
 * @typedef {{ duration: string, file: string, at?: number, bytes: number, sha256: string, breaks?: boolean }} Segment
 *   `duration` as ffmpeg wrote it, in seconds; `at`: where in the file it begins; `breaks`: it does not continue the one before.
 * @typedef {{ attributes: string, segments: Segment[] }} Rendition
 *   `attributes` are those of its EXT-X-STREAM-INF.
 */

/**
 * Makes the clip, or finds the one made before.
 * @param {Rung[]} rungs highest first
 * @returns {Promise<Rendition[]>} the renditions, highest first
 */
export function prepareMedia(rungs) {
  return prepare(encoderArguments(rungs), readRenditions);
}

/**
 * Encodes, or finds what was encoded before.
 * @template T
 * @param {string[]} args ffmpeg's
 * @param {(folder: string) => Promise<T>} read what came of it
 * @returns {Promise<T>}
 */
export async function prepare(args, read) {
  const recipe = createHash('sha256').update(args.join('\n')).digest('hex').slice(0, 16);
  const folder = join(MEDIA_DIR, recipe);
  const index = join(folder, 'index.json');
  try {
    return JSON.parse(await readFile(index, 'utf8'));
  } catch {
    await encode(folder, args);
    const found = await read(folder);
    await writeFile(index, JSON.stringify(found));
    return found;
  }
}

/** Encodes into a folder of its own and renames it, so that a broken-off run leaves no half clip. */
async function encode(/** @type {string} */ folder, /** @type {string[]} */ args) {
  const unfinished = `${folder}.${process.pid}`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { recursive: true });
  console.log(`encoding the test clip into ${folder}`);
  await run('ffmpeg', args, { cwd: unfinished });
  await rm(folder, { recursive: true, force: true });
  await rename(unfinished, folder);
}

/** @returns {Promise<Rendition[]>} */
async function readRenditions(/** @type {string} */ folder) {
  const master = await readFile(join(folder, 'master.m3u8'), 'utf8');
  const variants = [...master.matchAll(/#EXT-X-STREAM-INF:(.*)\n(.*)\n/g)];
  return Promise.all(
    variants.map(async ([, attributes, uri]) => ({
      attributes,
      segments: await readSegments(join(folder, uri, '..')),
    })),
  );
}

/**
 * The first rendition, interrupted by some segments of the second from elsewhere in the clip.
 * @param {Rendition[]} renditions
 */
export function withBreaks([{ segments: programme }, { segments: ad }]) {
  const mixed = [...programme];
  for (const at of BREAKS_AT) {
    mixed.splice(at, AD_SEGMENTS, ...ad.slice(AD_AT, AD_AT + AD_SEGMENTS));
    for (const edge of [at, at + AD_SEGMENTS]) mixed[edge] = { ...mixed[edge], breaks: true };
  }
  return mixed;
}

/** The content of a segment. */
export async function readSegment(/** @type {Segment} */ { file, at = 0, bytes }) {
  const handle = await open(file);
  try {
    const { buffer } = await handle.read(Buffer.alloc(bytes), 0, bytes, at);
    return buffer;
  } finally {
    await handle.close();
  }
}

/** @returns {Promise<Segment[]>} */
export async function readSegments(/** @type {string} */ folder) {
  const playlist = await readFile(join(folder, 'index.m3u8'), 'utf8');
  const entries = [...playlist.matchAll(/#EXTINF:([\d.]+),\n(.*)\n/g)];
  return Promise.all(
    entries.map(async ([, duration, name]) => {
      const file = join(folder, name);
      const content = await readFile(file);
      const sha256 = createHash('sha256').update(content).digest('hex');
      return { duration, file, bytes: content.byteLength, sha256 };
    }),
  );
}
