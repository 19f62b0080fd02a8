// @ts-check
// Where things are, and how long the harness waits for them.
//
// Deadlines are generous: they only decide when a run is given up, never whether the product is
// fast. Two slow cores that also compile something must still pass.

import { fileURLToPath } from 'node:url';
import { resolve } from 'node:path';
import { env } from 'node:process';

const here = fileURLToPath(new URL('..', import.meta.url));

export const PACKAGE_DIR = resolve(here);
export const ROOT_DIR = resolve(here, '../..');
export const TARGET_DIR = resolve(ROOT_DIR, 'target');
export const MEDIA_DIR = resolve(TARGET_DIR, 'e2e-media');
export const ARTIFACTS_DIR = resolve(TARGET_DIR, 'e2e-artifacts');

/** Where all servers listen. Another address only where viewers are behind a network of their own. */
export const HOST = env.BEEKEEPR_E2E_HOST ?? '127.0.0.1';
/** The program with the relay that makes networks bad; `BEEKEEPR_LOAD_BIN` names another one. */
export const LOAD_BINARY = resolve(env.BEEKEEPR_LOAD_BIN ?? resolve(TARGET_DIR, 'debug/beekeepr-load'));
/** The server binary under test; `BEEKEEPR_BIN` names another one. */
export const BINARY = resolve(env.BEEKEEPR_BIN ?? resolve(TARGET_DIR, 'debug/beekeepr'));
/** The built browser client under test; `BEEKEEPR_CLIENT_DIR` names another npm package folder. */
export const CLIENT_DIR = resolve(env.BEEKEEPR_CLIENT_DIR ?? resolve(ROOT_DIR, 'client-wasm/js'));
/** The browser; `BEEKEEPR_CHROMIUM` names another one. */
export const CHROMIUM = env.BEEKEEPR_CHROMIUM ?? '/usr/bin/chromium';

/** Only scenarios whose name matches run. */
export const ONLY = env.BEEKEEPR_E2E_ONLY ? new RegExp(env.BEEKEEPR_E2E_ONLY) : null;
/**
 * Scenarios at a time. Viewers mostly wait for the media clock, so several scenarios share two
 * cores; five at a time passed too, with a load of 11.
 */
export const CONCURRENCY = Number(env.BEEKEEPR_E2E_CONCURRENCY ?? 3);

/** Whether the scenarios run that take minutes, or more viewers than two cores can also compile beside. */
export const LONG = env.BEEKEEPR_E2E_LONG === '1';
/** How long the soak lasts, in minutes. */
export const SOAK_MIN = Number(env.BEEKEEPR_E2E_SOAK_MIN ?? 10);

/** A condition of a scenario must hold within this time. */
export const CONDITION_MS_MAX = 90_000;
/** A server must have printed its ready line within this time. */
export const READY_MS_MAX = 30_000;
/** A server told to stop must be gone within this time, or is killed. */
export const STOP_MS_MAX = 5_000;
/** A whole scenario, its start and its checks included. */
export const SCENARIO_MS_MAX = 240_000;
/** The same of a long one, besides what it plays. */
export const LONG_SCENARIO_MS_MAX = 600_000;
/** A browser must have gathered its candidates within this time. */
export const GATHERING_MS_MAX = 20_000;
/** How often a condition is looked at. Each look costs one message to every page. */
export const POLL_MS = 250;
/** Lines of each server's log that a failure report shows. */
export const LOG_LINES_MAX = 40;

/** Length of every segment; the usual target of live HLS. */
export const SEGMENT_S = 2;
/** Length of the encoded clip. Live streams loop it, longer than any scenario takes. */
export const CLIP_S = 240;
/** Segments of a stream on demand, unless a scenario wants more. */
export const VOD_SEGMENTS = 40;
/**
 * Segments a live playlist lists: 24 s, so that a player that sits near the beginning of the
 * window has time to ask peers, as p2p-media-loader's own live settings intend.
 */
export const LIVE_WINDOW_SEGMENTS = 12;
