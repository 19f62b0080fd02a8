// @ts-check
// Streams of the clip in fragmented MP4, listed by HLS or by one of the ways of DASH.

import { KEY, KEY_ID } from './cenc.mjs';
import { FIRST_NUMBER, WINDOW_SEGMENTS, mpd, startOf } from './mpd.mjs';
import { SEGMENT_S } from './settings.mjs';
import { Stream } from './stream.mjs';

/** @typedef {import('./cmaf.mjs').Track} Track */

/** @typedef {'hls' | 'number' | 'timeline' | 'sidx'} Shape how segments are listed; `sidx`: as ranges, on demand only */

/**
 * @typedef {object} CmafOptions
 * @property {Shape} shape
 * @property {boolean} live
 * @property {boolean} [periods] several of them, each of `PERIOD_SEGMENTS`
 * @property {boolean} [encrypted] the sound is, with a key from the origin
 * @property {boolean} [ladder] the picture in all its renditions
 * @property {number} [segments] how many a stream on demand has
 */

/** Unless a scenario wants more. */
const SEGMENTS = 40;

/** So many segments are there a little before the manifest says so: clocks differ. */
const EARLY_SEGMENTS = 1;

export class CmafStream extends Stream {
  /** @type {{ viewer: string, keyIds: string[] }[]} licences that were asked for */
  licences = [];

  /**
   * @param {string} name
   * @param {import('./cmaf.mjs').CmafClip} clip
   * @param {CmafOptions} options
   * @param {string} originUrl
   */
  constructor(name, clip, options, originUrl) {
    super(name, { live: options.live, renditions: [], segments: options.segments ?? SEGMENTS }, originUrl);
    this.options = options;
    const sound = options.encrypted ? clip.encryptedSound : clip.sound;
    /** @type {Track[]} */
    this.tracks = [...clip.pictures.slice(0, options.ladder ? undefined : 1), sound];
    if (options.shape !== 'hls') this.manifestUrl = `${this.baseUrl}/manifest.mpd`;
    this.oneFile = options.shape === 'sidx';
  }

  /** When the first segment began to be made. */
  get epochMs() {
    return this.startedAt - (this.live ? WINDOW_SEGMENTS * SEGMENT_S * 1000 : 0);
  }

  /** The segments that are listed: from, and to excluded. */
  get listed() {
    if (!this.live) return [0, this.segmentCount];
    const made = Math.floor((Date.now() - this.epochMs) / (SEGMENT_S * 1000));
    if (made > this.tracks[0].segments.length) throw new Error('the clip is over');
    return [made - WINDOW_SEGMENTS, made];
  }

  /**
   * @param {string} path
   * @override
   */
  manifest(path) {
    if (path === 'time') return new Date().toISOString();
    if (path === 'manifest.mpd') return this.options.shape === 'hls' ? null : mpd(this);
    if (this.options.shape !== 'hls') return null;
    if (path === 'master.m3u8') return this.#master();
    const track = this.#trackOf(/^(\d+)\/index\.m3u8$/.exec(path)?.[1]);
    return track ? this.#playlist(track) : null;
  }

  /**
   * @param {string} path
   * @param {number} from
   * @override
   */
  segment(path, from) {
    const [, id, name, kind] = /^(\d+)(?:\/(init|t?\d+))?\.(mp4|m4s)$/.exec(path) ?? [];
    const track = this.#trackOf(id);
    if (!track) return null;
    if (name === undefined) return kind === 'mp4' && this.oneFile ? pieceAt(track, from) : null;
    if (name === 'init') return { segment: track.init, base: 0 };
    const i = name.startsWith('t') ? track.segments.findIndex((_, at) => `t${startOf(track, at)}` === name) : Number(name) - FIRST_NUMBER;
    const segment = i < this.listed[1] + EARLY_SEGMENTS ? track.segments[i] : undefined;
    return segment ? { segment, base: 0 } : null;
  }

  /**
   * What a licence server says (W3C Encrypted Media Extensions, 9.1.3 and 9.1.4).
   * @param {string} body
   * @param {string} viewer
   * @override
   */
  licence(body, viewer) {
    const { kids } = JSON.parse(body);
    this.licences.push({ viewer, keyIds: kids });
    const key = { kty: 'oct', kid: KEY_ID.toString('base64url'), k: KEY.toString('base64url') };
    return JSON.stringify({ keys: [key], type: 'temporary' });
  }

  /** @returns {Track | undefined} */
  #trackOf(/** @type {string | undefined} */ id) {
    return this.tracks.find((track) => track.id === id);
  }

  #master() {
    const pictures = this.tracks.filter(({ type }) => type === 'video');
    const [sound] = this.tracks.filter(({ type }) => type === 'audio');
    const lines = ['#EXTM3U', '#EXT-X-VERSION:7', '#EXT-X-INDEPENDENT-SEGMENTS'];
    const channels = 'LANGUAGE="en",CHANNELS="2"';
    lines.push(`#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="sound",NAME="en",${channels},DEFAULT=YES,AUTOSELECT=YES,URI="${sound.id}/index.m3u8"`);
    for (const { id, attributes } of pictures) {
      const of = (/** @type {string} */ name) => new RegExp(`${name}="([^"]*)"`).exec(attributes)?.[1];
      const codecs = `CODECS="${of('codecs')},mp4a.40.2"`;
      const size = `RESOLUTION=${of('width')}x${of('height')}`;
      lines.push(`#EXT-X-STREAM-INF:BANDWIDTH=${Number(of('bandwidth')) + 160_000},${codecs},${size},AUDIO="sound"`, `${id}/index.m3u8`);
    }
    return `${lines.join('\n')}\n`;
  }

  #playlist(/** @type {Track} */ { segments }) {
    const [from, to] = this.listed;
    const lines = ['#EXTM3U', '#EXT-X-VERSION:7', `#EXT-X-TARGETDURATION:${SEGMENT_S}`];
    lines.push(`#EXT-X-MEDIA-SEQUENCE:${FIRST_NUMBER + from}`, '#EXT-X-MAP:URI="init.mp4"');
    if (this.live) lines.push(`#EXT-X-PROGRAM-DATE-TIME:${new Date(this.epochMs + from * SEGMENT_S * 1000).toISOString()}`);
    for (let i = from; i < to; i++) lines.push(`#EXTINF:${segments[i].duration},`, `${FIRST_NUMBER + i}.m4s`);
    if (!this.live) lines.push('#EXT-X-ENDLIST');
    return `${lines.join('\n')}\n`;
  }
}

/** The piece of the track's file in which that byte lies. */
function pieceAt(/** @type {Track} */ { init, index, segments }, /** @type {number} */ from) {
  const piece = [init, index, ...segments].find(({ at = 0, bytes }) => from < at + bytes);
  return piece ? { segment: piece, base: piece.at ?? 0 } : null;
}
