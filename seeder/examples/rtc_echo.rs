//! A WebRTC peer to try browsers against: echoes what it gets, and floods when asked to.
//!
//! Signalling is lines on standard input and output, so that a browser test can carry descriptions
//! back and forth; the lines of a description are joined by tabs.
//!
//! ```text
//! in:   offer 1               out:  offer 1 v=0...       an offer of ours
//!       answer 1 v=0...                                  the answer to it
//!       accept 2 v=0...       out:  answer 2 v=0...      a browser's offer, our answer
//!       close 2               out:  opened 2, closed 2   what became of it
//! ```
//!
//! A message `flood N` is answered with N messages of 16 KiB, any other message with itself.
//! Arguments: the UDP address (default 127.0.0.1:0) and external addresses.

use std::collections::HashMap;
use std::error::Error;
use std::io::Write;

use beekeepr_seeder::rtc::{Client, HubConfig, HubEvent, start};
use beekeepr_service::Shutdown;
use bytes::Bytes;
use tokio::io::{AsyncBufReadExt, BufReader, stdin};

const FLOOD_MESSAGE_BYTES: usize = 16 * 1024;

/// What the seeder keeps on its way to one peer.
const WINDOW_BYTES: usize = 64 * 1024;

/// What one peer still has to get, and what is on its way.
#[derive(Default)]
struct Flood {
    messages: usize,
    buffered: usize,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let udp = arguments.next().unwrap_or_else(|| "127.0.0.1:0".to_owned());
    let config = HubConfig {
        udp: udp.parse()?,
        external_ips: arguments.map(|ip| ip.parse()).collect::<Result<_, _>>()?,
        ..HubConfig::default()
    };
    let (_trigger, shutdown) = Shutdown::new();
    let hub = start(config, shutdown)?;
    let mut client = hub.register();
    let mut lines = BufReader::new(stdin()).lines();
    let mut floods = HashMap::new();
    say(&format!("ready {}", hub.address()))?;
    loop {
        tokio::select! {
            line = lines.next_line() => match line? {
                Some(line) => command(&client, &line)?,
                None => return Ok(()),
            },
            event = client.event() => match event {
                Some(event) => react(&client, &mut floods, event)?,
                None => return Ok(()),
            },
        }
    }
}

fn command(client: &Client, line: &str) -> Result<(), Box<dyn Error>> {
    let mut words = line.splitn(3, ' ');
    let verb = words.next().unwrap_or_default();
    let conn = words.next().unwrap_or_default().parse()?;
    let sdp = words.next().unwrap_or_default().replace('\t', "\r\n");
    match verb {
        "offer" => client.offer_create(conn),
        "answer" => client.answer_accept(conn, sdp),
        "accept" => client.offer_accept(conn, sdp),
        "close" => client.close(conn),
        other => return Err(format!("unknown command {other:?}").into()),
    }
    Ok(())
}

fn react(
    client: &Client,
    floods: &mut HashMap<u32, Flood>,
    event: HubEvent,
) -> Result<(), Box<dyn Error>> {
    match event {
        HubEvent::OfferReady { conn, sdp } => say(&format!("offer {conn} {}", one_line(&sdp)))?,
        HubEvent::AnswerReady { conn, sdp } => say(&format!("answer {conn} {}", one_line(&sdp)))?,
        HubEvent::Opened { conn } => say(&format!("opened {conn}"))?,
        HubEvent::Closed { conn } => {
            floods.remove(&conn);
            say(&format!("closed {conn}"))?;
        }
        HubEvent::Drained { conn, buffered } => {
            if let Some(flood) = floods.get_mut(&conn) {
                flood.buffered = usize::try_from(buffered)?;
                pour(client, conn, flood);
            }
        }
        HubEvent::Message { conn, data } => match data.strip_prefix(b"flood ") {
            Some(count) => {
                let flood = floods.entry(conn).or_default();
                flood.messages += std::str::from_utf8(count)?.parse::<usize>()?;
                pour(client, conn, flood);
            }
            None => client.send(conn, data),
        },
    }
    Ok(())
}

fn pour(client: &Client, conn: u32, flood: &mut Flood) {
    while flood.messages > 0 && flood.buffered + FLOOD_MESSAGE_BYTES <= WINDOW_BYTES {
        flood.messages -= 1;
        flood.buffered += FLOOD_MESSAGE_BYTES;
        client.send(conn, Bytes::from(vec![7; FLOOD_MESSAGE_BYTES]));
    }
}

fn one_line(sdp: &str) -> String {
    sdp.lines().collect::<Vec<_>>().join("\t")
}

fn say(line: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}
