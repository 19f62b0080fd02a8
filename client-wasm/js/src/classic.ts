// What a classic script offers: everything.

export * from "./index.js";
export * from "./overlay.js";
