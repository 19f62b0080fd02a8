//! Addresses made from a template (ISO/IEC 23009-1, 5.3.9.4.4).

/// The longest number a template may ask for, in digits. Real ones ask for up to twelve.
const WIDTH_MAX: usize = 32;

/// What a template's identifiers stand for.
#[derive(Clone, Copy)]
pub(crate) struct Values<'a> {
    pub(crate) representation: &'a str,
    pub(crate) bandwidth: u64,
    /// Nothing for an initialization segment.
    pub(crate) number: Option<u64>,
    /// The same.
    pub(crate) time: Option<u64>,
}

/// Fills a template in. What it does not know stays as it is, as in Shaka and mpd-parser.
pub(crate) fn fill(template: &str, values: Values<'_>) -> String {
    let mut out = String::with_capacity(template.len() + 24);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        let identifier = after.split_once('$');
        match identifier.and_then(|(name, rest)| Some((value(name, values)?, rest))) {
            Some((text, after)) => {
                out.push_str(&text);
                rest = after;
            }
            None => {
                out.push('$');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

fn value(identifier: &str, values: Values<'_>) -> Option<String> {
    let (name, format) = identifier.split_once('%').unwrap_or((identifier, ""));
    let number = match name {
        "" if format.is_empty() => return Some("$".to_owned()),
        "RepresentationID" => return Some(values.representation.to_owned()),
        "Number" => values.number,
        "Time" => values.time,
        "Bandwidth" => Some(values.bandwidth),
        _ => None,
    };
    pad(number?, format)
}

/// `05d` and the like; the letter is one of C's.
fn pad(number: u64, format: &str) -> Option<String> {
    let Some(kind) = format.bytes().last() else {
        return Some(number.to_string());
    };
    // Between the zero and the letter, which may be the same byte.
    let width = format.strip_prefix('0')?;
    let width = width.get(..width.len().checked_sub(1)?)?;
    let width: usize = if width.is_empty() {
        1
    } else {
        width.parse().ok()?
    };
    let digits = match kind {
        b'd' | b'i' | b'u' => number.to_string(),
        b'x' => in_radix(number, 4, b'a'),
        b'X' => in_radix(number, 4, b'A'),
        b'o' => in_radix(number, 3, b'a'),
        _ => return None,
    };
    let zeros = width.saturating_sub(digits.len());
    (width <= WIDTH_MAX).then(|| ["0".repeat(zeros), digits].concat())
}

fn in_radix(number: u64, bits: u32, ten: u8) -> String {
    let mut digits = Vec::new();
    let mut rest = number;
    loop {
        let digit = (rest & ((1 << bits) - 1)) as u8;
        digits.push(char::from(if digit < 10 {
            b'0' + digit
        } else {
            ten + digit - 10
        }));
        rest >>= bits;
        if rest == 0 {
            return digits.iter().rev().collect();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(template: &str) -> String {
        let values = Values {
            representation: "v-1",
            bandwidth: 300_000,
            number: Some(42),
            time: Some(9_000),
        };
        fill(template, values)
    }

    #[test]
    fn identifiers_are_filled_in() {
        let cases = [
            ("$RepresentationID$/$Number$.m4s", "v-1/42.m4s"),
            ("$Bandwidth$/t$Time$.m4s", "300000/t9000.m4s"),
            ("$Number%05d$-$Time%01d$", "00042-9000"),
            (
                "$Number%04x$ $Number%04X$ $Number%o$",
                "002a 002A $Number%o$",
            ),
            ("$Number%03o$", "052"),
            ("a$$b$$$Number$", "a$b$42"),
            ("no identifier", "no identifier"),
        ];
        for (template, address) in cases {
            assert_eq!(filled(template), address, "{template}");
        }
    }

    #[test]
    fn what_is_unknown_stays() {
        for template in [
            "$SubNumber$",
            "a$Number",
            "$",
            "$Number%099d$",
            "$Number%5d$",
            "$Number%0d5$",
            "$Number%0$",
            "$Number%é$",
        ] {
            assert_eq!(filled(template), template);
        }
        let none = Values {
            representation: "a",
            bandwidth: 1,
            number: None,
            time: None,
        };
        assert_eq!(fill("init-$Number$.mp4", none), "init-$Number$.mp4");
    }
}
