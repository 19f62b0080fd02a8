// What the build makes of style sheets: their text.
declare module "*.css" {
    const text: string;
    export default text;
}

// What the build makes of the module for the single-file script: gzipped, in base64.
declare module "beekeepr-wasm-packed" {
    const packed: string;
    export default packed;
}
