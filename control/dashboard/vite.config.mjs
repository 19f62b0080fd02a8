// One page with one script and one style, both named by their content: control serves them with a strict
// Content-Security-Policy, so nothing is inlined.

import { defineConfig } from "vite";

export default defineConfig({
    build: { target: "es2022", assetsInlineLimit: 0, modulePreload: false, reportCompressedSize: false },
});
