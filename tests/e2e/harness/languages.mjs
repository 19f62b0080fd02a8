// @ts-check
// A clip whose sound is apart from the picture, in two languages.

import { join } from 'node:path';
import { prepare, readSegments } from './media.mjs';
import { SEGMENT_S, VOD_SEGMENTS } from './settings.mjs';

/** The first one is what a player takes unless told otherwise. */
export const LANGUAGES = ['en', 'de'];

const FRAME_RATE = 15;
const GROUP = 'sound';

const ENCODER_ARGUMENTS = [
  ...['-hide_banner', '-loglevel', 'error'],
  ...['-f', 'lavfi', '-i', `testsrc2=size=320x180:rate=${FRAME_RATE}`],
  // One tone for each language.
  ...['-f', 'lavfi', '-i', 'sine=frequency=330:sample_rate=48000', '-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000'],
  ...['-t', `${VOD_SEGMENTS * SEGMENT_S}`, '-map', '0:v', '-map', '1:a', '-map', '2:a'],
  ...['-c:v', 'libx264', '-preset', 'veryfast', '-profile:v', 'main', '-level:v', '3.0', '-pix_fmt', 'yuv420p'],
  ...['-b:v', '600k', '-maxrate:v', '600k', '-bufsize:v', '600k', '-x264-params', 'nal-hrd=cbr', '-sc_threshold', '0'],
  ...['-g', `${FRAME_RATE * SEGMENT_S}`, '-keyint_min', `${FRAME_RATE * SEGMENT_S}`],
  // Sound loud enough in bytes that a segment is more than one chunk of the peer protocol.
  ...['-c:a', 'aac', '-ac', '2', '-b:a', '320k'],
  ...['-f', 'hls', '-hls_time', `${SEGMENT_S}`, '-hls_list_size', '0', '-hls_playlist_type', 'vod'],
  ...['-var_stream_map', 'v:0 a:0 a:1', '-hls_segment_filename', '%v/%05d.ts', '%v/index.m3u8'],
];

/** Makes the clip, or finds the one made before. */
export function prepareLanguages() {
  return prepare(ENCODER_ARGUMENTS, read);
}

async function read(/** @type {string} */ folder) {
  const [picture, ...sounds] = await Promise.all(['0', '1', '2'].map((name) => readSegments(join(folder, name))));
  const media = (/** @type {string} */ language, /** @type {number} */ i) =>
    `TYPE=AUDIO,GROUP-ID="${GROUP}",NAME="${language}",LANGUAGE="${language}",AUTOSELECT=YES,DEFAULT=${i === 0 ? 'YES' : 'NO'}`;
  return {
    video: {
      attributes: `BANDWIDTH=1200000,RESOLUTION=320x180,CODECS="avc1.4d401e,mp4a.40.2",AUDIO="${GROUP}"`,
      segments: picture,
    },
    audio: sounds.map((segments, i) => ({ attributes: media(LANGUAGES[i], i), segments })),
  };
}
