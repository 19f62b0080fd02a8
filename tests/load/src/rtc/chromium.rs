//! A real browser takes what each stack sends, turn by turn.

use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Html;
use axum::routing::{get, post};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::start::Place;
use super::{ChromiumArgs, Stack};
use crate::http;
use crate::process::{self, Server};
use crate::report::median;

/// Starting the browser and the connection, beside the seconds that are counted.
const START_TIME_MAX: Duration = Duration::from_secs(60);

/// For a browser without a window, a profile or anything to do beside the page.
const FLAGS: [&str; 11] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
    "--disable-features=WebRtcHideLocalIpsWithMdns",
];

/// What a page measured.
#[derive(Debug, PartialEq)]
struct Figures {
    set_up_ms: f64,
    /// Of each second.
    mbit: Vec<f64>,
}

impl Figures {
    fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.split(',').map(|it| it.parse::<f64>().ok());
        let set_up_ms = numbers.next()??;
        let mbit = numbers.map(|bytes| Some(bytes? * 8.0 / 1e6));
        let mbit: Vec<f64> = mbit.collect::<Option<_>>()?;
        (!mbit.is_empty()).then_some(Self { set_up_ms, mbit })
    }

    fn mean(&self) -> f64 {
        self.mbit.iter().sum::<f64>() / self.mbit.len() as f64
    }

    fn least(&self) -> f64 {
        self.mbit.iter().copied().fold(f64::INFINITY, f64::min)
    }
}

/// One turn of one stack.
#[derive(Debug)]
struct Turn {
    figures: Figures,
    cpu_per_gb: f64,
}

pub(crate) fn run(args: &ChromiumArgs) -> Result<()> {
    ensure!(args.rounds > 0 && args.time > 0, "nothing to measure");
    process::stay_off(args.core)?;
    let place = Place::of(args.shape)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    for &message in &args.messages {
        runtime.block_on(compare(&place, message, args))?;
    }
    Ok(())
}

async fn compare(place: &Place, message: usize, args: &ChromiumArgs) -> Result<()> {
    eprintln!(
        "Chromium, messages of {message} bytes, {} bytes on the way\n\
         stack    Mbit/s  least second  cpu s/GB  set-up ms",
        args.window
    );
    let mut means = Stack::ALL.map(|_| Vec::new());
    for _ in 0..args.rounds {
        for (stack, means) in Stack::ALL.into_iter().zip(&mut means) {
            let turn = take_turn(place, stack, message, args)
                .await
                .context(stack.name())?;
            let figures = &turn.figures;
            eprintln!(
                "{:<7} {:>7.1} {:>13.1} {:>9.2} {:>10.0}",
                stack.name(),
                figures.mean(),
                figures.least(),
                turn.cpu_per_gb,
                figures.set_up_ms
            );
            means.push(figures.mean());
        }
    }
    let [ours, rival] = means.map(median);
    eprintln!("medians: ours {ours:.1} Mbit/s, webrtc {rival:.1} Mbit/s\n");
    Ok(())
}

async fn take_turn(
    place: &Place,
    stack: Stack,
    message: usize,
    args: &ChromiumArgs,
) -> Result<Turn> {
    let far = place.server(stack, args.core, args.window)?;
    let (page, mut results) = serve_page(far.address).await?;
    let profile = tempfile::tempdir()?;
    let url = format!("http://{page}/?message={message}&time={}", args.time);
    let child = Command::new(&args.browser)
        .args(FLAGS)
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(url)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .with_context(|| format!("cannot run {}", args.browser.display()))?;
    let _browser = Server(child);
    let cpu = process::cpu_seconds(far.pid())?;
    let patience = START_TIME_MAX + Duration::from_secs(args.time.into());
    let result = timeout(patience, results.recv()).await;
    let text = result
        .context("the page tells no result in time")?
        .context("no page")?;
    let cpu = process::cpu_seconds(far.pid())? - cpu;
    let figures = Figures::parse(&text).with_context(|| format!("the page says {text:?}"))?;
    // The second before them is not in the figures, but in the CPU time.
    let bytes = figures.mean() * 1e6 / 8.0 * (f64::from(args.time) + 1.0);
    Ok(Turn {
        figures,
        cpu_per_gb: cpu / (bytes / 1e9),
    })
}

#[derive(Clone)]
struct Site {
    far: SocketAddr,
    results: Arc<mpsc::UnboundedSender<String>>,
}

/// The page, and what it will tell.
async fn serve_page(far: SocketAddr) -> Result<(SocketAddr, mpsc::UnboundedReceiver<String>)> {
    let (sender, results) = mpsc::unbounded_channel();
    let site = Site {
        far,
        results: Arc::new(sender),
    };
    let router = Router::new()
        .route("/", get(Html(include_str!("page.html"))))
        .route("/connect", post(connect))
        .route("/result", post(take_result))
        .with_state(site);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok((address, results))
}

async fn connect(State(site): State<Site>, offer: String) -> Result<String, (StatusCode, String)> {
    let answer = http::post(site.far, "/connect", &offer).await;
    answer.map_err(|error| (StatusCode::BAD_GATEWAY, format!("{error:#}")))
}

async fn take_result(State(site): State<Site>, text: String) {
    // Nobody waits for a second result.
    let _ = site.results.send(text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read_as_the_page_writes_them() {
        let figures = Figures::parse("57,1250000,2500000").unwrap();
        assert_eq!((figures.set_up_ms, figures.least()), (57.0, 10.0));
        assert_eq!(figures.mean(), 15.0);
        for wrong in ["", "57", "57,x", "NaNs"] {
            assert_eq!(Figures::parse(wrong), None, "{wrong}");
        }
    }
}
