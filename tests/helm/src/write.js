// `npm run docs`: writes the files that are made from values.yaml.

import { writeFileSync } from "node:fs";

import { CHART } from "./chart.js";
import { made } from "./made.js";

for (const [name, text] of Object.entries(made())) {
  writeFileSync(`${CHART}/${name}`, text);
}
