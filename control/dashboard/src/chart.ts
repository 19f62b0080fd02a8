// Charts over time: uPlot with our colours, a legend of our own, and a sentence for who cannot see it.

import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { h, replace } from "./dom.js";

export interface Line {
    name: string;
    /** The custom property with its colour. */
    colour: string;
}

export interface ChartOptions {
    title: string;
    lines: Line[];
    /** Each line stands on the ones before it. */
    stacked?: boolean;
    show: (value: number) => string;
    /** Counted things: there is nothing between 1 and 2. */
    whole?: boolean;
    height?: number;
}

export interface Chart {
    element: HTMLElement;
    set(at_s: number[], values: number[][]): void;
    close(): void;
}

export function chart(options: ChartOptions): Chart {
    const plotted = h("div", { class: "plot", role: "img" });
    const values = options.lines.map(() => h("b"));
    const legend = h(
        "div",
        { class: "legend", "aria-hidden": true },
        ...options.lines.map((line, index) => h("span", {}, h("i", { class: `ink ${line.colour}` }), line.name, " ", values[index])),
    );
    const element = h("section", { class: "card chart" }, h("h2", {}, options.title), legend, plotted);
    let shown: number[][] = options.lines.map(() => []);
    const tell = (index: number) => values.forEach((it, line) => replace(it, options.show(shown[line]?.[index] ?? 0)));
    let plot: uPlot | undefined;
    let data: uPlot.AlignedData = [[], ...options.lines.map(() => [])];

    const draw = () => {
        const width = plotted.clientWidth;
        if (width === 0) {
            return;
        }
        plot?.destroy();
        plot = new uPlot(settings(options, width, tell, () => (shown[0]?.length ?? 1) - 1), data, plotted);
    };
    // A frame later: a change of the plot's own size must not be seen as another one.
    const observer = new ResizeObserver(() => {
        requestAnimationFrame(() => (plot ? plot.setSize({ width: plotted.clientWidth, height: options.height ?? 220 }) : draw()));
    });
    observer.observe(plotted);
    const dark = matchMedia("(prefers-color-scheme: dark)");
    dark.addEventListener("change", draw);
    addEventListener("theme", draw);

    return {
        element,
        set(at_s, given) {
            shown = given;
            data = [at_s, ...(options.stacked ? stacked(given) : given)];
            const last = at_s.length - 1;
            tell(last);
            const now = options.lines.map((line, index) => `${line.name} ${options.show(given[index]?.[last] ?? 0)}`);
            plotted.setAttribute("aria-label", `${options.title}. Last: ${now.join(", ")}.`);
            if (plot) {
                plot.setData(data);
            } else {
                draw();
            }
        },
        close() {
            observer.disconnect();
            dark.removeEventListener("change", draw);
            removeEventListener("theme", draw);
            plot?.destroy();
        },
    };
}

const WHOLE = [1, 2, 5].flatMap((digit) => Array.from({ length: 9 }, (_, power) => digit * 10 ** power)).sort((a, b) => a - b);

const DAY_S = 86_400;

/** Hours and minutes, or days where the ticks are days apart. */
function times(_: uPlot, ticks: number[], __: number, ___: number, apart_s: number): string[] {
    const form: Intl.DateTimeFormatOptions = apart_s >= DAY_S ? { day: "numeric", month: "short" } : { hour: "2-digit", minute: "2-digit" };
    return ticks.map((it) => new Date(it * 1000).toLocaleString("en-GB", form));
}

/** A colour of the theme as a canvas reads it: custom properties keep `light-dark()` as it is written. */
function ink(name: string): string {
    const probe = h("i", { class: `ink ${name}` });
    document.body.append(probe);
    const colour = getComputedStyle(probe).backgroundColor;
    probe.remove();
    return colour;
}

/** Each line on top of those before it. */
export function stacked(lines: number[][]): number[][] {
    const floor: number[] = [];
    return lines.map((line) => line.map((value, index) => (floor[index] = (floor[index] ?? 0) + value)));
}

function settings(options: ChartOptions, width: number, tell: (index: number) => void, last: () => number): uPlot.Options {
    const steps = options.whole ? { incrs: WHOLE } : {};
    const axis = { stroke: ink("dim"), grid: { stroke: ink("line"), width: 1 }, ticks: { show: false }, font: "12px system-ui" };
    const series = options.lines.map((line): uPlot.Series => {
        const stroke = ink(line.colour);
        const fill = options.stacked ? { fill: stroke.replace("rgb(", "rgba(").replace(")", ", 0.35)") } : {};
        return { label: line.name, stroke, width: 1.5, points: { show: false }, scale: "y", ...fill };
    });
    return {
        width,
        height: options.height ?? 220,
        legend: { show: false },
        cursor: { y: false, drag: { x: false, y: false } },
        scales: { y: { range: (_, __, max) => [0, max > 0 ? max * 1.08 : 1] } },
        // A band takes its fill down to the line below, so that colours do not mix.
        bands: options.stacked ? options.lines.slice(1).map((_, index) => ({ series: [index + 2, index + 1] as [number, number] })) : [],
        series: [{}, ...series],
        axes: [{ ...axis, values: times }, { ...axis, ...steps, size: 78, values: (_, ticks) => ticks.map((it) => options.show(it)) }],
        hooks: { setCursor: [(plot) => tell(plot.cursor.idx ?? last())] },
    };
}
