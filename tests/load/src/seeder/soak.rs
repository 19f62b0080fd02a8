//! Hours of viewers that come and go: does memory grow, does anybody get stuck?

use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use beekeepr_model::Random;
use tokio::time::{Instant as Clock, sleep, sleep_until, timeout};

use super::Args;
use super::measure::{World, tell, tell_error, tell_set_up};
use super::viewer::{Run, Viewer};
use crate::report::median;
use crate::{http, process};

/// Time between two looks at the memory.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// Lines between two reports: one a minute.
const LOOKS_PER_LINE: usize = 6;

/// Before a viewer that found no seeder tries again.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Longer than the seeder takes to give up a viewer that went without a farewell (10 s).
const AFTERMATH_MAX: Duration = Duration::from_secs(60);

pub(super) async fn run(args: &Args, time: Duration) -> Result<()> {
    let world = World::start(args).await?;
    world.go.send_replace(true);
    let end = Instant::now() + time;
    let mut coming = Vec::new();
    for number in 0..args.viewers {
        let run = Rc::clone(&world.run);
        let visits = Visits::new(args, number, end);
        coming.push(tokio::task::spawn_local(visits.go(run)));
    }
    let memory = watch(&world, end).await?;
    for visitor in coming {
        visitor.await?;
    }
    let left = connections_left(&world).await?;
    judge(args, &memory, left, world.run.stuck.get())
}

/// One seat, taken by one viewer after the other.
struct Visits {
    number: u64,
    stay: Duration,
    begin: Duration,
    end: Clock,
    random: Random,
}

impl Visits {
    fn new(args: &Args, number: usize, end: Instant) -> Self {
        Self {
            number: number as u64,
            stay: args.stay,
            // Arrivals spread over one stay, so that departures do as well.
            begin: args.stay.mul_f64(number as f64 / args.viewers as f64),
            end: end.into(),
            random: Random::new(number as u64),
        }
    }

    async fn go(mut self, run: Rc<Run>) {
        sleep(self.begin).await;
        while Clock::now() < self.end {
            let stay = self
                .stay
                .mul_f64(0.5 + self.random.below(1_000) as f64 / 1e3);
            let until = (Clock::now() + stay).min(self.end);
            let visited = match Viewer::connect(&run, self.random.next_u64()).await {
                Ok(mut viewer) => timeout(
                    until.saturating_duration_since(Clock::now()),
                    viewer.watch(),
                )
                .await
                .unwrap_or(Ok(())),
                Err(error) => Err(error),
            };
            if let Err(error) = visited {
                tell_error(&run, self.number, &error);
                sleep(RETRY_AFTER).await;
            }
        }
    }
}

/// The seeder's memory in KiB, look by look.
async fn watch(world: &World, end: Instant) -> Result<Vec<u64>> {
    let pid = world.servers.seeder();
    let (start, cpu) = (Instant::now(), process::cpu_seconds(pid)?);
    let mut memory = Vec::new();
    let mut next = Clock::now();
    while Instant::now() < end {
        next += LOOK_EVERY;
        sleep_until(next.min(end.into())).await;
        memory.push(process::rss_kib(pid)?);
        if memory.len() % LOOKS_PER_LINE == 0 {
            eprintln!(
                "{:>6.0} s: {} KiB, {} viewers, {} stuck, {} segments failed, {} joined",
                start.elapsed().as_secs_f64(),
                memory.last().copied().unwrap_or_default(),
                world.run.connected.get(),
                world.run.stuck.get(),
                world.run.counts.borrow().failed,
                world.run.counts.borrow().join_ms.len(),
            );
        }
    }
    let counts = world.run.counts.borrow();
    tell_set_up(&counts);
    tell(
        &counts,
        start.elapsed().as_secs_f64(),
        process::cpu_seconds(pid)? - cpu,
    );
    Ok(memory)
}

/// Connections that the seeder still holds when everybody has long gone.
async fn connections_left(world: &World) -> Result<f64> {
    let deadline = Instant::now() + AFTERMATH_MAX;
    loop {
        let text = http::get(world.servers.admin, "/metrics").await?;
        let left =
            gauge(&text, "beekeepr_seeder_peers").context("no metric beekeepr_seeder_peers")?;
        if left == 0.0 || Instant::now() > deadline {
            return Ok(left);
        }
        sleep(RETRY_AFTER).await;
    }
}

/// The sum of a metric over its labels.
fn gauge(text: &str, name: &str) -> Option<f64> {
    let values = text.lines().filter_map(|line| {
        let rest = line.strip_prefix(name)?;
        let is_it = rest.starts_with(['{', ' ']);
        is_it.then(|| rest.rsplit(' ').next()?.parse::<f64>().ok())?
    });
    values.fold(None, |sum, value| Some(sum.unwrap_or(0.0) + value))
}

/// First and last third of what was seen after the warm-up.
fn growth(memory: &[u64]) -> Option<(f64, f64)> {
    let third = memory.len() / 3;
    let median_of = |part: &[u64]| median(part.iter().map(|&kib| kib as f64).collect());
    (third > 0).then(|| {
        (
            median_of(&memory[..third]),
            median_of(&memory[memory.len() - third..]),
        )
    })
}

fn judge(args: &Args, memory: &[u64], left: f64, stuck: usize) -> Result<()> {
    let looks = (args.warm_up.as_secs_f64() / LOOK_EVERY.as_secs_f64()).ceil() as usize;
    let after = memory.get(looks..).unwrap_or_default();
    let (first, last) = growth(after)
        .context("too short to tell: expected three looks of 10 s after the warm-up at least")?;
    let all = median(after.iter().map(|&kib| kib as f64).collect());
    let grown = last / first - 1.0;
    eprintln!(
        "memory after the warm-up: first third {first:.0} KiB, last third {last:.0} KiB ({:+.1} %), median {all:.0} KiB, \
         at the end {} KiB; connections left {left}, viewers stuck {stuck}",
        grown * 100.0,
        after.last().copied().unwrap_or_default()
    );
    ensure!(
        grown <= args.growth_max,
        "memory grew by {:.1} %, expected {:.1} % at most",
        grown * 100.0,
        args.growth_max * 100.0
    );
    ensure!(
        left == 0.0,
        "the seeder holds {left} connections of viewers that have gone"
    );
    ensure!(stuck == 0, "{stuck} viewers are stuck");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_compares_the_first_third_with_the_last() {
        let memory: Vec<u64> = (0..9).map(|it| 100 + it * 10).collect();
        assert_eq!(growth(&memory), Some((110.0, 170.0)));
        assert_eq!(growth(&[1, 2]), None);
    }

    #[test]
    fn a_gauge_is_summed_over_its_labels() {
        let text = "# HELP beekeepr_seeder_peers Open\nbeekeepr_seeder_peers{channel=\"a\"} 3\n\
                    beekeepr_seeder_peers{channel=\"b\"} 4\nbeekeepr_seeder_peers_max 9\n";
        assert_eq!(gauge(text, "beekeepr_seeder_peers"), Some(7.0));
        assert_eq!(gauge(text, "beekeepr_seeder_viewers"), None);
    }
}
