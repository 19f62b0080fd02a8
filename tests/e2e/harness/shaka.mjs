// @ts-check
// Viewers with Shaka Player, and the streams they play.

import { CmafStream } from './cmaf-stream.mjs';
import { WINDOW_SEGMENTS } from './mpd.mjs';
import { clientEntry } from './site.mjs';
import { stage } from './stage.mjs';

/**
 * @typedef {import('./scenario.mjs').Scene} Scene
 * @typedef {import('./scenario.mjs').Choice} Choice
 * @typedef {import('./stream.mjs').Stream} Stream
 */

/** Builds of Shaka Player: the latest of each major version, and one with controls. */
export const SHAKA = {
  4: '/shaka-4/shaka-player.compiled.js',
  5: '/shaka-5/shaka-player.compiled.js',
  ui: '/shaka-5/shaka-player.ui.js',
};

/** @typedef {keyof typeof SHAKA} Version */

/**
 * How a stream's segments are listed: `ts` is HLS with MPEG-TS, the others as in `CmafStream`.
 * @typedef {'ts' | import('./cmaf-stream.mjs').Shape} Shape
 */

/**
 * A stream of this scenario alone.
 * @param {Scene} scene
 * @param {Shape} shape
 * @param {Omit<import('./cmaf-stream.mjs').CmafOptions, 'shape'>} options
 */
export async function publish(scene, shape, options) {
  if (shape === 'ts') {
    const { renditions } = await stage.origin();
    const one = { renditions: renditions.slice(0, 1) };
    return options.live ? scene.live({ ...one, window: WINDOW_SEGMENTS }) : scene.vod(options.segments, one);
  }
  const clip = await stage.cmaf();
  return scene.publish((name, originUrl) => new CmafStream(name, clip, { shape, ...options }, originUrl));
}

/**
 * What may be chosen for a viewer with Shaka Player: `player` is more of its configuration.
 * @typedef {Omit<Choice, 'hls'> & { player?: object }} ShakaChoice
 */

/**
 * A viewer with our engine.
 * @param {Scene} scene
 * @param {Version} version
 * @param {Stream} stream
 * @param {ShakaChoice} [choice]
 */
export const ours = (scene, version, stream, { player, ...choice } = {}) =>
  scene.open(`shaka${version}`, clientEntry('shaka'), stream, { ...choice, hls: player, library: SHAKA[version] });

/**
 * A viewer with unmodified p2p-media-loader, which is of version 2.2.2 for Shaka Player.
 * @param {Scene} scene
 * @param {Stream} stream
 * @param {ShakaChoice} [choice]
 */
export const p2pml = (scene, stream, { player, ...choice } = {}) =>
  scene.open('shakap2pml', 'p2p-media-loader-shaka', stream, { ...choice, hls: player, library: SHAKA[4] });

/**
 * A viewer with nothing but Shaka Player.
 * @param {Scene} scene
 * @param {Version} version
 * @param {Stream} stream
 * @param {ShakaChoice} [choice]
 */
export const plain = (scene, version, stream, { player, ...choice } = {}) =>
  scene.open(`plain${version}`, '', stream, { ...choice, hls: player, library: SHAKA[version] });
