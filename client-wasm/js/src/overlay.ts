// A panel over the video that shows how sharing goes. A file of its own: pages that show none load none.

import palette from "../../examples/demo/palette.css";
import type { Stats } from "./stats.js";

/** What the panel asks: an engine. */
export interface StatsSource {
    getStats(): Stats;
}

/** How the panel is shown. */
export interface OverlayOptions {
    /** Where it goes, over the top left corner; by default the page. */
    container?: HTMLElement;
    /** How often it is brought up to date; 1 s by default. */
    intervalMs?: number;
}

const INTERVAL_MS = 1_000;

/** Seconds that the chart shows, one bar for each update. */
const BARS = 60;

const CHART = { width: 250, height: 48 };

/** What bytes are called and drawn as, from the bottom up. */
const SOURCES = [
    ["superPeers", "super-peers", "--seeder"],
    ["peers", "viewers", "--peer"],
    ["storage", "storage", "--storage"],
    ["http", "HTTP", "--http"],
] as const;

/** The palette is the demo page's; here it belongs to the panel. */
const STYLE = `${palette.replace(":root", ":host")}
:host { position: absolute; top: 8px; left: 8px; z-index: 2147483647; }
section { min-width: ${CHART.width}px; width: max-content; padding: 10px 12px; border-radius: 8px; background: #10151ee6; color: #e8edf4;
  font: 12px/1.5 system-ui, sans-serif; font-variant-numeric: tabular-nums; }
header { display: flex; justify-content: space-between; font-weight: 600; }
button { border: 0; background: none; color: inherit; font: inherit; cursor: pointer; padding: 0 2px; }
strong { font-size: 22px; line-height: 1.3; }
canvas { display: block; margin: 6px 0; width: 100%; height: ${CHART.height}px; }
dl { display: grid; grid-template-columns: auto 1fr; margin: 0; white-space: nowrap; }
dt::before { content: ""; display: inline-block; width: 8px; height: 8px; margin-right: 6px; border-radius: 2px;
  background: var(--colour, transparent); }
dd { margin: 0; text-align: right; }
`;

/** Shows the panel until `remove` is called or its button is pressed. */
export function showStats(source: StatsSource, options: OverlayOptions = {}): { remove(): void } {
    const host = document.createElement("div");
    const shadow = host.attachShadow({ mode: "open" });
    // Not a `style` element: a Content-Security-Policy may forbid those.
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    shadow.adoptedStyleSheets = [sheet];
    const panel = new Panel(() => remove());
    shadow.append(panel.element);
    const show = () => panel.show(source.getStats());
    const timer = setInterval(show, options.intervalMs ?? INTERVAL_MS);
    const remove = () => {
        clearInterval(timer);
        host.remove();
    };
    (options.container ?? document.body).append(host);
    show();
    return { remove };
}

class Panel {
    readonly element = document.createElement("section");
    readonly #share = document.createElement("strong");
    readonly #canvas = document.createElement("canvas");
    readonly #list = document.createElement("dl");
    /** Bytes of each source in each interval, the newest last. */
    readonly #bars: Stats["bytes"][] = [];
    #last: Stats["bytes"] | undefined;

    constructor(close: () => void) {
        const header = document.createElement("header");
        const button = document.createElement("button");
        button.textContent = "×";
        button.setAttribute("aria-label", "close");
        button.onclick = close;
        header.append("Beekeepr", button);
        Object.assign(this.#canvas, { width: 2 * CHART.width, height: 2 * CHART.height });
        this.element.append(header, this.#share, this.#canvas, this.#list);
    }

    show(stats: Stats): void {
        this.#share.textContent = `${Math.round(stats.share * 100)} % shared`;
        this.#remember(stats.bytes);
        this.#draw();
        this.#list.replaceChildren(...rows(stats).flatMap(([name, value, colour]) => row(name, value, colour)));
    }

    #remember(bytes: Stats["bytes"]): void {
        const last = this.#last ?? bytes;
        const entries = Object.entries(bytes) as [keyof Stats["bytes"], number][];
        const moved = entries.map(([source, count]) => [source, count - last[source]]);
        this.#bars.push(Object.fromEntries(moved) as Stats["bytes"]);
        this.#bars.splice(0, Math.max(0, this.#bars.length - BARS));
        this.#last = bytes;
    }

    #draw(): void {
        const { width, height } = this.#canvas;
        const context = this.#canvas.getContext("2d");
        const style = getComputedStyle(this.#canvas);
        const heightOf = (bar: Stats["bytes"]) => SOURCES.reduce((sum, [source]) => sum + bar[source], 0);
        const highest = Math.max(1, ...this.#bars.map(heightOf));
        context?.clearRect(0, 0, width, height);
        this.#bars.forEach((bar, index) => {
            const left = width - ((this.#bars.length - index) * width) / BARS;
            let bottom = height;
            for (const [source, , colour] of SOURCES) {
                const tall = (bar[source] / highest) * height;
                bottom -= tall;
                if (context) context.fillStyle = style.getPropertyValue(colour);
                context?.fillRect(left, bottom, width / BARS - 1, tall);
            }
        });
    }
}

/** The lines of the list: what, how much, and the colour of its bars. */
function rows(stats: Stats): [name: string, value: string, colour?: string][] {
    const { bytes, peers, stalls, bufferS } = stats;
    return [
        // Few pages have a storage of their own.
        ...SOURCES.filter(([source]) => source !== "storage" || bytes.storage > 0).map(
            ([source, name, colour]): [string, string, string] => [`from ${name}`, size(bytes[source]), colour],
        ),
        ["given", stats.isUploading ? size(bytes.uploaded) : `${size(bytes.uploaded)}, paused`],
        ["connected", `${count(peers.viewers, "viewer")}, ${count(peers.superPeers, "super-peer")}`],
        ["buffer", `${bufferS.toFixed(1)} s`],
        ["stalls", stalls.count > 0 ? `${stalls.count} (${(stalls.ms / 1000).toFixed(1)} s)` : "none"],
        ["engine", stats.isSharing ? stats.state : `${stats.state}, not sharing`],
    ];
}

function row(name: string, value: string, colour?: string): HTMLElement[] {
    const term = document.createElement("dt");
    term.textContent = name;
    if (colour) term.style.setProperty("--colour", `var(${colour})`);
    const details = document.createElement("dd");
    details.textContent = value;
    return [term, details];
}

function count(number: number, what: string): string {
    return `${number} ${what}${number === 1 ? "" : "s"}`;
}

function size(bytes: number): string {
    const [unit, name] = bytes < 1e6 ? [1e3, "KB"] : bytes < 1e9 ? [1e6, "MB"] : [1e9, "GB"];
    return `${(bytes / unit).toFixed(unit === 1e3 ? 0 : 1)} ${name}`;
}
