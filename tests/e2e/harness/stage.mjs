// @ts-check
// What all scenarios share: the clip, the origin, the site, one browser, a tracker and a STUN
// server. Each is started when first wanted and ended after the last scenario.

import { launchBrowser } from './browser.mjs';
import { prepareCmaf } from './cmaf.mjs';
import { prepareLanguages } from './languages.mjs';
import { preparePartedClip } from './low-latency.mjs';
import { CLIP, LADDER, prepareMedia } from './media.mjs';
import { Origin } from './origin.mjs';
import { startStun, startTracker } from './servers.mjs';
import { Site } from './site.mjs';
import { checkRenditions } from './stream.mjs';

/** @type {Map<string, Promise<any>>} */
const started = new Map();
/** @type {(() => unknown)[]} */
const endings = [];

/**
 * @template T
 * @param {string} name
 * @param {() => Promise<T>} start
 * @param {(thing: T) => unknown} end
 * @returns {() => Promise<T>} the one thing of this name
 */
function shared(name, start, end) {
  return () => {
    let thing = started.get(name);
    if (!thing) {
      thing = start();
      started.set(name, thing);
      thing.then(
        (ready) => endings.push(() => end(ready)),
        () => {},
      );
    }
    return thing;
  };
}

export const stage = {
  origin: shared('origin', startOrigin, (origin) => origin.stop()),
  /** Renditions of the clip for scenarios in which the player chooses. */
  ladder: shared('ladder', () => renditionsOf(LADDER), () => {}),
  /** A clip with its sound apart, in two languages. */
  languages: shared('languages', prepareLanguages, () => {}),
  /** A clip in fragmented MP4. */
  cmaf: shared('cmaf', prepareCmaf, () => {}),
  /** A clip cut into parts. */
  parts: shared('parts', preparePartedClip, () => {}),
  site: shared('site', startSite, (site) => site.stop()),
  browser: shared('browser', () => launchBrowser(), (browser) => browser.close()),
  tracker: shared('tracker', startTracker, (role) => role.stop()),
  stun: shared('stun', startStun, (role) => role.stop()),
};

/** The servers all scenarios share, as far as they are up. */
export async function sharedRoles() {
  const roles = await Promise.allSettled([started.get('tracker'), started.get('stun')]);
  return roles.flatMap((role) => (role.status === 'fulfilled' && role.value ? [role.value] : []));
}

/** Ends everything that was started. */
export async function clearStage() {
  await Promise.all(endings.splice(0).map((end) => end()));
}

async function renditionsOf(/** @type {import('./media.mjs').Rung[]} */ rungs) {
  const renditions = await prepareMedia(rungs);
  checkRenditions(renditions);
  return renditions;
}

async function startOrigin() {
  const origin = new Origin(await renditionsOf(CLIP));
  await origin.start();
  return origin;
}

async function startSite() {
  const site = new Site();
  await site.start();
  return site;
}
