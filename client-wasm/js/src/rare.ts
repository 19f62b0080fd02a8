// What few pages need, in a file of its own that the others never load: an import of this file is a decision by the
// page's options, taken while the WebAssembly module is on its way.

export { namesOf, sequences } from "./generations.js";
export { PageStorage } from "./page-storage.js";
export { Tokens } from "./tokens.js";
