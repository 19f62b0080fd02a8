//! The Range header of a request (RFC 9110, 14.2).

use std::ops::Range;

/// What a Range header asks for.
#[derive(Debug, PartialEq, Eq)]
pub enum Part {
    /// No range, several ranges or nonsense: a server may always send the whole.
    Whole,
    /// These bytes, within the file.
    Range(Range<usize>),
    /// Bytes that the file does not have: 416.
    Outside,
}

/// What `header` asks for of a file of `length` bytes.
#[must_use]
pub fn part(header: &str, length: usize) -> Part {
    let range = header.strip_prefix("bytes=");
    let Some((from, to)) = range.and_then(|range| range.split_once('-')) else {
        return Part::Whole;
    };
    let range = match (from.parse::<usize>().ok(), to.parse::<usize>().ok()) {
        (Some(from), Some(to)) if from <= to => from..to.saturating_add(1).min(length),
        (Some(from), None) if to.is_empty() => from..length,
        // The last bytes; more than there are means all.
        (None, Some(last)) if from.is_empty() => length.saturating_sub(last)..length,
        _ => return Part::Whole,
    };
    if range.is_empty() {
        Part::Outside
    } else {
        Part::Range(range)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_cut_to_the_file() {
        for (header, range) in [
            ("bytes=0-3", 0..4),
            ("bytes=4-", 4..10),
            ("bytes=-3", 7..10),
            ("bytes=-30", 0..10),
            ("bytes=8-18446744073709551615", 8..10),
        ] {
            assert_eq!(part(header, 10), Part::Range(range), "{header}");
        }
    }

    #[test]
    fn a_range_outside_is_refused() {
        for header in ["bytes=10-", "bytes=10-12", "bytes=-0"] {
            assert_eq!(part(header, 10), Part::Outside, "{header}");
        }
    }

    #[test]
    fn what_is_no_single_range_gets_the_whole() {
        for header in [
            "bytes=",
            "bytes=-",
            "bytes=3-1",
            "bytes=0-1,3-4",
            "lines=0-1",
            "bytes=a-b",
        ] {
            assert_eq!(part(header, 10), Part::Whole, "{header}");
        }
    }
}
