// @ts-check
// Slow lines: how fast the origin sends a stream's segments.

import { setTimeout as sleep } from 'node:timers/promises';

/**
 * @typedef {object} Limits bits per second; absent for none
 * @property {number} [viewerBps] to each viewer, over all its connections: its own line
 * @property {number} [totalBps] to all together: the origin's line
 */

/** What is sent between two looks at the clock. Small enough that two responses share a line evenly. */
const PIECE_BYTES = 8 * 1024;

/** One line, which carries one piece after the other. */
class Line {
  #freeAt = 0;

  constructor(/** @type {number} */ bps) {
    this.bps = bps;
  }

  /** Milliseconds until so many bytes are through. */
  carry(/** @type {number} */ bytes) {
    const now = performance.now();
    this.#freeAt = Math.max(now, this.#freeAt) + (bytes * 8_000) / this.bps;
    return this.#freeAt - now;
  }
}

export class Throttle {
  /** @type {Map<string, Line>} */
  #lines = new Map();
  #limits;

  constructor(/** @type {Limits} */ limits = {}) {
    this.#limits = limits;
  }

  /**
   * Sends content to a viewer as fast as its line and the origin's allow.
   * @param {string} viewer
   * @param {import('node:http').ServerResponse} response
   * @param {Buffer} content
   * @param {(bytes: number) => void} count told of what was really sent
   */
  async send(viewer, response, content, count) {
    const lines = this.#linesOf(viewer);
    const step = lines.length > 0 ? PIECE_BYTES : content.length;
    for (let at = 0; at < content.length && !response.destroyed; at += step) {
      const piece = content.subarray(at, at + step);
      await sleep(Math.max(0, ...lines.map((line) => line.carry(piece.length))));
      if (response.destroyed) return;
      response.write(piece);
      count(piece.length);
    }
    response.end();
  }

  #linesOf(/** @type {string} */ viewer) {
    const { viewerBps, totalBps } = this.#limits;
    return [...(viewerBps ? [this.#line(viewer, viewerBps)] : []), ...(totalBps ? [this.#line('', totalBps)] : [])];
  }

  /** @returns {Line} */
  #line(/** @type {string} */ name, /** @type {number} */ bps) {
    const line = this.#lines.get(name) ?? new Line(bps);
    this.#lines.set(name, line);
    return line;
  }
}
