//! The values in an MPD's attributes: numbers, durations, dates, ranges.
//!
//! Fractions become the floating point number that JavaScript would read, because the identities of segments are
//! made of it. Reading them by hand spares the browser 10 KB.

use beekeepr_model::ByteRange;

/// The longest time anything may last: a hundred years, in seconds. JavaScript still counts its microseconds.
pub(crate) const SECONDS_MAX: f64 = 3_200_000_000.0;

/// Digits that are read of a fraction. With 15 of them a division yields the nearest floating point number.
const DIGITS_MAX: usize = 15;

/// A whole number that JavaScript holds exactly.
pub(crate) fn whole(text: &str) -> Option<u64> {
    let digits = text.strip_prefix('+').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok()
}

/// Tells whether S@r repeats to the end: it is below zero. Otherwise how often.
pub(crate) fn repeats(text: &str) -> Option<Option<u64>> {
    match text.strip_prefix('-') {
        Some(digits) => whole(digits).map(|number| (number == 0).then_some(0)),
        None => whole(text).map(Some),
    }
}

/// `12`, `1.5` or `.5`, never negative.
pub(crate) fn decimal(text: &str) -> Option<f64> {
    let (integer, fraction) = text.split_once('.').unwrap_or((text, ""));
    if integer.len() + fraction.len() == 0 {
        return None;
    }
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_digits(integer) || !is_digits(fraction) {
        return None;
    }
    let room = DIGITS_MAX.checked_sub(integer.trim_start_matches('0').len())?;
    let fraction = fraction.get(..room).unwrap_or(fraction);
    let digit = |sum: u64, byte: u8| sum * 10 + u64::from(byte - b'0');
    let digits = integer
        .trim_start_matches('0')
        .bytes()
        .chain(fraction.bytes())
        .fold(0, digit);
    let scale = (0..fraction.len()).fold(1.0, |scale, _| scale * 10.0);
    Some(digits as f64 / scale)
}

/// `30000/1001` or `29.97`, above zero.
pub(crate) fn ratio(text: &str) -> Option<f64> {
    let value = match text.split_once('/') {
        Some((over, under)) => decimal(over.trim())? / decimal(under.trim())?,
        None => decimal(text)?,
    };
    (value.is_finite() && value > 0.0).then_some(value)
}

/// An xs:duration such as `PT1H2M3.5S`, in seconds. A year has 365 days and a month 30, as in Shaka and mpd-parser.
pub(crate) fn duration(text: &str) -> Option<f64> {
    let rest = text.strip_prefix('P')?;
    let (date, time) = rest.split_once('T').unwrap_or((rest, ""));
    if date.is_empty() && time.is_empty() {
        return None;
    }
    let days = fields(
        date,
        &[('Y', 31_536_000.0), ('M', 2_592_000.0), ('D', 86_400.0)],
    )?;
    let seconds = days + fields(time, &[('H', 3_600.0), ('M', 60.0), ('S', 1.0)])?;
    (seconds <= SECONDS_MAX).then_some(seconds)
}

fn fields(text: &str, units: &[(char, f64)]) -> Option<f64> {
    let mut rest = text;
    let mut sum = 0.0;
    for &(unit, seconds) in units {
        if let Some((number, after)) = rest.split_once(unit) {
            sum += decimal(number)? * seconds;
            rest = after;
        }
    }
    rest.is_empty().then_some(sum)
}

/// An xs:dateTime such as `2026-01-31T10:00:00.5+01:00` or an RFC 3339 one, in milliseconds since 1970 UTC.
/// Without a time zone it is UTC, as in Shaka and mpd-parser.
pub(crate) fn date(text: &str) -> Option<i64> {
    let (date, time) = text.split_once(['T', 't', ' '])?;
    let mut parts = date.splitn(3, '-').map(whole);
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    let in_range = (1..=12).contains(&month) && (1..=31).contains(&day);
    if !in_range || !(1970..=9999).contains(&year) {
        return None;
    }
    let (time, zone_minutes) = split_zone(time)?;
    let mut parts = time.splitn(3, ':');
    let (hour, minute) = (whole(parts.next()?)?, whole(parts.next()?)?);
    let second = decimal(parts.next().unwrap_or("0"))?;
    if hour > 24 || minute > 59 || second >= 61.0 {
        return None;
    }
    let minutes = days_since_1970(year, month, day) * 1_440 + (hour * 60 + minute) as i64;
    Some((minutes - zone_minutes) * 60_000 + (second * 1_000.0) as i64)
}

/// The time of day, and how many minutes its zone is before UTC.
fn split_zone(time: &str) -> Option<(&str, i64)> {
    if let Some(time) = time.strip_suffix(['Z', 'z']) {
        return Some((time, 0));
    }
    let Some(at) = time.rfind(['+', '-']) else {
        return Some((time, 0));
    };
    let (time, zone) = time.split_at(at);
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    let (hours, minutes) = zone[1..].split_once(':')?;
    let (hours, minutes) = (whole(hours)?, whole(minutes)?);
    (hours <= 14 && minutes <= 59).then_some((time, sign * (hours * 60 + minutes) as i64))
}

/// Counts years from March, so that the leap day is the last of its year.
fn days_since_1970(year: u64, month: u64, day: u64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let months = (month + 9) % 12;
    let day_of_year = (153 * months + 2) / 5 + day - 1;
    let days = year * 365 + year / 4 - year / 100 + year / 400 + day_of_year;
    days as i64 - 719_468
}

/// `first-last`, both included.
pub(crate) fn range(text: &str) -> Option<ByteRange> {
    let (first, last) = text.split_once('-')?;
    let (start, end) = (whole(first.trim())?, whole(last.trim())?.checked_add(1)?);
    (start < end).then_some(ByteRange { start, end })
}

/// Seconds in milliseconds, rounded; 0 for less than none.
pub(crate) fn ms(seconds: f64) -> u64 {
    // A float to integer cast saturates, and takes NaN as 0.
    (seconds * 1_000.0).round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_javascript_reads_them() {
        let cases = [
            ("PT0S", 0.0),
            ("PT634.566S", 634.566),
            ("PT0H10M34.5S", 634.5),
            ("P1DT1H", 90_000.0),
            ("P0Y0M0DT0H3M30.000S", 210.0),
            ("PT1.0010000000000001S", 1.001),
        ];
        for (text, seconds) in cases {
            assert_eq!(duration(text), Some(seconds), "{text}");
        }
        for text in [
            "",
            "P",
            "5",
            "PT-1S",
            "PT1X",
            "PT1S1M",
            "P9999999Y",
            "PT1e3S",
            "PT",
        ] {
            assert_eq!(duration(text), None, "{text}");
        }
    }

    #[test]
    fn dates_are_read_with_and_without_a_zone() {
        let cases = [
            ("1970-01-01T00:00:00Z", 0),
            ("2000-02-29T12:00:00", 951_825_600_000),
            ("2026-01-01T01:00:00.250+01:00", 1_767_225_600_250),
            ("2025-12-31T23:30:00-00:30", 1_767_225_600_000),
            ("2026-01-01T00:00:00.123456Z", 1_767_225_600_123),
        ];
        for (text, ms) in cases {
            assert_eq!(date(text), Some(ms), "{text}");
        }
        for text in [
            "",
            "2026-13-01T00:00:00Z",
            "2026-01-01",
            "now",
            "2026-01-01T25:00:00Z",
            "0-0-0T0:0:0",
        ] {
            assert_eq!(date(text), None, "{text}");
        }
    }

    #[test]
    fn numbers_and_ranges_have_bounds() {
        assert_eq!(whole("18446744073709551616"), None);
        assert_eq!((whole("+7"), whole("-7"), whole("")), (Some(7), None, None));
        assert_eq!(
            (repeats("-1"), repeats("3"), repeats("x")),
            (Some(None), Some(Some(3)), None)
        );
        assert_eq!(
            (decimal(".5"), decimal("."), decimal("1e3")),
            (Some(0.5), None, None)
        );
        assert_eq!(
            (ratio("30000/1001"), ratio("1/0")),
            (Some(30_000.0 / 1_001.0), None)
        );
        assert_eq!(range("0-0"), Some(ByteRange { start: 0, end: 1 }));
        assert_eq!(
            (range("5-4"), range("5"), range("0-18446744073709551615")),
            (None, None, None)
        );
    }
}
