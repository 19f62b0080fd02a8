// @ts-check
// Golden files as text: one segment a line, so that a difference shows where it is.

/** Lines of a difference that are shown. */
const LINES_MAX = 20;

/** JSON with lists of plain values on one line. */
export function write(/** @type {unknown} */ value) {
  return `${render(value, '')}\n`;
}

/** @type {(value: any, indent: string) => string} */
function render(value, indent) {
  const inner = `${indent}  `;
  const isPlain = (/** @type {unknown} */ it) => typeof it !== 'object' || it === null;
  if (isPlain(value)) return JSON.stringify(value);
  const isList = Array.isArray(value);
  const entries = isList
    ? value.map((it) => render(it, inner))
    : Object.entries(value)
        .filter(([, it]) => it !== undefined)
        .map(([key, it]) => `${JSON.stringify(key)}: ${render(it, inner)}`);
  const [open, close] = isList ? '[]' : '{}';
  if (entries.length === 0) return open + close;
  if (isList && value.every(isPlain)) return `${open}${entries.join(', ')}${close}`;
  return `${open}\n${entries.map((entry) => inner + entry).join(',\n')}\n${indent}${close}`;
}

/** The lines that only one of two texts has. */
export function difference(/** @type {string} */ kept, /** @type {string} */ fresh) {
  const lines = { kept: kept.split('\n'), fresh: fresh.split('\n') };
  const gone = lines.kept.filter((line) => !lines.fresh.includes(line)).map((line) => `  - ${line}`);
  const come = lines.fresh.filter((line) => !lines.kept.includes(line)).map((line) => `  + ${line}`);
  const all = [...gone, ...come];
  const more = all.length > LINES_MAX ? [`  … and ${all.length - LINES_MAX} more lines`] : [];
  return [...all.slice(0, LINES_MAX), ...more].join('\n');
}
