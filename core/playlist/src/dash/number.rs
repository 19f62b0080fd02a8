//! Numbers as JavaScript computes and prints them: identities are made of that.

/// 2^53 − 1, the largest integer that JavaScript holds exactly.
const SAFE_MAX: f64 = 9_007_199_254_740_991.0;

/// `Math.round(number)`.
pub(crate) fn round(number: f64) -> i64 {
    let floor = number.floor();
    integer(if number - floor >= 0.5 {
        floor + 1.0
    } else {
        floor
    })
}

/// `Math.trunc(number)`.
pub(crate) fn trunc(number: f64) -> i64 {
    integer(number.trunc())
}

fn integer(number: f64) -> i64 {
    number.clamp(-SAFE_MAX, SAFE_MAX) as i64
}

/// `String(number)` for a frame rate or the like, from 1/1000 up to a million; empty for others.
///
/// That is the shortest decimal which is nearer to this number than to any other. Printing floating point by the
/// standard library is 10 KB in the browser.
pub(crate) fn print(number: f64) -> String {
    if !(0.001..=1_000_000.0).contains(&number) {
        return String::new();
    }
    // number = mantissa / 2^shift, with 53 bits of mantissa.
    let bits = number.to_bits();
    let mantissa = u128::from(bits & ((1 << 52) - 1) | 1 << 52);
    let shift = (1_075 - (bits >> 52)) as u32;
    let mut power: u128 = 1;
    for digits in 0..=20 {
        let half = 1_u128 << (shift - 1);
        let rounded = (mantissa * power + half) >> shift;
        let error = (mantissa * power).abs_diff(rounded << shift);
        // Within half a unit of the mantissa's last place.
        if error * 2 <= power {
            // 64 bits hold all that have up to 19 digits; 17 tell every number from all others.
            let (Ok(number), Ok(power)) = (u64::try_from(rounded), u64::try_from(power)) else {
                return String::new();
            };
            return place_point(number, power, digits);
        }
        power *= 10;
    }
    String::new()
}

fn place_point(number: u64, power: u64, digits: usize) -> String {
    let whole = (number / power).to_string();
    if digits == 0 {
        return whole;
    }
    let fraction = (number % power).to_string();
    let zeros = "0".repeat(digits.saturating_sub(fraction.len()));
    [whole.as_str(), ".", &zeros, &fraction].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    // What node 20 prints.
    #[test]
    fn frame_rates_are_printed_as_javascript_prints_them() {
        let cases = [
            (30.0, "30"),
            (30_000.0 / 1_001.0, "29.97002997002997"),
            (24_000.0 / 1_001.0, "23.976023976023978"),
            (60_000.0 / 1_001.0, "59.94005994005994"),
            (29.97, "29.97"),
            (12.5, "12.5"),
            (0.1, "0.1"),
            (119.88, "119.88"),
            (1.0 / 3.0, "0.3333333333333333"),
        ];
        for (number, printed) in cases {
            assert_eq!(print(number), printed);
        }
        assert_eq!(print(0.0), "");
        assert_eq!(print(f64::NAN), "");
    }

    /// For these sizes Rust prints the same digits as JavaScript.
    #[test]
    fn every_ratio_is_printed_shortest() {
        for over in 1..400 {
            for under in [1, 2, 3, 7, 10, 125, 1_000, 1_001] {
                let number = f64::from(over) / f64::from(under);
                if number >= 0.001 {
                    assert_eq!(print(number), number.to_string());
                }
            }
        }
    }

    #[test]
    fn rounding_is_javascripts() {
        assert_eq!(
            (round(2.5), round(-2.5), round(0.499_999_999_999_999_94)),
            (3, -2, 0)
        );
        assert_eq!((trunc(2.9), trunc(-2.9), trunc(f64::NAN)), (2, -2, 0));
        assert_eq!(round(1e300), (1 << 53) - 1);
    }
}
