//! Frame rates as JavaScript reads and prints them: `Number(text).toString()`.
//!
//! On text, because reading and printing floating point is 10 KB in the browser. Exact for up to 15 digits, which
//! every double keeps apart; of more, those stay that are written, which is right for what another program printed of
//! a double in its shortest form.

use std::cmp::Ordering;

use super::normal::trim;

/// A number as JavaScript reads and prints it, `Number(text).toString()`; nothing for what is none.
///
/// Exact for up to 15 digits, which every double keeps apart; of more, those stay that are written.
#[must_use]
pub fn print(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let text = trim(text);
    // Of white space JavaScript makes 0.
    if text.is_empty() {
        return "0".to_owned();
    }
    if let Some((radix, digits)) = radix(text) {
        let number = u64::from_str_radix(digits, radix).ok();
        let number = number.filter(|_| !digits.starts_with('+'));
        return number.map(|number| number.to_string()).unwrap_or_default();
    }
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    match decimal(rest) {
        Some(number) if number == "0" => number,
        Some(number) => [sign, &number].concat(),
        None => String::new(),
    }
}

fn radix(text: &str) -> Option<(u32, &str)> {
    let (mark, digits) = text.split_at_checked(2)?;
    let radix = match mark {
        "0x" | "0X" => 16,
        "0o" | "0O" => 8,
        "0b" | "0B" => 2,
        _ => return None,
    };
    Some((radix, digits))
}

fn decimal(text: &str) -> Option<String> {
    if text == "Infinity" {
        return Some(text.to_owned());
    }
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = [whole, fraction].concat();
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let exponent: i32 = exponent.parse().ok()?;
    let zeros = digits.len() - digits.trim_start_matches('0').len();
    let digits = digits.trim_matches('0');
    if digits.is_empty() {
        return Some("0".to_owned());
    }
    // Where the point stands behind the first of the digits that count.
    let whole = i32::try_from(whole.len()).ok()?;
    let point = whole.checked_sub(i32::try_from(zeros).ok()?)?;
    Some(place_point(digits, point.checked_add(exponent)?))
}

/// JavaScript's layout of `0.digits` times ten to the power of `point` (ECMA-262, `Number::toString`).
fn place_point(digits: &str, point: i32) -> String {
    let count = digits.len() as i32;
    match point {
        // Beyond what a double holds.
        310.. => "Infinity".to_owned(),
        ..=-324 => "0".to_owned(),
        1..=21 if count <= point => [digits, &zeros(point - count)].concat(),
        1..=21 => {
            let (whole, fraction) = digits.split_at(point as usize);
            [whole, ".", fraction].concat()
        }
        -5..=0 => ["0.", &zeros(-point), digits].concat(),
        _ => {
            let (first, rest) = digits.split_at(1);
            let dot = if rest.is_empty() { "" } else { "." };
            let sign = match point.cmp(&1) {
                Ordering::Less => "-",
                Ordering::Equal | Ordering::Greater => "+",
            };
            [
                first,
                dot,
                rest,
                "e",
                sign,
                &(point - 1).unsigned_abs().to_string(),
            ]
            .concat()
        }
    }
}

fn zeros(count: i32) -> String {
    "0".repeat(usize::try_from(count).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    // What node 20 prints.
    #[test]
    fn frame_rates_are_printed_as_javascript_prints_them() {
        let cases = [
            ("30.000", "30"),
            ("29.970", "29.97"),
            ("025.5", "25.5"),
            ("100", "100"),
            (".5", "0.5"),
            ("5.", "5"),
            ("0", "0"),
            ("-0.0", "0"),
            ("-1.50", "-1.5"),
            ("+24", "24"),
            (" \t60\u{feff}", "60"),
            (" ", "0"),
            ("1e3", "1000"),
            ("2.5E-1", "0.25"),
            ("1e21", "1e+21"),
            ("123e20", "1.23e+22"),
            ("0.000001", "0.000001"),
            ("0.00000012", "1.2e-7"),
            ("0x1F", "31"),
            ("0b11", "3"),
            ("Infinity", "Infinity"),
            ("1e999", "Infinity"),
            ("1e-999", "0"),
        ];
        for (written, printed) in cases {
            assert_eq!(print(written), printed, "{written}");
        }
    }

    #[test]
    fn what_is_no_number_is_nothing() {
        for nonsense in [
            "",
            ".",
            "e5",
            "1e",
            "1e+-2",
            "NaN",
            "30 fps",
            "30000/1001",
            "1_0",
            "0x",
            "-0x1",
            "infinity",
            "é",
        ] {
            assert_eq!(print(nonsense), "", "{nonsense}");
        }
    }
}
