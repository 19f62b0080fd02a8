//! Numbers and dates of playlists, by hand: reading floating point is 13 KB in the browser.

use beekeepr_model::ByteRange;

/// A duration that is longer is a mistake of the manifest: one day, more than any window of a live stream.
const DURATION_MS_MAX: u64 = 86_400_000;

/// Seconds with or without a fraction as milliseconds, rounded. What follows the number is left alone, as JavaScript's
/// `parseFloat` does; below 0 is 0.
pub(super) fn milliseconds(seconds: &str) -> Option<u64> {
    signed_milliseconds(seconds).map(|ms| u64::try_from(ms).unwrap_or(0))
}

/// The same, where it may be below 0.
pub(super) fn signed_milliseconds(seconds: &str) -> Option<i64> {
    let seconds = seconds.trim_ascii();
    let (minus, digits) = match seconds.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, seconds.strip_prefix('+').unwrap_or(seconds)),
    };
    let (whole, rest) = split_digits(digits);
    let fraction = rest
        .strip_prefix('.')
        .map_or("", |rest| split_digits(rest).0);
    if whole.len() + fraction.len() == 0 {
        return None;
    }
    let digit = |at: usize| {
        fraction
            .as_bytes()
            .get(at)
            .map_or(0, |digit| u64::from(digit - b'0'))
    };
    let thousandths = digit(0) * 100 + digit(1) * 10 + digit(2) + u64::from(digit(3) >= 5);
    // More digits than fit are more than the longest too.
    let whole = if whole.is_empty() {
        0
    } else {
        whole.parse().unwrap_or(DURATION_MS_MAX)
    };
    let ms = whole
        .saturating_mul(1000)
        .saturating_add(thousandths)
        .min(DURATION_MS_MAX) as i64;
    Some(if minus { -ms } else { ms })
}

/// Length and offset of a byte range, `length[@offset]`.
pub(super) fn byte_range(text: &str) -> Option<(u64, Option<u64>)> {
    match text.split_once('@') {
        Some((length, offset)) => Some((
            length.trim_ascii().parse().ok()?,
            Some(offset.trim_ascii().parse().ok()?),
        )),
        None => Some((text.trim_ascii().parse().ok()?, None)),
    }
}

/// The part of a file that a byte range names. Without an offset it begins where the one before, of the same file, has
/// ended (RFC 8216, 4.3.2.2).
pub(super) fn resolve((length, offset): (u64, Option<u64>), before: Option<u64>) -> ByteRange {
    let start = offset.or(before).unwrap_or(0);
    ByteRange {
        start,
        end: start.saturating_add(length),
    }
}

/// A date and time of ISO 8601 in milliseconds since 1970; without a zone it is UTC.
pub(super) fn date(text: &str) -> Option<i64> {
    let (date, time) = text.trim_ascii().split_once(['T', 't', ' '])?;
    let mut parts = date.splitn(3, '-').map(two_or_more);
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || year > 9999 {
        return None;
    }
    let zone = time.find(['Z', 'z', '+', '-']).unwrap_or(time.len());
    let (time, zone) = time.split_at(zone);
    let mut parts = time.splitn(3, ':');
    let (hours, minutes) = (two_or_more(parts.next()?)?, two_or_more(parts.next()?)?);
    let ms = parts.next().map_or(Some(0), signed_milliseconds)?;
    if hours > 24 || minutes > 59 || ms > 61_000 {
        return None;
    }
    let minutes = (days(year, month, day) * 24 + hours) * 60 + minutes - zone_minutes(zone)?;
    Some(minutes * 60_000 + ms)
}

/// `Z`, `+hh:mm`, `+hhmm` or `+hh`.
fn zone_minutes(zone: &str) -> Option<i64> {
    let sign = match zone.chars().next() {
        Some('+') => 1,
        Some('-') => -1,
        _ => return Some(0),
    };
    let digits = &zone[1..];
    let (hours, minutes) = (digits.get(..2)?, digits.get(2..)?.trim_start_matches(':'));
    let minutes = if minutes.is_empty() {
        0
    } else {
        two_or_more(minutes)?
    };
    Some(sign * (two_or_more(hours)? * 60 + minutes))
}

/// At least two digits, at most four.
fn two_or_more(digits: &str) -> Option<i64> {
    let is_number = (2..=4).contains(&digits.len()) && digits.bytes().all(|it| it.is_ascii_digit());
    if is_number { digits.parse().ok() } else { None }
}

/// Days since 1970 in the Gregorian calendar: years begin in March, so that the leap day is their last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month > 2 { year } else { year - 1 };
    let month = (month + 9) % 12;
    let leaps = year / 4 - year / 100 + year / 400;
    // 719,468 days lie between the first of March of the year 0 and 1970.
    year * 365 + leaps + (month * 153 + 2) / 5 + day - 1 - 719_468
}

fn split_digits(text: &str) -> (&str, &str) {
    let end = text.find(|it: char| !it.is_ascii_digit());
    text.split_at(end.unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_rounded_to_milliseconds() {
        let cases = [
            ("4", 4000),
            ("3.96667", 3967),
            ("3.9664", 3966),
            (".5", 500),
            ("9.99999", 10_000),
            (" 10.01 title", 10_010),
            ("-1", 0),
            ("99999999999999999999", DURATION_MS_MAX),
        ];
        for (text, ms) in cases {
            assert_eq!(milliseconds(text), Some(ms), "{text}");
        }
        for text in ["", ".", "abc", "-", "NaN"] {
            assert_eq!(milliseconds(text), None, "{text}");
        }
        assert_eq!(signed_milliseconds("-12.5"), Some(-12_500));
    }

    #[test]
    fn dates_count_from_1970() {
        let cases = [
            ("1970-01-01T00:00:00Z", 0),
            ("2024-02-29T12:00:00.250Z", 1_709_208_000_250),
            ("2024-02-29T13:00:00.250+01:00", 1_709_208_000_250),
            ("2024-02-29T07:30:00.250-0430", 1_709_208_000_250),
            ("2024-02-29 12:00:00", 1_709_208_000_000),
            ("1969-12-31T23:59:59Z", -1000),
            ("2000-03-01T00:00Z", 951_868_800_000),
        ];
        for (text, ms) in cases {
            assert_eq!(date(text), Some(ms), "{text}");
        }
        for text in [
            "",
            "2024-02-29",
            "2024-13-01T00:00:00Z",
            "24-é-01T00:00:00Z",
            "2024-01-01T25:00:00Z",
            "2024-01-01T00:00:00+é",
        ] {
            assert_eq!(date(text), None, "{text}");
        }
    }

    #[test]
    fn byte_ranges_may_lack_their_offset() {
        assert_eq!(byte_range("1000@500"), Some((1000, Some(500))));
        assert_eq!(byte_range("1000"), Some((1000, None)));
        assert_eq!(byte_range("1000@"), None);
        assert_eq!(byte_range("-1"), None);
        assert_eq!(resolve((u64::MAX, None), Some(5)).end, u64::MAX);
    }
}
