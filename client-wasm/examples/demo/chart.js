// The moving chart: what came in stacked above the axis, what went out below it.

import { BIN_MS, WINDOW_MS } from "./meter.js";

const ABOVE = ["seeder", "peer", "http"];
const TICKS_S = [90, 60, 30];
/** Room for the scale on the left and the time at the bottom, in CSS pixels. */
const LEFT = 46;
const BOTTOM = 22;
const TOP = 10;
/** The scale never shows less than this, so that a quiet stream does not look like a storm. */
const SCALE_MIN = 0.5e6;

export class Chart {
  #canvas;
  #meter;
  #colours;
  #text;
  #line;
  /** Upper and lower end of the scale; they glide to their aims. */
  #high = SCALE_MIN;
  #low = 0;

  constructor(canvas, meter) {
    this.#canvas = canvas;
    this.#meter = meter;
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(`--${name}`).trim();
    this.#colours = Object.fromEntries([...ABOVE, "upload"].map((name) => [name, colour(name)]));
    this.#text = colour("quiet");
    this.#line = colour("line");
    const frame = () => {
      this.#draw(performance.now());
      requestAnimationFrame(frame);
    };
    frame();
  }

  #draw(now) {
    const { width, height, context } = this.#prepare();
    const rates = Object.fromEntries([...ABOVE, "upload"].map((name) => [name, this.#meter.rates(name, now)]));
    const stacked = rates.http.map((_, at) => ABOVE.reduce((sum, name) => sum + rates[name][at], 0));
    this.#glide(Math.max(SCALE_MIN, ...stacked) * 1.12, Math.max(0, ...rates.upload) * 1.12);
    const plot = height - BOTTOM - TOP;
    const y = (bits) => TOP + (plot * (this.#high - bits)) / (this.#high + this.#low);
    // Bins end where time has moved on to; the fraction makes the movement smooth.
    const shift = (now % BIN_MS) / BIN_MS;
    const step = (width - LEFT) / (WINDOW_MS / BIN_MS - 2);
    const x = (at) => LEFT + (at - 1 - shift) * step;

    this.#grid(context, width, height, y);
    context.save();
    context.beginPath();
    context.rect(LEFT, 0, width - LEFT, height - BOTTOM);
    context.clip();
    let floor = new Float64Array(rates.http.length);
    for (const name of ABOVE) {
      const top = floor.map((bits, at) => bits + rates[name][at]);
      this.#area(context, x, y, floor, top, this.#colours[name]);
      floor = top;
    }
    const out = rates.upload.map((bits) => -bits);
    this.#area(context, x, y, new Float64Array(out.length), out, this.#colours.upload);
    context.restore();
    context.fillStyle = this.#text;
    context.fillRect(LEFT, Math.round(y(0)), width - LEFT, 1);
  }

  #prepare() {
    const canvas = this.#canvas;
    const scale = window.devicePixelRatio || 1;
    const { clientWidth: width, clientHeight: height } = canvas;
    if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
      canvas.width = Math.round(width * scale);
      canvas.height = Math.round(height * scale);
    }
    const context = canvas.getContext("2d");
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, width, height);
    return { width, height, context };
  }

  #glide(high, low) {
    const toward = (value, aim) => value + (aim - value) * (aim > value ? 0.2 : 0.03);
    this.#high = toward(this.#high, high);
    // Some room below the axis even before the first upload, so that its place is known.
    this.#low = toward(this.#low, Math.max(low, high * 0.25));
  }

  #grid(context, width, height, y) {
    context.font = "11px system-ui, 'DejaVu Sans', sans-serif";
    context.textBaseline = "middle";
    context.textAlign = "right";
    const step = niceStep((this.#high + this.#low) / 4);
    for (let bits = -Math.floor(this.#low / step) * step; bits <= this.#high; bits += step) {
      context.fillStyle = this.#line;
      context.fillRect(LEFT, Math.round(y(bits)), width - LEFT, 1);
      context.fillStyle = this.#text;
      context.fillText(label(Math.abs(bits), step), LEFT - 8, y(bits));
    }
    context.textAlign = "left";
    context.fillText("Mbit/s in", LEFT + 6, TOP + 6);
    context.fillText("out", LEFT + 6, height - BOTTOM - 8);
    context.textAlign = "center";
    for (const seconds of TICKS_S) {
      const at = width - ((width - LEFT) * seconds * 1000) / WINDOW_MS;
      context.fillText(`−${seconds} s`, Math.max(at, LEFT + 14), height - BOTTOM / 2);
    }
    context.textAlign = "right";
    context.fillText("now", width, height - BOTTOM / 2);
  }

  #area(context, x, y, floor, top, colour) {
    context.beginPath();
    context.moveTo(x(0), y(floor[0]));
    for (let at = 0; at < top.length; at++) context.lineTo(x(at), y(top[at]));
    // The line of the newest bin goes on to the right border while its successor fills.
    context.lineTo(x(top.length), y(top.at(-1)));
    context.lineTo(x(top.length), y(floor.at(-1)));
    for (let at = floor.length - 1; at >= 0; at--) context.lineTo(x(at), y(floor[at]));
    context.closePath();
    context.fillStyle = colour;
    context.fill();
  }
}

/** 1, 2 or 5 times a power of ten, at least the given one. */
function niceStep(least) {
  const power = 10 ** Math.floor(Math.log10(least));
  return power * ([1, 2, 5].find((factor) => factor * power >= least) ?? 10);
}

function label(bits, step) {
  const digits = Math.max(0, -Math.floor(Math.log10(step / 1e6)));
  return (bits / 1e6).toFixed(digits);
}
