//! The functions that JavaScript calls (`js/src/wasm.ts`): numbers in, a number out.
//!
//! Texts and lists pass through one buffer that all calls share: [`room`] makes it as long as what is to go in, and
//! JavaScript writes there before the call that reads it; [`data`] fills it with what comes out. Tools that make such
//! calls look like those of one language weigh more (docs/decisions/wasm.md).
#![expect(
    unsafe_code,
    reason = "functions keep their names for JavaScript only if told so; nothing else here is unsafe"
)]

use std::cell::RefCell;

use crate::engine::Engine;

thread_local! {
    static DESK: RefCell<Desk> = const { RefCell::new(Desk { engines: Vec::new(), bytes: Vec::new() }) };
}

/// What all calls share.
struct Desk {
    /// By their numbers; a page has one for each player.
    engines: Vec<Option<Box<Engine>>>,
    /// What goes in with the next call, or came out with the last one.
    bytes: Vec<u8>,
}

fn desk<T>(call: impl FnOnce(&mut Desk) -> T) -> T {
    DESK.with_borrow_mut(call)
}

/// Calls an engine with what is in the buffer. Meanwhile it is away from the desk: when it traps it is gone, and those
/// of other players go on.
fn with<T>(engine: usize, call: impl FnOnce(&mut Engine, Vec<u8>) -> T) -> Option<T> {
    let (mut taken, bytes) = take(engine)?;
    let result = call(&mut taken, bytes);
    put_back(engine, taken);
    Some(result)
}

/// Once for all calls, as is [`put_back`]: in each of them it would weigh 0.3 KB, gzipped.
#[inline(never)]
fn take(engine: usize) -> Option<(Box<Engine>, Vec<u8>)> {
    desk(|desk| {
        let taken = desk.engines.get_mut(engine)?.take()?;
        Some((taken, std::mem::take(&mut desk.bytes)))
    })
}

#[inline(never)]
fn put_back(engine: usize, taken: Box<Engine>) {
    desk(|desk| {
        if let Some(place) = desk.engines.get_mut(engine) {
            *place = Some(taken);
        }
    });
}

/// The same with 64-bit floats.
fn with_numbers(engine: usize, call: impl FnOnce(&mut Engine, &[f64])) {
    with(engine, |engine, bytes| call(engine, &numbers(&bytes)));
}

fn numbers(bytes: &[u8]) -> Vec<f64> {
    let (numbers, _) = bytes.as_chunks();
    numbers.iter().copied().map(f64::from_le_bytes).collect()
}

/// Makes room in the buffer for so many bytes, and says where it is until the next call.
#[unsafe(no_mangle)]
extern "C" fn room(bytes: usize) -> *mut u8 {
    desk(|desk| {
        desk.bytes.resize(bytes, 0);
        desk.bytes.as_mut_ptr()
    })
}

/// [`Engine::new`] with the settings in the buffer. Returns the engine's number.
#[unsafe(no_mangle)]
extern "C" fn open(now: f64, seed_high: u32, seed_low: u32) -> usize {
    desk(|desk| {
        let values = numbers(&desk.bytes);
        let engine = Engine::new(now, seed_high, seed_low, &values);
        desk.engines.push(Some(Box::new(engine)));
        desk.engines.len() - 1
    })
}

/// The engine is not needed any more.
#[unsafe(no_mangle)]
extern "C" fn close(engine: usize) {
    desk(|desk| {
        if let Some(place) = desk.engines.get_mut(engine) {
            *place = None;
        }
    });
}

/// [`Engine::configure`] with the settings in the buffer.
#[unsafe(no_mangle)]
extern "C" fn configure(engine: usize, now: f64) {
    with_numbers(engine, |engine, values| engine.configure(now, values));
}

/// [`Engine::poll`].
#[unsafe(no_mangle)]
extern "C" fn poll(engine: usize) -> u32 {
    with(engine, |engine, _| engine.poll()).unwrap_or_default()
}

/// [`Engine::number`].
#[unsafe(no_mangle)]
extern "C" fn number(engine: usize, index: usize) -> f64 {
    with(engine, |engine, _| engine.number(index)).unwrap_or(f64::NAN)
}

/// Puts [`Engine::data`] into the buffer, and says where it is until the next call but [`size`].
#[unsafe(no_mangle)]
extern "C" fn data(engine: usize) -> *const u8 {
    let data = with(engine, |engine, _| engine.data()).unwrap_or_default();
    desk(|desk| {
        desk.bytes = data;
        desk.bytes.as_ptr()
    })
}

/// Bytes in the buffer.
#[unsafe(no_mangle)]
extern "C" fn size() -> usize {
    desk(|desk| desk.bytes.len())
}

/// [`Engine::deadline`].
#[unsafe(no_mangle)]
extern "C" fn deadline(engine: usize) -> f64 {
    with(engine, |engine, _| engine.deadline()).unwrap_or(f64::NAN)
}

/// [`Engine::tell`] with the text in the buffer.
#[unsafe(no_mangle)]
extern "C" fn tell(engine: usize, now: f64, kind: u32, a: f64, b: f64, c: f64) {
    with(engine, |engine, bytes| {
        let text = String::from_utf8(bytes).unwrap_or_default();
        engine.tell(now, kind, a, b, c, &text);
    });
}

/// [`Engine::stream_added`] with the numbers in the buffer.
#[unsafe(no_mangle)]
extern "C" fn stream_added(engine: usize, now: f64, stream: u32) {
    with_numbers(engine, |engine, ids| engine.stream_added(now, stream, ids));
}

/// [`Engine::swarm_added`] with the numbers in the buffer.
#[unsafe(no_mangle)]
extern "C" fn swarm_added(engine: usize, now: f64, stream: u32) {
    with_numbers(engine, |engine, numbers| {
        engine.swarm_added(now, stream, numbers)
    });
}

/// [`Engine::segments_listed`] with the numbers in the buffer.
#[unsafe(no_mangle)]
extern "C" fn segments_listed(engine: usize, now: f64, stream: u32, live: u32) {
    with_numbers(engine, |engine, numbers| {
        engine.segments_listed(now, stream, live != 0, numbers);
    });
}

/// [`Engine::command`] with the message in the buffer.
#[unsafe(no_mangle)]
extern "C" fn command(engine: usize, now: f64, conn: u32) {
    with(engine, |engine, message| {
        engine.command(now, conn, &message)
    });
}

/// [`Engine::place`]; 1 for yes.
#[unsafe(no_mangle)]
extern "C" fn place(engine: usize, now: f64, conn: u32, bytes: usize) -> u32 {
    let placed = with(engine, |engine, _| engine.place(now, conn, bytes));
    placed.unwrap_or_default().into()
}
