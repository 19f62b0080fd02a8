//! The module's memory. The standard library's allocator weighs 2 KB gzipped, a twentieth of what a page
//! loads; this one knows sizes of powers of two only.
//!
//! A block is freed into the list of its size and serves the next request of that size; blocks are neither
//! split nor joined. So the memory is at most what was in use at once of each size: the engine holds lists of
//! some dozens of entries and messages of at most 64 KiB, all of which vectors grow by doubling anyway.

use std::alloc::{GlobalAlloc, Layout};
use std::cell::UnsafeCell;
use std::ptr::null_mut;

/// Sizes are powers of two; the address space of WebAssembly has 32 bits.
const SIZES: usize = 32;

/// The smallest block, 16 bytes: room for the address of the next free one.
const BITS_MIN: u32 = 4;

/// Memory grows by pages of 64 KiB; smaller blocks are cut from one.
const PAGE_BYTES: usize = 65_536;

/// Gives so many pages more, behind the last ones; nothing when there are none.
type Grow = fn(pages: usize) -> Option<*mut u8>;

/// Free blocks by the logarithm of their size. Each begins with the address of the next one.
struct Lists {
    free: [*mut u8; SIZES],
    /// What is left of the last page.
    rest: *mut u8,
    rest_bytes: usize,
}

pub(crate) struct Heap {
    lists: UnsafeCell<Lists>,
    grow: Grow,
}

#[expect(unsafe_code, reason = "an allocator hands out raw memory")]
// SAFETY: the module has one thread.
unsafe impl Sync for Heap {}

impl Heap {
    pub(crate) const fn new(grow: Grow) -> Self {
        let lists = Lists {
            free: [null_mut(); SIZES],
            rest: null_mut(),
            rest_bytes: 0,
        };
        Self {
            lists: UnsafeCell::new(lists),
            grow,
        }
    }
}

/// The logarithm of the size of the block for a request.
const fn bits(layout: Layout) -> u32 {
    let bytes = if layout.size() > layout.align() {
        layout.size()
    } else {
        layout.align()
    };
    let bits = usize::BITS - bytes.saturating_sub(1).leading_zeros();
    if bits > BITS_MIN { bits } else { BITS_MIN }
}

impl Lists {
    /// A block that nobody has used yet.
    fn fresh(&mut self, bits: u32, grow: Grow) -> *mut u8 {
        let bytes = 1_usize << bits;
        if bytes >= PAGE_BYTES {
            return grow(bytes / PAGE_BYTES).unwrap_or(null_mut());
        }
        if self.rest_bytes < bytes {
            let Some(page) = grow(1) else {
                return null_mut();
            };
            (self.rest, self.rest_bytes) = (page, PAGE_BYTES);
        }
        // From the page's end, and so that each block begins at a multiple of its size.
        self.rest_bytes = (self.rest_bytes - bytes) & !(bytes - 1);
        self.rest.wrapping_add(self.rest_bytes)
    }
}

#[expect(unsafe_code, reason = "an allocator hands out raw memory")]
// SAFETY: a block is in a list only while nobody has it; it is as large as its list says, begins at a multiple
// of its size, and has room for the address that it then holds.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let bits = bits(layout);
        unsafe {
            let lists = &mut *self.lists.get();
            let Some(first) = lists.free.get_mut(bits as usize) else {
                return null_mut();
            };
            let block = *first;
            if block.is_null() {
                return lists.fresh(bits, self.grow);
            }
            *first = block.cast::<*mut u8>().read();
            block
        }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        unsafe {
            let lists = &mut *self.lists.get();
            if let Some(first) = lists.free.get_mut(bits(layout) as usize) {
                block.cast::<*mut u8>().write(*first);
                *first = block;
            }
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, bytes: usize) -> *mut u8 {
        unsafe {
            let wanted = Layout::from_size_align_unchecked(bytes, layout.align());
            if bits(wanted) == bits(layout) {
                return block;
            }
            let other = self.alloc(wanted);
            if !other.is_null() {
                other.copy_from_nonoverlapping(block, layout.size().min(bytes));
                self.dealloc(block, layout);
            }
            other
        }
    }
}

/// Memory of WebAssembly.
#[cfg(target_arch = "wasm32")]
pub(crate) fn grow(pages: usize) -> Option<*mut u8> {
    let before = std::arch::wasm32::memory_grow::<0>(pages);
    (before != usize::MAX).then(|| (before * PAGE_BYTES) as *mut u8)
}

#[cfg(test)]
#[expect(unsafe_code, reason = "what is tested hands out raw memory")]
mod tests {
    use super::*;

    /// Pages of the machine that runs the tests, for ever.
    fn pages(pages: usize) -> Option<*mut u8> {
        let layout = Layout::from_size_align(pages * PAGE_BYTES, PAGE_BYTES).ok()?;
        // SAFETY: nobody asks for no pages.
        Some(unsafe { std::alloc::alloc_zeroed(layout) })
    }

    fn layout(bytes: usize, align: usize) -> Layout {
        Layout::from_size_align(bytes, align).expect("a power of two")
    }

    #[test]
    fn blocks_of_all_sizes_are_aligned_and_do_not_overlap() {
        let heap = Heap::new(pages);
        let mut blocks = Vec::new();
        for round in 0..3_u8 {
            for bytes in [1, 16, 17, 100, 4_000, 40_000, 65_536, 70_000, 300_000] {
                let layout = layout(bytes, if bytes > 64 { 64 } else { 8 });
                // SAFETY: the block has `bytes` bytes.
                let block = unsafe { heap.alloc(layout) };
                assert_eq!(block as usize % layout.align(), 0);
                unsafe { block.write_bytes(blocks.len() as u8 + round, bytes) };
                blocks.push((block, bytes, blocks.len() as u8 + round));
            }
        }
        for (block, bytes, value) in blocks {
            // SAFETY: it was written above.
            let seen = unsafe { std::slice::from_raw_parts(block, bytes) };
            assert!(seen.iter().all(|&byte| byte == value));
        }
    }

    #[test]
    fn a_freed_block_serves_the_next_request_of_its_size() {
        let heap = Heap::new(pages);
        // SAFETY: each block is freed once, with the layout that it was made with.
        unsafe {
            let first = heap.alloc(layout(100, 8));
            let second = heap.alloc(layout(100, 8));
            heap.dealloc(first, layout(100, 8));
            heap.dealloc(second, layout(100, 8));
            assert_eq!(heap.alloc(layout(128, 8)), second);
            assert_eq!(heap.alloc(layout(65, 8)), first);
        }
    }

    #[test]
    fn what_grows_keeps_its_bytes_and_stays_while_there_is_room() {
        let heap = Heap::new(pages);
        // SAFETY: as above.
        unsafe {
            let block = heap.alloc(layout(70, 8));
            block.write_bytes(7, 70);
            assert_eq!(heap.realloc(block, layout(70, 8), 128), block);
            let other = heap.realloc(block, layout(128, 8), 1_000);
            assert_ne!(other, block);
            let seen = std::slice::from_raw_parts(other, 70);
            assert!(seen.iter().all(|&byte| byte == 7));
            assert_eq!(heap.alloc(layout(128, 8)), block);
        }
    }

    #[test]
    fn no_more_memory_is_an_answer() {
        let heap = Heap::new(|_| None);
        for bytes in [1, 100_000, 1 << 40] {
            // SAFETY: nothing is written.
            assert!(unsafe { heap.alloc(layout(bytes, 8)) }.is_null());
        }
    }
}
