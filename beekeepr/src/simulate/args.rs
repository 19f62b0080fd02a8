//! What can be asked of the simulator.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::Args;

/// Examples below the flags.
const EXAMPLES: &str = "\
Rates are bits per second: 800k, 5M, 1.5G. Durations: 4s, 10m.

Examples:
  What would the origin send for 20,000 viewers, of whom 60 % can connect to each other?
    beekeepr simulate --viewers 20000 --bitrate 5M --segment 4s --nat-success 0.6 --super-peers 2
  From how many viewers on is it worth it?
    beekeepr simulate --bitrate 3M --sweep 2,5,10,30,100,300 --plot offload.svg
  What if the origin answers 503 for 20 s?
    beekeepr simulate --scenario origin-503

Ten minutes of 1,000 viewers take about two minutes of one core and 70 MB; the time grows with viewers x duration.
The engine and the tracker are the real ones; lines, NAT, origin and players are models.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Simulate {
    /// Viewers that come [default: 100, or the scenario's]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=200_000))]
    pub(crate) viewers: Option<u32>,
    /// Bit rate of the stream, or of each rendition, lowest first
    #[arg(
        long,
        value_name = "RATE[,RATE]",
        value_delimiter = ',',
        default_value = "5M"
    )]
    pub(crate) bitrate: Vec<Rate>,
    /// Duration of a segment
    #[arg(long, value_name = "TIME", default_value = "4s", value_parser = time)]
    pub(crate) segment: Duration,
    /// A film of this length, instead of a live stream; viewers begin anywhere in it
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) vod: Option<Duration>,
    /// Segments in the live playlist
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u64).range(3..=1_000))]
    pub(crate) window: u64,
    /// How long to watch [default: 5m, or the scenario's]
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) duration: Option<Duration>,
    /// Viewers come evenly over this time
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = time)]
    pub(crate) join: Duration,
    /// Viewers stay for this time on average, and others take their place [default: to the end]
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) stay: Option<Duration>,
    /// Viewers' uplinks [default: a mix of 10, 20 and 50 Mbit/s]
    #[arg(long, value_name = "RATE")]
    pub(crate) uplink: Option<Rate>,
    /// Viewers' downlinks [default: five times the uplink]
    #[arg(long, value_name = "RATE")]
    pub(crate) downlink: Option<Rate>,
    /// Part of the pairs of viewers that can connect to each other
    #[arg(long, value_name = "PART", default_value = "1.0")]
    pub(crate) nat_success: Part,
    /// Part of the viewers that no UDP reaches
    #[arg(long, value_name = "PART", default_value = "0.0")]
    pub(crate) udp_blocked: Part,
    /// Part of the packets that is lost
    #[arg(long, value_name = "PART", default_value = "0.0")]
    pub(crate) loss: Part,
    /// Seeders of your own
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=64))]
    pub(crate) super_peers: u32,
    /// What each of them may send
    #[arg(long, value_name = "RATE", default_value = "1G")]
    pub(crate) super_peer_rate: Rate,
    /// What the origin can send [default: anything]
    #[arg(long, value_name = "RATE")]
    pub(crate) origin_rate: Option<Rate>,
    /// One of the kept scenarios, see `--scenario list`; of the flags above only --viewers and --duration count then
    #[arg(long, value_name = "NAME")]
    pub(crate) scenario: Option<String>,
    /// Decides every chance; the same seed gives the same figures
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// A table over these numbers of viewers
    #[arg(
        long,
        value_name = "N,N",
        value_delimiter = ',',
        conflicts_with = "viewers"
    )]
    pub(crate) sweep: Vec<u32>,
    /// Also run the same viewers with plain HTTP, and compare
    #[arg(long)]
    pub(crate) compare: bool,
    /// Write a plot: SVG where the name ends so, else text; - for the terminal
    #[arg(long, value_name = "FILE")]
    pub(crate) plot: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Bits per second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rate(pub(crate) u64);

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("saw {text:?}, expected bits per second such as 800k, 5M or 1.5G");
        let (digits, factor) = match text.as_bytes().last() {
            Some(b'k' | b'K') => (&text[..text.len() - 1], 1e3),
            Some(b'm' | b'M') => (&text[..text.len() - 1], 1e6),
            Some(b'g' | b'G') => (&text[..text.len() - 1], 1e9),
            _ => (text, 1.0),
        };
        let number: f64 = digits.parse().map_err(|_| wrong())?;
        let bps = number * factor;
        // From a modem to a data centre.
        if !(1e3..=1e12).contains(&bps) {
            return Err(format!("{}, from 1k to 1000G", wrong()));
        }
        Ok(Self(bps as u64))
    }
}

/// A part of a whole.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Part(pub(crate) f64);

impl FromStr for Part {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("saw {text:?}, expected a number from 0 to 1, such as 0.6");
        let part: f64 = text.parse().map_err(|_| wrong())?;
        (0.0..=1.0)
            .contains(&part)
            .then_some(Self(part))
            .ok_or_else(wrong)
    }
}

fn time(text: &str) -> Result<Duration, String> {
    let wrong =
        || format!("saw {text:?}, expected a duration such as 4s or 10m, from 500ms to 24h");
    let time = humantime::parse_duration(text).map_err(|_| wrong())?;
    let allowed = Duration::from_millis(500)..=Duration::from_secs(86_400);
    allowed.contains(&time).then_some(time).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_written_with_a_letter() {
        let rate = |text: &str| text.parse::<Rate>().map(|rate| rate.0);
        assert_eq!(rate("800k"), Ok(800_000));
        assert_eq!(rate("1.5G"), Ok(1_500_000_000));
        assert_eq!(rate("5000000"), Ok(5_000_000));
        for wrong in ["", "M", "5 M", "-3M", "5x", "0", "9999999G", "nan", "5µ"] {
            let error = rate(wrong).unwrap_err();
            assert!(
                error.contains("expected bits per second"),
                "{wrong}: {error}"
            );
        }
    }

    #[test]
    fn parts_lie_between_none_and_all() {
        assert_eq!("0.6".parse::<Part>(), Ok(Part(0.6)));
        for wrong in ["60", "-0.1", "half", "nan"] {
            assert!(wrong.parse::<Part>().unwrap_err().contains("from 0 to 1"));
        }
    }
}
