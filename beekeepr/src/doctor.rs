//! `beekeepr doctor`: asks servers as a viewer would, and says what to do about what is wrong.

mod nat;
mod probe;
mod stun_url;

use std::fmt;
use std::net::SocketAddr;

use crate::args;
use crate::config::Config;
use crate::failure::Failure;
use crate::operator::say;
use probe::{Answer, ProbeError};
pub(crate) use stun_url::StunUrl;
use stun_url::Transport;

/// Addresses of one name that are tried at most. Names of servers have one of each family.
const ADDRESSES_MAX: usize = 4;

/// `beekeepr doctor`
///
/// Fails when a server does not answer on one of its addresses.
pub(crate) async fn run(args: args::Doctor) -> Result<(), Failure> {
    let urls = if args.stun.is_empty() {
        configured(&Config::load(args.file.config.as_deref())?)
    } else {
        args.stun
    };
    let mut failures = 0;
    for url in &urls {
        say(&url.to_string());
        failures += examine(url).await;
    }
    if failures == 0 {
        return Ok(());
    }
    Err(Failure::Other(format!(
        "{failures} of the STUN tests failed, see above"
    )))
}

/// The server of this machine, at the addresses that it listens on.
fn configured(config: &Config) -> Vec<StunUrl> {
    let stun = &config.stun;
    let lists = [
        (Transport::Udp, &stun.listen),
        (Transport::Tcp, &stun.tcp_listen),
        (Transport::Tls, &stun.tls_listen),
    ];
    lists
        .into_iter()
        .flat_map(|(transport, list)| list.iter().map(move |it| StunUrl::of(transport, *it)))
        .collect()
}

/// Tests one server and tells what came of it: how many tests failed.
async fn examine(url: &StunUrl) -> usize {
    let addresses = match tokio::net::lookup_host((url.host.as_str(), url.port)).await {
        Ok(addresses) => addresses.take(ADDRESSES_MAX).collect::<Vec<_>>(),
        Err(error) => {
            let host = &url.host;
            say(&format!(
                "  FAIL  {host} has no address: {error}\n        check the name, and its A and AAAA \
                 records"
            ));
            return 1;
        }
    };
    let mut failures = 0;
    for address in addresses {
        match probe::ask(url, address).await {
            Ok(answer) => {
                say(&format!(
                    "  ok    {}",
                    told(address, url.transport, &answer)
                ));
                if url.transport == Transport::Udp {
                    say(&format!("        {}", nat::examine(address, &answer).await));
                }
            }
            Err(error) => {
                failures += 1;
                say(&format!(
                    "  FAIL  {address} over {}: {error}\n        {}",
                    url.transport,
                    advice(url, &error)
                ));
            }
        }
    }
    failures
}

fn told(address: SocketAddr, transport: Transport, answer: &Answer) -> String {
    let ms = answer.round_trip.as_secs_f64() * 1e3;
    let mapped = answer.mapped;
    format!("{address} over {transport}: you are {mapped}, {ms:.1} ms")
}

/// What to do about it.
fn advice(url: &StunUrl, error: &ProbeError) -> impl fmt::Display {
    let port = url.port;
    match error {
        ProbeError::Silent => format!(
            "see that the server runs, that its firewall and the cloud's security group let UDP port \
             {port} in, and that `stun.listen` is not an address of the machine alone (127.0.0.1)"
        ),
        ProbeError::Connect(_) | ProbeError::Slow => format!(
            "see that the server listens there (`stun.tcp_listen`, `stun.tls_listen`) and that TCP \
             port {port} is let in"
        ),
        ProbeError::Tls(_) => {
            "see that `stun.tls.certificate` holds the whole chain for this name, \
             from an authority that this machine trusts"
                .to_owned()
        }
        ProbeError::Refused(_) | ProbeError::Strange => {
            "see that it is a STUN server for everybody that listens there".to_owned()
        }
        ProbeError::System(_) => "see that this machine has a network of that family".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;

    use beekeepr_service::Shutdown;
    use prometheus::Registry;

    use super::*;

    async fn server(config: beekeepr_stun_server::Config) -> beekeepr_stun_server::Running {
        let (trigger, shutdown) = Shutdown::new();
        // It lives as long as the test's process.
        std::mem::forget(trigger);
        let registry = Registry::new();
        let started = beekeepr_stun_server::start(config, &registry, shutdown).await;
        started.unwrap()
    }

    fn config() -> beekeepr_stun_server::Config {
        beekeepr_stun_server::Config {
            listen: vec!["127.0.0.1:0".parse().unwrap()],
            tcp_listen: vec!["127.0.0.1:0".parse().unwrap()],
            workers: 1,
            ..Default::default()
        }
    }

    #[tokio::test]
    async fn a_server_that_answers_has_no_failures() {
        let running = server(config()).await;
        for url in running.urls() {
            assert_eq!(examine(&url.parse().unwrap()).await, 0, "{url}");
        }
    }

    #[tokio::test]
    async fn the_address_and_the_nat_are_told() {
        let config = beekeepr_stun_server::Config {
            alternate: vec!["127.0.0.2:0".parse().unwrap()],
            ..config()
        };
        let running = server(config).await;
        let address = running.addresses[0];
        let url = StunUrl::of(Transport::Udp, address);
        let answer = probe::ask(&url, address).await.unwrap();
        assert!(told(address, url.transport, &answer).contains("you are 127.0.0.1:"));
        let nat = nat::examine(address, &answer).await;
        assert!(nat.contains("no NAT"), "{nat}");
        assert!(nat.contains("endpoint-independent filtering"), "{nat}");
    }

    #[tokio::test]
    async fn a_closed_tcp_port_is_a_failure_with_advice() {
        let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = closed.local_addr().unwrap();
        drop(closed);
        let url = StunUrl::of(Transport::Tcp, address);
        let error = probe::ask(&url, address).await.unwrap_err();
        assert!(matches!(error, ProbeError::Connect(_)), "{error}");
        let advice = advice(&url, &error).to_string();
        assert!(advice.contains("stun.tcp_listen"), "{advice}");
        assert_eq!(examine(&url).await, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn silence_is_a_failure_with_advice() {
        let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = silent.local_addr().unwrap();
        let url = StunUrl::of(Transport::Udp, address);
        let error = probe::ask(&url, address).await.unwrap_err();
        assert!(matches!(error, ProbeError::Silent), "{error}");
        assert!(advice(&url, &error).to_string().contains("firewall"));
    }

    #[test]
    fn without_urls_the_configured_server_is_asked() {
        let urls = configured(&Config::default());
        let urls: Vec<_> = urls.iter().map(ToString::to_string).collect();
        assert_eq!(urls, ["stun:127.0.0.1:3478", "stun:[::1]:3478"]);
    }
}
