//! The functions that JavaScript calls (`js/src/shaka-reader.ts`), made as those of the engine's module are: numbers in,
//! a number out, texts through one buffer that all calls share.
#![expect(
    unsafe_code,
    reason = "functions keep their names for JavaScript only if told so; nothing else here is unsafe"
)]

use std::cell::RefCell;

use crate::Reader;

thread_local! {
    static DESK: RefCell<Desk> = const { RefCell::new(Desk { readers: Vec::new(), bytes: Vec::new() }) };
}

/// What all calls share.
struct Desk {
    /// By their numbers; a page has one for each player.
    readers: Vec<Option<Box<Reader>>>,
    /// What goes in with the next call, or came out with the last one.
    bytes: Vec<u8>,
}

fn desk<T>(call: impl FnOnce(&mut Desk) -> T) -> T {
    DESK.with_borrow_mut(call)
}

/// Calls a reader with what is in the buffer. Meanwhile it is away from the desk: when it traps it is gone, and those of
/// other players go on.
fn with<T>(reader: usize, call: impl FnOnce(&mut Reader, &[u8]) -> T) -> Option<T> {
    let (mut taken, bytes) = desk(|desk| {
        let taken = desk.readers.get_mut(reader)?.take()?;
        Some((taken, std::mem::take(&mut desk.bytes)))
    })?;
    let result = call(&mut taken, &bytes);
    desk(|desk| {
        if let Some(place) = desk.readers.get_mut(reader) {
            *place = Some(taken);
        }
    });
    Some(result)
}

/// Calls a reader and puts what it gives into the buffer.
fn answer(reader: usize, call: impl FnOnce(&mut Reader, &[u8]) -> Vec<u8>) -> *const u8 {
    let bytes = with(reader, call).unwrap_or_default();
    desk(|desk| {
        desk.bytes = bytes;
        desk.bytes.as_ptr()
    })
}

/// An address and what was there.
fn split(bytes: &[u8], url_bytes: usize) -> (&str, &[u8]) {
    let (url, text) = bytes.split_at_checked(url_bytes).unwrap_or_default();
    (std::str::from_utf8(url).unwrap_or_default(), text)
}

/// Makes room in the buffer for so many bytes, and says where it is until the next call.
#[unsafe(no_mangle)]
extern "C" fn room(bytes: usize) -> *mut u8 {
    desk(|desk| {
        desk.bytes.resize(bytes, 0);
        desk.bytes.as_mut_ptr()
    })
}

/// Bytes in the buffer.
#[unsafe(no_mangle)]
extern "C" fn size() -> usize {
    desk(|desk| desk.bytes.len())
}

/// A new reader's number; that of a closed one serves again.
#[unsafe(no_mangle)]
extern "C" fn open() -> usize {
    desk(|desk| {
        let free = desk.readers.iter().position(Option::is_none);
        let number = free.unwrap_or(desk.readers.len());
        desk.readers
            .resize_with(desk.readers.len().max(number + 1), || None);
        if let Some(place) = desk.readers.get_mut(number) {
            *place = Some(Box::default());
        }
        number
    })
}

/// The reader is not needed any more.
#[unsafe(no_mangle)]
extern "C" fn close(reader: usize) {
    desk(|desk| {
        if let Some(place) = desk.readers.get_mut(reader) {
            *place = None;
        }
    });
}

/// [`Reader::manifest`] with the address and the text in the buffer, where the answer then is; see [`size`].
#[unsafe(no_mangle)]
extern "C" fn manifest(reader: usize, url_bytes: usize) -> *const u8 {
    answer(reader, |reader, bytes| {
        let (url, text) = split(bytes, url_bytes);
        reader.manifest(text, url)
    })
}

/// [`Reader::playlist`] in the same way; 1 for yes.
#[unsafe(no_mangle)]
extern "C" fn playlist(reader: usize, stream: usize, url_bytes: usize) -> u32 {
    let read = with(reader, |reader, bytes| {
        let (url, text) = split(bytes, url_bytes);
        reader.playlist(stream, text, url)
    });
    read.unwrap_or_default().into()
}

/// [`Reader::indexes`]; the answer is in the buffer.
#[unsafe(no_mangle)]
extern "C" fn indexes(reader: usize, stream: usize) -> *const u8 {
    answer(reader, |reader, _| reader.indexes(stream))
}

/// [`Reader::index`] with the bytes in the buffer; 1 for yes.
#[unsafe(no_mangle)]
extern "C" fn index(reader: usize, stream: usize, place: usize) -> u32 {
    let read = with(reader, |reader, bytes| reader.index(stream, place, bytes));
    read.unwrap_or_default().into()
}

/// [`Reader::segments`]; the answer is in the buffer.
#[unsafe(no_mangle)]
extern "C" fn segments(reader: usize, stream: usize, now_ms: f64) -> *const u8 {
    answer(reader, |reader, _| reader.segments(stream, now_ms as i64))
}
