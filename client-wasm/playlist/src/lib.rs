//! Manifests for the Shaka Player engine: what the player has loaded goes in, lists of streams and segments come out.
//!
//! The adapter (`js/src/shaka.ts`) hears the manifests that Shaka asks for and asks for none itself. It gives their text to a
//! [`Reader`], one for each presentation, and lists for the engine's look-ahead what the reader finds:
//!
//! ```text
//! manifest(text)            -> the streams
//! playlist(stream, text)    HLS: what one stream lists now
//! index(stream, bytes)      DASH: the segments that the media's own index lists
//! segments(stream, now)     -> the segments there are at a time
//! ```
//!
//! Text in and text out, without a clock, addresses as browsers write them. What comes out is one text, its fields
//! ended by a NUL; `js/src/shaka-reader.ts` takes it apart. A panic aborts; the player goes on over HTTP.

#[cfg(target_arch = "wasm32")]
mod calls;
mod dash;
mod fields;
#[cfg(target_arch = "wasm32")]
#[path = "../../src/heap.rs"]
mod heap;
mod hls;
mod reader;
#[cfg(test)]
mod replay;
#[cfg(test)]
mod tests;

#[cfg(target_arch = "wasm32")]
#[global_allocator]
static HEAP: heap::Heap = heap::Heap::new(heap::grow);

pub use reader::Reader;
