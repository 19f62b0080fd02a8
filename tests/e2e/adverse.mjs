// @ts-check
// Runs the scenarios with bad lines. `npm run adverse` gives them a network namespace for themselves.

import { after, describe } from 'node:test';
import { clearStage } from './harness/stage.mjs';

describe('streams over bad lines', async () => {
  await import('./scenarios/adversity.mjs');
  after(clearStage);
});
