//! The engine for browsers: flat calls in, a list of actions out.
//!
//! The TypeScript shell (`js/src/shell.ts`) owns the sockets, peer connections, HTTP requests, the
//! timer and the segments' bytes. It tells [`Engine`] what happened, then takes actions until there are none:
//!
//! ```text
//! engine.tell(now, Input.FetchProgress, fetch, bytes, 0, "")
//! while ((kind = engine.poll()) !== Action.None) act on kind, engine.number(i), engine.text(), engine.data()
//! set one timer for engine.deadline()
//! ```
//!
//! Only numbers, short strings and command messages cross the border. Segment ids and times are
//! `f64`, exact for integers up to 2^53, so that no `BigInt` is needed. A panic aborts; the shell
//! takes any trap for the end of the engine and lets the player load over HTTP.

mod action;
#[cfg(target_arch = "wasm32")]
mod calls;
mod engine;
#[cfg(any(target_arch = "wasm32", test))]
mod heap;
mod input;
mod settings;

#[cfg(target_arch = "wasm32")]
#[global_allocator]
static HEAP: heap::Heap = heap::Heap::new(heap::grow);

pub use engine::Engine;
