// values.yaml read with its comments: the schema and the table of the README are made of it.

import { parse } from "yaml";

import { read } from "./chart.js";

/** Values as a parent chart may hand them down. */
const GLOBAL = { type: "object" };

/** Every key with its path, description, schema and default, in the order of the file. */
export function keys() {
  const text = read("values.yaml");
  const values = parse(text, { merge: true });
  const found = [];
  const path = [];
  let comments = [];
  for (const line of text.split("\n")) {
    const comment = /^\s*# ?(.*)$/.exec(line);
    const key = /^(\s*)([A-Za-z]\w*):(\s|$)/.exec(line);
    if (comment) {
      comments.push(comment[1]);
    } else if (key) {
      path.length = key[1].length / 2;
      path.push(key[2]);
      const value = path.reduce((it, name) => it?.[name], values);
      found.push({ path: [...path], value, isAlias: /: \*/.test(line), ...annotations(comments, path) });
      comments = [];
    } else {
      comments = [];
    }
  }
  return found;
}

/** `-- text` with the lines after it, and `@schema {...}`. */
function annotations(comments, path) {
  const begin = comments.findIndex((it) => it.startsWith("-- "));
  const schemaAt = comments.findIndex((it) => it.startsWith("@schema "));
  const end = schemaAt < 0 ? comments.length : schemaAt;
  const lines = begin < 0 ? [] : comments.slice(begin, end);
  const text = lines.join(" ").replace(/^-- /, "");
  try {
    return { text, schema: schemaAt < 0 ? {} : JSON.parse(comments[schemaAt].slice("@schema ".length)) };
  } catch (error) {
    throw new Error(`${path.join(".")}: @schema is not JSON: ${error.message}`);
  }
}

/** The JSON schema: nothing but what values.yaml has. */
export function schema() {
  const all = keys();
  const definitions = {};
  const root = object(all, [], definitions);
  root.properties = { global: GLOBAL, ...root.properties };
  return { $schema: "http://json-schema.org/draft-07/schema#", $defs: definitions, ...root };
}

function object(all, path, definitions) {
  const children = all.filter((it) => it.path.length === path.length + 1 && path.every((name, at) => it.path[at] === name));
  const properties = children.map((it) => [it.path.at(-1), node(all, it, definitions)]);
  return { type: "object", additionalProperties: false, properties: Object.fromEntries(properties) };
}

function node(all, key, definitions) {
  const { $ref, ...own } = key.schema;
  if ($ref === undefined) {
    return { ...described(key), ...plain(all, key, own, definitions) };
  }
  const name = $ref.split("/").at(-1);
  definitions[name] ??= plain(all, key, own, definitions);
  return { $ref };
}

function plain(all, key, { free, ...own }, definitions) {
  const { value, path } = key;
  const name = path.join(".");
  if (free) {
    return { type: "object" };
  }
  if (Array.isArray(value)) {
    if (!own.items && value.length === 0) {
      throw new Error(`${name}: a list needs @schema with items`);
    }
    return { type: "array", ...own };
  }
  if (typeof value === "object" && value !== null) {
    if (own.additionalProperties) {
      return { type: "object", ...own };
    }
    if (Object.keys(value).length === 0) {
      throw new Error(`${name}: an empty map needs @schema with additionalProperties, or free`);
    }
    return object(all, path, definitions);
  }
  if (value === null || value === undefined) {
    throw new Error(`${name}: a default that is null tells no type`);
  }
  const type = Number.isInteger(value) ? "integer" : typeof value;
  return own.enum ? { ...own } : { type, ...own };
}

const described = ({ text }) => (text === "" ? {} : { description: text });

/** The table of the README. */
export function table() {
  const all = keys();
  const hasMore = (key) => all.some((it) => it.path.length > key.path.length && key.path.every((name, at) => it.path[at] === name));
  const isLeaf = (key) => key.schema.free || key.schema.additionalProperties || !hasMore(key);
  const rows = all.filter((key) => isLeaf(key) && !isOpen(all, key)).map(row);
  return ["| value | default | |", "|---|---|---|", ...rows].join("\n");
}

/** Below a map that takes anything, its own row is enough. */
function isOpen(all, key) {
  const above = all.filter((it) => it.path.length < key.path.length && it.path.every((name, at) => key.path[at] === name));
  return above.some((it) => it.schema.free || it.schema.additionalProperties);
}

function row({ path, value, text, isAlias }) {
  const shown = isAlias ? `as \`tracker.${path.at(-1)}\`` : `\`${JSON.stringify(value)}\``;
  return `| \`${path.join(".")}\` | ${shown} | ${text.replaceAll("|", "\\|")} |`;
}
