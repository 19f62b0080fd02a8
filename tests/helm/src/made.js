// Files of the chart that are made from values.yaml.

import { read } from "./chart.js";
import { schema, table } from "./values.js";

const BEGIN = "<!-- made from values.yaml: begin -->";
const END = "<!-- made from values.yaml: end -->";

/** Each file's name with what has to be in it. */
export function made() {
  return {
    "values.schema.json": `${JSON.stringify(schema(), null, 2)}\n`,
    "README.md": readme(read("README.md")),
  };
}

function readme(text) {
  const [head, rest] = text.split(BEGIN);
  const tail = rest?.split(END)[1];
  if (tail === undefined) {
    throw new Error(`README.md: no ${BEGIN} and ${END}`);
  }
  return `${head}${BEGIN}\n\n${table()}\n\n${END}${tail}`;
}
