// Counts bytes by source, in total and over time.

/** Where bytes come from, and where they go. */
export const SOURCES = ["http", "peer", "seeder", "upload"];

/** Time is cut in bins this long. */
export const BIN_MS = 250;
/** What the chart shows. */
export const WINDOW_MS = 90_000;
/**
 * Segments come in bursts. A mean over two of the demo channel's segments makes them a rate; a
 * second mean over one segment rounds off what jitter leaves.
 */
const MEANS_MS = [4_000, 2_000];

const BINS_WINDOW = WINDOW_MS / BIN_MS;
const BINS_KEPT = BINS_WINDOW + MEANS_MS.reduce((sum, ms) => sum + ms / BIN_MS, 0);

/** Peer ids of seeders begin so; viewers of ours begin with -BK. */
export const isSeeder = (peerId) => peerId.startsWith("-BS");

export class Meter {
  totals = { http: 0, peer: 0, seeder: 0, upload: 0 };
  #bins = new Map();

  add(source, bytes, now = performance.now()) {
    this.totals[source] += bytes;
    const index = Math.floor(now / BIN_MS);
    let bin = this.#bins.get(index);
    if (!bin) {
      bin = { http: 0, peer: 0, seeder: 0, upload: 0 };
      this.#bins.set(index, bin);
      this.#forget(index - BINS_KEPT - 1);
    }
    bin[source] += bytes;
  }

  #forget(before) {
    for (const index of this.#bins.keys()) {
      if (index < before) this.#bins.delete(index);
    }
  }

  /** Bits per second of a source in each bin of the window, oldest first; the last bin is complete. */
  rates(source, now = performance.now()) {
    const last = Math.floor(now / BIN_MS) - 1;
    let rates = new Float64Array(BINS_KEPT);
    for (let at = 0; at < BINS_KEPT; at++) {
      const bin = this.#bins.get(last - BINS_KEPT + 1 + at);
      rates[at] = ((bin?.[source] ?? 0) * 8 * 1000) / BIN_MS;
    }
    for (const ms of MEANS_MS) rates = runningMean(rates, ms / BIN_MS);
    return rates.slice(-BINS_WINDOW);
  }

  /** Bits per second of a source now. */
  rate(source, now = performance.now()) {
    return this.rates(source, now).at(-1);
  }

  /** The part of all received bytes that did not come over HTTP, from 0 to 1; undefined before the first. */
  share() {
    const { http, peer, seeder } = this.totals;
    const all = http + peer + seeder;
    return all === 0 ? undefined : (peer + seeder) / all;
  }
}

/** The mean of each value and those before it, `count` in all. */
function runningMean(values, count) {
  let sum = 0;
  return values.map((value, at) => {
    sum += value - (at >= count ? values[at - count] : 0);
    return sum / count;
  });
}

export function formatBytes(bytes) {
  if (bytes < 1e6) return `${Math.round(bytes / 1e3)} KB`;
  if (bytes < 1e9) return `${(bytes / 1e6).toFixed(1)} MB`;
  return `${(bytes / 1e9).toFixed(2)} GB`;
}

export function formatRate(bitsPerSecond) {
  return `${(bitsPerSecond / 1e6).toFixed(2)} Mbit/s`;
}
