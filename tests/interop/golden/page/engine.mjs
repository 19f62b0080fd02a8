// What both players' pages share.

/** Waits until `condition` holds; the tool then names what was not met. */
export async function until(condition, ms) {
  const end = performance.now() + ms;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`waited ${ms} ms in vain for ${condition}`);
    await new Promise((done) => setTimeout(done, 5));
  }
}

/** What the engine's core holds, as plain values. */
export function snapshot(core) {
  const streams = [...core.streams.values()].map(({ runtimeId, type, index, segments }) => ({
    runtimeId,
    type,
    index,
    segments: [...segments.values()].map((segment) => [segment.externalId, segment.runtimeId]),
  }));
  return { swarmId: core.manifestResponseUrl, streams };
}
