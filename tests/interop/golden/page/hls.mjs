// In the browser: what an engine of p2p-media-loader knows of an HLS stream once hls.js has
// visited every level and audio track.

import Hls from 'hls.js';
import { HlsJsP2PEngine } from 'p2p-media-loader-hlsjs';
import { snapshot, until } from './engine.mjs';

/** A playlist that did not come within this time does not come. */
const PLAYLIST_MS_MAX = 5_000;

window.readHls = async (url) => {
  const engine = new HlsJsP2PEngine({ core: { announceTrackers: [] } });
  const hls = new Hls({ ...engine.getConfigForHlsJs(), enableWorker: false });
  engine.bindHls(hls);
  const parsed = new Promise((done, fail) => {
    hls.on(Hls.Events.MANIFEST_PARSED, done);
    hls.on(Hls.Events.ERROR, (_, { fatal, details }) => fatal && fail(new Error(details)));
  });
  hls.loadSource(url);
  await parsed;
  const failed = new Set();
  hls.on(Hls.Events.ERROR, (_, { details, context }) => context && failed.add(context.url));
  const arrival = (list, index) =>
    until(() => list()[index]?.details || failed.has(list()[index]?.url), PLAYLIST_MS_MAX);
  for (let level = 0; level < hls.levels.length; level += 1) {
    hls.loadLevel = level;
    await arrival(() => hls.levels, level);
    for (let track = 0; track < hls.audioTracks.length; track += 1) {
      if (!hls.audioTracks[track].url) continue;
      hls.audioTrack = track;
      await arrival(() => hls.audioTracks, track);
    }
  }
  const seen = snapshot(engine.core);
  hls.destroy();
  return seen;
};
