// Files of the chart that are made from values.yaml.

import assert from "node:assert/strict";
import { it } from "node:test";

import { read } from "./chart.js";
import { made } from "./made.js";

for (const [name, text] of Object.entries(made())) {
  it(`${name} is made from values.yaml; else run \`cargo xtask docs\``, () => assert.equal(read(name), text));
}
