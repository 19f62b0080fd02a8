//! Who a client is when a proxy stands before the tracker, by the header `X-Forwarded-For`.

use std::net::{IpAddr, SocketAddr};

use beekeepr_service::cidr::{Cidr, any_contains};

/// The address of the client: the last one in the header that is no trusted proxy, for each proxy
/// appends whom it spoke with. What stands before it was written by the client itself and may be a lie.
/// Without a trusted proxy it is the address that the connection comes from.
pub(crate) fn client<'a>(
    from: IpAddr,
    trusted: &[Cidr],
    headers: impl Iterator<Item = &'a str>,
) -> IpAddr {
    if !any_contains(trusted, from) {
        return from;
    }
    let addresses: Vec<&str> = headers.flat_map(|header| header.split(',')).collect();
    let mut client = from;
    for text in addresses.into_iter().rev() {
        // What cannot be read was not written by a proxy that we trust.
        let Some(address) = read(text.trim_matches([' ', '\t'])) else {
            break;
        };
        client = address;
        if !any_contains(trusted, address) {
            break;
        }
    }
    client
}

/// Some proxies write the port too.
fn read(text: &str) -> Option<IpAddr> {
    let address = text
        .parse::<IpAddr>()
        .or_else(|_| text.parse::<SocketAddr>().map(|address| address.ip()));
    address.ok().map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(from: &str, headers: &[&str]) -> String {
        let trusted = ["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
        client(from.parse().unwrap(), &trusted, headers.iter().copied()).to_string()
    }

    #[test]
    fn the_last_address_that_is_no_proxy_is_the_client() {
        assert_eq!(found("10.0.0.1", &["192.0.2.7"]), "192.0.2.7");
        assert_eq!(found("10.0.0.1", &["192.0.2.7, 10.0.0.2"]), "192.0.2.7");
        assert_eq!(
            found("10.0.0.1", &["6.6.6.6, 192.0.2.7"]),
            "192.0.2.7",
            "a lie of the client's"
        );
        assert_eq!(
            found("10.0.0.1", &["6.6.6.6", "192.0.2.7"]),
            "192.0.2.7",
            "as two headers"
        );
        assert_eq!(found("fd00::1", &["2001:db8::7"]), "2001:db8::7");
        assert_eq!(found("10.0.0.1", &["192.0.2.7:4711"]), "192.0.2.7");
        assert_eq!(found("10.0.0.1", &["[2001:db8::7]:4711"]), "2001:db8::7");
    }

    #[test]
    fn strangers_are_not_believed() {
        assert_eq!(found("192.0.2.9", &["6.6.6.6"]), "192.0.2.9");
    }

    #[test]
    fn without_a_usable_address_it_is_the_last_proxy() {
        assert_eq!(found("10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(found("10.0.0.1", &["unknown, 10.0.0.2"]), "10.0.0.2");
        assert_eq!(found("10.0.0.1", &[""]), "10.0.0.1");
        assert_eq!(found("10.0.0.1", &["6.6.6.6, x"]), "10.0.0.1");
    }
}
