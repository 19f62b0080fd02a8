//! What a hub takes to serve viewers over loopback: CPU seconds per GB, megabits per second, set-up
//! time and memory per peer.
//!
//! ```text
//! cargo run --release -p beekeepr-seeder --example rtc_bench -- [VIEWERS MESSAGE_BYTES MEGABYTES]
//! ```
//!
//! The server is a process of its own, this program started again as `serve`, so that its CPU time
//! and memory are its own. Each viewer is a hub with a socket of its own. Without arguments the four
//! cases of `docs/benchmarks` run; with 0 megabytes the viewers only connect and stay.

use std::collections::HashMap;
use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use beekeepr_seeder::rtc::{Client, Hub, HubConfig, HubEvent, start};
use beekeepr_service::{Shutdown, Trigger};
use bytes::Bytes;
use tokio::io::AsyncBufReadExt;

type Failure = Box<dyn Error + Send + Sync>;

/// What the engine keeps on its way to one peer: it sends while less than this is buffered.
const WINDOW_BYTES: usize = 64 * 1024;

/// A viewer that gets nothing for so long ends the run.
const PATIENCE: Duration = Duration::from_secs(30);

/// Viewers, bytes of a message, megabytes for all of them together.
const CASES: [[usize; 3]; 4] = [
    [1, 65_536, 1_000],
    [50, 65_536, 1_000],
    [1, 16_384, 1_000],
    [50, 16_384, 1_000],
];

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    if arguments.first().is_some_and(|word| word == "serve") {
        return runtime.block_on(serve());
    }
    let numbers: Vec<usize> = arguments
        .iter()
        .map(|word| word.parse())
        .collect::<Result<_, _>>()?;
    let cases = match numbers[..] {
        [viewers, message_bytes, megabytes] => vec![[viewers, message_bytes, megabytes]],
        _ => CASES.to_vec(),
    };
    for case in cases {
        runtime.block_on(measure(case))?;
    }
    Ok(())
}

fn loopback() -> HubConfig {
    HubConfig {
        udp: ([127, 0, 0, 1], 0).into(),
        peers_max: 10_000,
        ..HubConfig::default()
    }
}

/// The server: `offer N SDP` on standard input is answered by `answer N SDP`.
async fn serve() -> Result<(), Failure> {
    let (_trigger, shutdown) = Shutdown::new();
    let hub = start(loopback(), shutdown)?;
    let mut client = hub.register();
    let mut lines = tokio::io::BufReader::new(tokio::io::stdin()).lines();
    let mut floods = HashMap::new();
    loop {
        tokio::select! {
            line = lines.next_line() => match line? {
                Some(line) => accept(&client, &line)?,
                None => return Ok(()),
            },
            event = client.event() => match event {
                Some(event) => react(&client, &mut floods, event)?,
                None => return Ok(()),
            },
        }
    }
}

fn accept(client: &Client, line: &str) -> Result<(), Failure> {
    let (conn, sdp) = line
        .split_once(' ')
        .ok_or("expected a number and an offer")?;
    client.offer_accept(conn.parse()?, sdp.replace('\t', "\r\n"));
    Ok(())
}

/// What one viewer still has to get.
struct Flood {
    messages: usize,
    message: Bytes,
    buffered: usize,
}

fn react(
    client: &Client,
    floods: &mut HashMap<u32, Flood>,
    event: HubEvent,
) -> Result<(), Failure> {
    match event {
        HubEvent::AnswerReady { conn, sdp } => say(&format!("{conn} {}", one_line(&sdp)))?,
        HubEvent::Closed { conn } => drop(floods.remove(&conn)),
        HubEvent::Drained { conn, buffered } => {
            if let Some(flood) = floods.get_mut(&conn) {
                flood.buffered = usize::try_from(buffered)?;
                pour(client, conn, flood);
            }
        }
        HubEvent::Message { conn, data } => {
            let text = std::str::from_utf8(&data)?;
            let (messages, bytes) = text.split_once(' ').ok_or("expected two numbers")?;
            let flood = floods.entry(conn).or_insert(Flood {
                messages: messages.parse()?,
                message: Bytes::from(vec![7; bytes.parse()?]),
                buffered: 0,
            });
            pour(client, conn, flood);
        }
        HubEvent::OfferReady { .. } | HubEvent::Opened { .. } => {}
    }
    Ok(())
}

fn pour(client: &Client, conn: u32, flood: &mut Flood) {
    while flood.messages > 0 && flood.buffered < WINDOW_BYTES {
        flood.messages -= 1;
        flood.buffered += flood.message.len();
        client.send(conn, flood.message.clone());
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

/// The server's process, seen from outside.
struct Server {
    child: Child,
    ask: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Server {
    fn start() -> Result<Self, Failure> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg("serve")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let ask = child.stdin.take().ok_or("no standard input")?;
        let answers = BufReader::new(child.stdout.take().ok_or("no standard output")?);
        Ok(Self {
            child,
            ask,
            answers,
        })
    }

    fn answer(&mut self, number: usize, offer: &str) -> Result<String, Failure> {
        writeln!(self.ask, "{number} {}", one_line(offer))?;
        self.ask.flush()?;
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        let (_, sdp) = line
            .trim_end()
            .split_once(' ')
            .ok_or("expected an answer")?;
        Ok(sdp.replace('\t', "\r\n"))
    }

    /// CPU seconds so far: what the scheduler counted for each thread.
    fn cpu(&self) -> Result<f64, Failure> {
        let mut nanoseconds = 0_f64;
        for task in std::fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let text = std::fs::read_to_string(task?.path().join("schedstat"))?;
            nanoseconds += text
                .split(' ')
                .next()
                .ok_or("empty schedstat")?
                .parse::<f64>()?;
        }
        Ok(nanoseconds / 1e9)
    }

    /// Resident KiB.
    fn memory(&self) -> Result<f64, Failure> {
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .ok_or("no VmRSS")?;
        Ok(line.trim().trim_end_matches(" kB").parse()?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Viewer {
    _hub: Hub,
    client: Client,
    _trigger: Trigger,
}

impl Viewer {
    fn start() -> Result<Self, Failure> {
        let (trigger, shutdown) = Shutdown::new();
        let hub = start(loopback(), shutdown)?;
        Ok(Self {
            client: hub.register(),
            _hub: hub,
            _trigger: trigger,
        })
    }

    async fn event(&mut self) -> Result<HubEvent, Failure> {
        let event = tokio::time::timeout(PATIENCE, self.client.event()).await?;
        Ok(event.ok_or("the hub has ended")?)
    }

    /// Connects to the server; gives the time from the answer to the open channel.
    async fn connect(&mut self, server: &mut Server, number: usize) -> Result<Duration, Failure> {
        self.client.offer_create(0);
        let HubEvent::OfferReady { sdp, .. } = self.event().await? else {
            return Err("expected an offer".into());
        };
        let begun = Instant::now();
        self.client.answer_accept(0, server.answer(number, &sdp)?);
        match self.event().await? {
            HubEvent::Opened { .. } => Ok(begun.elapsed()),
            other => Err(format!("expected an open channel, got {other:?}").into()),
        }
    }

    async fn download(&mut self, messages: usize, bytes: usize) -> Result<(), Failure> {
        let wish = format!("{messages} {bytes}");
        self.client.send(0, Bytes::from(wish));
        let mut left = messages;
        while left > 0 {
            match self.event().await? {
                HubEvent::Message { data, .. } if data.len() == bytes => left -= 1,
                HubEvent::Drained { .. } => {}
                other => return Err(format!("expected a message, got {other:?}").into()),
            }
        }
        Ok(())
    }
}

async fn measure([viewers, message_bytes, megabytes]: [usize; 3]) -> Result<(), Failure> {
    let mut server = Server::start()?;
    let mut crowd = Vec::new();
    let mut setups = Vec::new();
    let mut first = Viewer::start()?;
    first.connect(&mut server, viewers).await?;
    let empty = server.memory()?;
    for number in 0..viewers {
        let mut viewer = Viewer::start()?;
        setups.push(viewer.connect(&mut server, number).await?);
        crowd.push(viewer);
    }
    setups.sort_unstable();
    let setup = setups[setups.len() / 2].as_secs_f64() * 1e3;
    let each = (server.memory()? - empty) / viewers as f64;
    let messages = megabytes * 1_000_000 / message_bytes / viewers;
    let (cpu, begun) = (server.cpu()?, Instant::now());
    let downloads = crowd
        .iter_mut()
        .map(|viewer| viewer.download(messages, message_bytes));
    futures_util::future::try_join_all(downloads).await?;
    let (cpu, wall) = (server.cpu()? - cpu, begun.elapsed().as_secs_f64());
    let bytes = (messages * viewers * message_bytes) as f64;
    say(&format!(
        "viewers {viewers}, messages of {message_bytes}: {:.2} CPU s/GB, {:.0} Mbit/s, set-up \
         {setup:.1} ms, {each:.0} KiB a peer",
        cpu / (bytes / 1e9),
        bytes * 8.0 / 1e6 / wall
    ))?;
    Ok(())
}
