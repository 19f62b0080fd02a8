//! Who an address leads to: user, host and port.

/// Digits of the longest port.
const PORT_DIGITS_MAX: usize = 5;

/// Characters of the longest IPv6 address.
const IPV6_CHARS_MAX: usize = 39;

/// Appends `user@host:port` as browsers write it.
pub(super) fn push_authority(out: &mut String, authority: &str, scheme: &str) -> Option<()> {
    let (user, rest) = match authority.rsplit_once('@') {
        Some((user, rest)) => (user, rest),
        None => ("", authority),
    };
    push_user(out, user)?;
    // The colons of an IPv6 address stand inside brackets.
    let (host, port) = match rest.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port),
        _ => (rest, ""),
    };
    push_host(out, host)?;
    push_port(out, port, scheme)
}

/// Names and passwords that would have to be encoded are refused: no manifest has them.
fn push_user(out: &mut String, user: &str) -> Option<()> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&()*+,%:".contains(&byte);
    let colons = user.bytes().filter(|byte| *byte == b':').count();
    if colons > 1 || user.starts_with(':') || user.ends_with(':') || !user.bytes().all(plain) {
        return None;
    }
    if !user.is_empty() {
        out.push_str(user);
        out.push('@');
    }
    Some(())
}

fn push_host(out: &mut String, host: &str) -> Option<()> {
    let is_host = match host.strip_prefix('[').and_then(|it| it.strip_suffix(']')) {
        Some(inner) => is_ipv6(inner),
        None => is_name(host),
    };
    if !is_host {
        return None;
    }
    out.extend(host.chars().map(|it| it.to_ascii_lowercase()));
    Some(())
}

/// Only looked at, not brought into the shortest form: that is 1 KB in the browser for what manifests hardly have.
fn is_ipv6(text: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_hexdigit() || byte == b':';
    (2..=IPV6_CHARS_MAX).contains(&text.len()) && text.bytes().all(known)
}

fn is_name(host: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    if host.is_empty() || !host.bytes().all(known) {
        return false;
    }
    let last = host.strip_suffix('.').unwrap_or(host).rsplit('.').next();
    // Browsers read `1.2.3` and `0x7f.1` as IPv4 addresses too, which is a trap in a manifest.
    !last.is_some_and(is_number) || is_ipv4(host)
}

fn is_number(label: &str) -> bool {
    let hex = label
        .strip_prefix('0')
        .and_then(|it| it.strip_prefix(['x', 'X']));
    match hex {
        Some(digits) => digits.bytes().all(|it| it.is_ascii_hexdigit()),
        None => !label.is_empty() && label.bytes().all(|it| it.is_ascii_digit()),
    }
}

/// Four numbers up to 255 without a 0 before them.
fn is_ipv4(host: &str) -> bool {
    let part = |part: &str| part.parse::<u8>().is_ok() && (part == "0" || !part.starts_with('0'));
    host.split('.').count() == 4 && host.split('.').all(part)
}

fn push_port(out: &mut String, port: &str, scheme: &str) -> Option<()> {
    let digits = port.trim_start_matches('0');
    let known = digits.bytes().all(|it| it.is_ascii_digit());
    if !known
        || digits.len() > PORT_DIGITS_MAX
        || (!digits.is_empty() && digits.parse::<u16>().is_err())
    {
        return None;
    }
    let usual = if scheme == "https" { "443" } else { "80" };
    if port.is_empty() || digits == usual {
        return Some(());
    }
    out.push(':');
    out.push_str(if digits.is_empty() { "0" } else { digits });
    Some(())
}
