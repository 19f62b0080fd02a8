// Watches whether the picture moves.

/** How often the playhead is looked at. */
const SAMPLE_MS = 100;
/** The playhead must have moved so far before stillness counts as a stall. */
const STARTED_S = 0.5;
/** Of so many stalls it is told when they were. */
const STALLS_KEPT = 8;
/** With less than this ahead of it a still playhead waits for media, not for the processor. */
const STARVED_S = 0.5;

/** Measures how far a video played and how long it stood still for want of media. */
export class Playhead {
  #video;
  #last;
  #stillMs = 0;
  #sampling;
  #waiting = () => {
    if (!this.started || this.#video.seeking) return;
    this.stalls.waiting += 1;
    this.#noteStall();
  };
  playedS = 0;
  /** `atS`: what was played before the first ones. */
  stalls = { waiting: 0, starvedMs: 0, longestStillMs: 0, atS: [] };
  /** The longest time the page did not come to look: how long it was frozen, or the processor busy. */
  longestAwayMs = 0;

  constructor(video) {
    this.#video = video;
    this.#last = this.#look();
    this.#sampling = setInterval(() => this.#sample(), SAMPLE_MS);
    video.addEventListener('waiting', this.#waiting);
  }

  /** Looks no more. */
  destroy() {
    clearInterval(this.#sampling);
    this.#video.removeEventListener('waiting', this.#waiting);
  }

  /** Whether playback has begun. */
  get started() {
    return this.playedS > STARTED_S;
  }

  /** Seconds of media ahead of the playhead. */
  get aheadS() {
    const { buffered, currentTime } = this.#video;
    for (let i = 0; i < buffered.length; i++) {
      const holds = buffered.start(i) <= currentTime + SAMPLE_MS / 1000 && currentTime < buffered.end(i);
      if (holds) return buffered.end(i) - currentTime;
    }
    return 0;
  }

  #look() {
    return { at: performance.now(), position: this.#video.currentTime };
  }

  #sample() {
    const before = this.#last;
    this.#last = this.#look();
    this.longestAwayMs = Math.max(this.longestAwayMs, this.#last.at - before.at);
    const { paused, ended, seeking } = this.#video;
    if (paused || ended || seeking) return;
    const moved = this.#last.position - before.position;
    if (moved > 0) {
      this.#stillMs = 0;
      // A jump over a gap or to the live edge is not playing.
      this.playedS += Math.min(moved, (2 * (this.#last.at - before.at)) / 1000);
    } else if (this.started) {
      this.#countStill(this.#last.at - before.at);
    }
  }

  #noteStall() {
    const { atS } = this.stalls;
    if (atS.length < STALLS_KEPT && atS.at(-1) !== this.playedS) atS.push(this.playedS);
  }

  #countStill(ms) {
    this.#stillMs += ms;
    if (this.aheadS < STARVED_S) {
      this.stalls.starvedMs += ms;
      this.#noteStall();
    }
    this.stalls.longestStillMs = Math.max(this.stalls.longestStillMs, this.#stillMs);
  }
}
