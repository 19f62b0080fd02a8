//! The order of a WebAssembly module's functions. Each follows the one that it resembles most, so that gzip finds in
//! its window what repeats.
//!
//! wasm-opt puts functions in the order of their names; so they get names that count in the order that we want.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};

/// Sections by their numbers: what tools say of the module, and the functions' code.
const CUSTOM: u8 = 0;
const CODE: u8 = 10;
/// In a section of names, the part with those of functions.
const FUNCTION_NAMES: u8 = 1;
/// A module begins with its magic number and its version.
const HEAD_BYTES: usize = 8;
/// Functions are alike by how many runs of so many bytes they share; of 3 to 6 this made the smallest module.
const RUN_BYTES: usize = 3;

/// The module with a name for each of its functions. It must import none.
pub(crate) fn with_names_in_order(module: &[u8]) -> Result<Vec<u8>> {
    let order = order(&functions(module)?);
    let mut names = vec![Vec::new(); order.len()];
    for (place, function) in order.into_iter().enumerate() {
        names[function] = format!("{place:06}").into_bytes();
    }
    let mut list = number(names.len());
    for (function, name) in names.iter().enumerate() {
        list.extend(number(function));
        list.extend(with_length(name));
    }
    let mut section = with_length(b"name");
    section.push(FUNCTION_NAMES);
    section.extend(with_length(&list));
    Ok([module, &[CUSTOM], &with_length(&section)].concat())
}

/// From the shortest function to the one most like it, and so on.
fn order(functions: &[&[u8]]) -> Vec<usize> {
    let runs: Vec<BTreeSet<&[u8]>> = functions
        .iter()
        .map(|code| code.windows(RUN_BYTES).collect())
        .collect();
    let mut left: Vec<usize> = (0..functions.len()).collect();
    left.sort_by_key(|&one| functions[one].len());
    let mut order: Vec<usize> = left.drain(..left.len().min(1)).collect();
    while let Some(&last) = order.last().filter(|_| !left.is_empty()) {
        let alike = |one: &usize| {
            let shared = runs[last].intersection(&runs[*one]).count();
            // In thousandths of what both have.
            shared * 1_000 / (runs[last].len() + runs[*one].len() + 1)
        };
        let best = (0..left.len())
            .rev()
            .max_by_key(|&place| alike(&left[place]));
        order.extend(best.map(|place| left.remove(place)));
    }
    order
}

/// The code of each function.
fn functions(module: &[u8]) -> Result<Vec<&[u8]>> {
    let mut rest = module.get(HEAD_BYTES..).context("the module is empty")?;
    while let Some((&kind, after)) = rest.split_first() {
        let (section, after) = cut(after)?;
        rest = after;
        if kind == CODE {
            let (count, mut rest) = read_number(section)?;
            let mut functions = Vec::with_capacity(count);
            for _ in 0..count {
                let (code, after) = cut(rest)?;
                functions.push(code);
                rest = after;
            }
            return Ok(functions);
        }
    }
    Ok(Vec::new())
}

/// Bytes with their number before them, and what follows them.
fn cut(bytes: &[u8]) -> Result<(&[u8], &[u8])> {
    let (length, rest) = read_number(bytes)?;
    rest.split_at_checked(length)
        .context("the module is cut short")
}

/// A number in LEB128: seven bits in each byte, the lowest first, the top bit set in all but the last.
fn read_number(bytes: &[u8]) -> Result<(usize, &[u8])> {
    let length = 1 + bytes.iter().take_while(|&&byte| byte & 0x80 != 0).count();
    ensure!(
        length <= 5 && length <= bytes.len(),
        "no number where the module should have one"
    );
    let (digits, rest) = bytes.split_at(length);
    let value = digits
        .iter()
        .rev()
        .fold(0, |value, &byte| value << 7 | usize::from(byte & 0x7f));
    Ok((value, rest))
}

fn number(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

fn with_length(bytes: &[u8]) -> Vec<u8> {
    [&number(bytes.len()), bytes].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_function_follows_the_one_that_it_resembles() {
        let functions: [&[u8]; 4] = [b"abcdefgh", b"12345", b"abcdefghijkl", b"0123456789"];
        assert_eq!(order(&functions), [1, 3, 0, 2]);
    }

    #[test]
    fn the_names_count_in_that_order_and_the_module_stays_as_it_is() {
        let module = [&b"\0asm\x01\0\0\0"[..], &[CODE, 8, 2, 3, 7, 8, 9, 2, 5, 6]].concat();
        assert_eq!(
            functions(&module).expect("a module"),
            [&[7, 8, 9][..], &[5, 6]]
        );
        let named = with_names_in_order(&module).expect("a module");
        assert!(named.starts_with(&module));
        assert!(named.ends_with(b"\x04name\x01\x11\x02\x00\x06000001\x01\x06000000"));
    }

    #[test]
    fn numbers_survive() {
        for value in [0, 127, 128, 70_000] {
            let bytes = number(value);
            assert_eq!(read_number(&bytes).expect("a number"), (value, &[][..]));
        }
        assert!(cut(&[5, 1]).is_err() && read_number(&[0x80]).is_err());
    }
}
