// Figures as people read them.

const UNITS = ["B", "kB", "MB", "GB", "TB", "PB"];

/** Three figures that count. */
function short(value: number): string {
    const digits = value >= 100 || value === 0 ? 0 : value >= 10 ? 1 : 2;
    return value.toFixed(digits);
}

/** Bytes, in powers of ten as they are billed. */
export function bytes(value: number): string {
    const power = Math.min(Math.floor(Math.log10(Math.max(Math.abs(value), 1)) / 3), UNITS.length - 1);
    return power === 0 ? `${Math.round(value)} B` : `${short(value / 1000 ** power)} ${UNITS[power]}`;
}

/** Bits per second, in Mbit/s as lines are sold. */
export function rate(bps: number): string {
    return bps >= 1e9 ? `${short(bps / 1e9)} Gbit/s` : `${short(bps / 1e6)} Mbit/s`;
}

/** A part of a whole, 0 to 1. */
export function percent(part: number): string {
    return `${(part * 100).toFixed(part > 0.995 && part < 1 ? 2 : 1)} %`;
}

export function count(value: number): string {
    return Math.round(value).toLocaleString("en");
}

/** Millionths of a currency, with cents where they tell something. */
export function money(micros: number, currency: string): string {
    const value = micros / 1e6;
    const digits = value !== 0 && Math.abs(value) < 0.1 ? 4 : 2;
    return `${value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits })} ${currency}`;
}

export function milliseconds(ms: number): string {
    return ms >= 1000 ? `${short(ms / 1000)} s` : `${Math.round(ms)} ms`;
}

/** A moment, in the operator's own time. */
export function moment(ms: number): string {
    return new Date(ms).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" });
}
