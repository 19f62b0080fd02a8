// @ts-check
// Runs every scenario. They share one browser and one set of servers, so they live in one process.

import { after, describe } from 'node:test';
import { CONCURRENCY } from './harness/settings.mjs';
import { clearStage } from './harness/stage.mjs';

describe('streams in real browsers', { concurrency: CONCURRENCY }, async () => {
  await import('./scenarios/control.mjs');
  await import('./scenarios/stun.mjs');
  await import('./scenarios/webtorrent.mjs');
  await import('./scenarios/sharing.mjs');
  await import('./scenarios/warm.mjs');
  await import('./scenarios/pairings.mjs');
  await import('./scenarios/versions.mjs');
  await import('./scenarios/seeder.mjs');
  await import('./scenarios/two-seeders.mjs');
  await import('./scenarios/ladder.mjs');
  await import('./scenarios/failures.mjs');
  await import('./scenarios/shapes.mjs');
  await import('./scenarios/low-latency.mjs');
  await import('./scenarios/pages.mjs');
  await import('./scenarios/shaka.mjs');
  await import('./scenarios/shaka-pages.mjs');
  await import('./scenarios/demo.mjs');
  await import('./scenarios/soak.mjs');
  after(clearStage);
});
