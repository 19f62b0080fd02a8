//! Attribute lists: `NAME=value,NAME="value"` (RFC 8216, 4.2).

/// An attribute list, read anew for each attribute that is asked for: lists are short.
#[derive(Clone, Copy)]
pub(super) struct Attributes<'a>(pub(super) &'a str);

impl<'a> Attributes<'a> {
    /// An attribute's value without quotes; the first one of that name.
    pub(super) fn get(self, name: &str) -> Option<&'a str> {
        let mut rest = self.0;
        while let Some((key, value, after)) = first(rest) {
            if key == name {
                return Some(value);
            }
            rest = after;
        }
        None
    }

    /// Whether an attribute says YES.
    pub(super) fn says_yes(self, name: &str) -> bool {
        self.get(name) == Some("YES")
    }

    /// An integer.
    pub(super) fn number(self, name: &str) -> Option<u64> {
        self.get(name)?.parse().ok()
    }
}

/// The first attribute of a list: name, value and the rest.
fn first(list: &str) -> Option<(&str, &str, &str)> {
    let (name, rest) = list.split_once('=')?;
    let (value, rest) = match rest.strip_prefix('"') {
        // Without an end the quotes reach to the end of the line.
        Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
        None => {
            let (value, rest) = rest.split_at(rest.find(',').unwrap_or(rest.len()));
            (value.trim_ascii(), rest)
        }
    };
    let after = rest.split_once(',').map_or("", |(_, after)| after);
    Some((name.trim_ascii(), value, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_may_hold_commas_and_equals_signs() {
        let list = Attributes(r#"A= 1 , B=" x,y=z" ,C=,D="open,E=2"#);
        assert_eq!(list.get("A"), Some("1"));
        assert_eq!(list.get("B"), Some(" x,y=z"));
        assert_eq!(list.get("C"), Some(""));
        assert_eq!(list.get("D"), Some("open,E=2"));
        assert_eq!(list.get("E"), None);
        assert_eq!(Attributes("no attributes").get("no attributes"), None);
    }

    #[test]
    fn a_name_that_ends_like_another_is_not_that_other() {
        let list = Attributes("AVERAGE-BANDWIDTH=1,BANDWIDTH=2");
        assert_eq!(list.number("BANDWIDTH"), Some(2));
        assert_eq!(Attributes("BANDWIDTH=2.5").number("BANDWIDTH"), None);
    }
}
