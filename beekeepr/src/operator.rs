//! Small commands that help the operator.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use beekeepr_seeder::check::{self, Report};

use crate::args::{Check, File, Healthcheck};
use crate::config::Config;
use crate::failure::Failure;
use crate::start;

/// Shorter than the interval at which container runtimes ask.
const HEALTH_TIMEOUT: Duration = Duration::from_secs(3);

/// The admin listener's answer is a few lines; more is not of interest.
const HEALTH_BYTES_MAX: u64 = 4096;

/// `beekeepr check`
pub(crate) async fn check(args: Check) -> Result<(), Failure> {
    let mut config = Config::load(args.file.config.as_deref())?;
    if !args.channels.is_empty() {
        config.seeder.channels = args.channels.into_iter().map(Into::into).collect();
    }
    let faults = [config.stun.faults(), config.control.faults()].concat();
    if !faults.is_empty() {
        return Err(Failure::Config(faults.join("; ")));
    }
    let seeder = config.seeder.check_settings();
    seeder.map_err(|error| Failure::Config(error.to_string()))?;
    if !args.json {
        say("the configuration is valid");
    }
    if args.offline {
        return Ok(());
    }
    let reports = check::channels(&config.seeder)
        .await
        .map_err(start::seeder_failure)?;
    if args.json {
        say(&serde_json::json!({ "channels": reports }).to_string());
    } else {
        reports.iter().for_each(tell);
    }
    let unreadable: Vec<&str> = reports
        .iter()
        .filter(|report| !report.is_readable)
        .map(|report| report.channel.as_str())
        .collect();
    if unreadable.is_empty() {
        return Ok(());
    }
    Err(Failure::Other(format!(
        "cannot be seeded, see above: {}",
        unreadable.join(", ")
    )))
}

/// A channel's line, and one for each thing that is unsuitable.
fn tell(report: &Report) {
    let mark = if report.is_readable { "ok  " } else { "FAIL" };
    say(&format!("{mark}  {}: {}", report.channel, report.summary));
    for problem in &report.problems {
        say(&format!("      {problem}"));
    }
    for note in &report.notes {
        say(&format!("      note: {note}"));
    }
}

/// `beekeepr config print`
pub(crate) fn print(file: &File) -> Result<(), Failure> {
    let config = Config::load(file.config.as_deref())?;
    let text = toml::to_string(&config).map_err(|error| Failure::Other(error.to_string()))?;
    say(text.trim_end());
    Ok(())
}

/// `beekeepr ports`
pub(crate) fn ports(file: &File) -> Result<(), Failure> {
    let config = Config::load(file.config.as_deref())?;
    say(&format!("tcp {} page", config.web.listen));
    say(&format!("tcp {} tracker", config.tracker.listen));
    for listen in &config.tracker.listen_more {
        say(&format!("tcp {listen} tracker"));
    }
    say(&format!(
        "tcp {} health and metrics",
        config.admin.address()
    ));
    for listen in &config.stun.listen {
        say(&format!("udp {listen} stun"));
    }
    for alternate in &config.stun.alternate {
        say(&format!("udp {alternate} stun (RFC 5780)"));
    }
    for listen in config.stun.tcp_listen.iter().chain(&config.stun.tls_listen) {
        say(&format!("tcp {listen} stun"));
    }
    for udp in shards(config.seeder.udp, config.seeder.shards) {
        say(&format!("udp {udp} seeder"));
    }
    if let Some(shield) = &config.seeder.shield {
        say(&format!("tcp {} seeder (origin shield)", shield.listen));
    }
    say(&format!("tcp {} control", config.control.listen));
    if let Some(listen) = config.control.beacons.listen {
        say(&format!("tcp {listen} control (reports of viewers)"));
    }
    Ok(())
}

/// The addresses that the seeder's shards bind; with port 0 each takes a free one.
fn shards(udp: SocketAddr, count: usize) -> impl Iterator<Item = SocketAddr> {
    let ports = if udp.port() == 0 {
        0..=0
    } else {
        udp.port()..=u16::MAX
    };
    ports
        .take(count)
        .map(move |port| SocketAddr::new(udp.ip(), port))
}

/// `beekeepr healthcheck`
pub(crate) fn healthcheck(args: &Healthcheck) -> Result<(), Failure> {
    let mut config = Config::load(args.file.config.as_deref())?;
    config.admin.listen = args.admin.admin_listen.or(config.admin.listen);
    let address = config.admin.address();
    let answer = ask_readiness(address)
        .map_err(|error| Failure::Other(format!("no answer from http://{address}: {error}")))?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    if head.split(' ').nth(1) == Some("200") {
        say(body.trim_end());
        return Ok(());
    }
    Err(Failure::Other(format!(
        "not ready: {}",
        body.trim_end().replace('\n', ", ")
    )))
}

fn ask_readiness(address: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, HEALTH_TIMEOUT)?;
    stream.set_read_timeout(Some(HEALTH_TIMEOUT))?;
    stream.set_write_timeout(Some(HEALTH_TIMEOUT))?;
    write!(
        stream,
        "GET /readyz HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n"
    )?;
    let mut answer = String::new();
    stream.take(HEALTH_BYTES_MAX).read_to_string(&mut answer)?;
    Ok(answer)
}

/// A line on standard output, for whom it may concern.
pub(crate) fn say(line: &str) {
    // Whoever closed our output does not want to read it.
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_shard_has_the_next_port() {
        let listed = |udp: &str, count| -> Vec<String> {
            let shards = shards(udp.parse().unwrap(), count);
            shards.map(|udp| udp.to_string()).collect()
        };
        assert_eq!(
            listed("127.0.0.1:5000", 2),
            ["127.0.0.1:5000", "127.0.0.1:5001"]
        );
        assert_eq!(listed("[::]:0", 4), ["[::]:0"]);
        assert_eq!(listed("127.0.0.1:65535", 2), ["127.0.0.1:65535"]);
    }
}
