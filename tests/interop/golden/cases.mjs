// @ts-check
// The manifests that every generation of clients reads, and how each is served.
//
// A case is a folder of `tests/fixtures/golden`; its documents are served under `/<case>/`.

/** Every address in the golden files begins with it; the browser is told where it really is. */
export const ORIGIN = 'http://media.example';

/**
 * @typedef {object} Case
 * @property {string} name the folder, and the golden file without its `.json`
 * @property {string} path what a viewer asks for, without the origin
 * @property {string} [clock] what the time is for this viewer, so that live windows hold still
 * @property {Record<string, string>} [redirects] path asked for: path answered
 * @property {Record<string, string>} [files] decoded path: file, where they differ. Names of files stay ASCII.
 */

/** @type {Case[]} */
const HLS = [
  { name: 'hls-live', path: '/master.m3u8' },
  { name: 'hls-low-latency', path: '/master.m3u8' },
  { name: 'hls-vod-sequence', path: '/master.m3u8' },
  { name: 'hls-event', path: '/master.m3u8' },
  { name: 'hls-byte-ranges', path: '/master.m3u8' },
  { name: 'hls-alternate-audio', path: '/master.m3u8' },
  { name: 'hls-audio-apart', path: '/master.m3u8' },
  { name: 'hls-audio-only', path: '/master.m3u8' },
  { name: 'hls-media-only', path: '/index.m3u8?token=1' },
  { name: 'hls-angles', path: '/master.m3u8' },
  { name: 'hls-define', path: '/master.m3u8' },
  { name: 'hls-odd-properties', path: '/master.m3u8' },
  { name: 'hls-query', path: '/master.m3u8?token=a%2Fb&quality=high?&x#t=30' },
  {
    name: 'hls-redirect',
    path: '/start.m3u8?viewer=7',
    redirects: {
      '/start.m3u8': '/cdn-7/master.m3u8?session=1',
      '/cdn-7/high/index.m3u8': '/cdn-8/high/index.m3u8',
    },
  },
  {
    name: 'hls-non-ascii',
    path: '/Каталог/%D0%BC%d0%b0стер%20%7e.m3u8?токен=1',
    files: {
      '/Каталог/мастер ~.m3u8': 'master.m3u8',
      '/Каталог/a b/cé.m3u8': 'percent.m3u8',
      '/Каталог/é ü.m3u8': 'plain.m3u8',
      '/Каталог/звук.m3u8': 'audio.m3u8',
    },
  },
];

/** When the live DASH streams are watched: 100 s after they began. */
const NOON = '2026-05-01T12:01:40Z';

/** @type {Case[]} */
const DASH = [
  { name: 'dash-number', path: '/manifest.mpd' },
  { name: 'dash-time', path: '/manifest.mpd' },
  { name: 'dash-list', path: '/manifest.mpd' },
  { name: 'dash-base', path: '/manifest.mpd' },
  { name: 'dash-periods', path: '/manifest.mpd' },
  { name: 'dash-odd-properties', path: '/manifest.mpd' },
  { name: 'dash-live-timeline', path: '/manifest.mpd?token=1', clock: NOON },
  { name: 'dash-live-number', path: '/manifest.mpd', clock: NOON },
  { name: 'dash-live-periods', path: '/manifest.mpd', clock: NOON },
  {
    name: 'dash-redirect',
    path: '/start.mpd?viewer=7',
    redirects: { '/start.mpd': '/cdn-7/manifest.mpd?session=1' },
  },
];

export const CASES = [...HLS, ...DASH];

/** The address a viewer of the case asks for. */
export const requested = (/** @type {Case} */ it) => `${ORIGIN}/${it.name}${it.path}`;

/** Whether the case is DASH; else it is HLS. */
export const isDash = (/** @type {Case} */ it) => it.name.startsWith('dash-');
