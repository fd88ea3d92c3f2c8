//! Random nights: the real binary against a provider on a real socket that changes, fails and forgets, killed and started
//! again. An oracle in plain integers that shares no code with the program knows what every report must say.
//!
//! Everything of a sequence of nights comes from one seed. `make nights` runs 2,000 nights, `make nights SEED=…` one
//! sequence again. The one thing that is not drawn is the machine's clock.

mod assessment;
mod draws;
mod job;
mod knowledge;
mod known;
mod ledger;
mod memory;
mod night;
mod report;
mod rulings;
mod server;
mod sheet;
mod totals;
mod truth;
mod ways;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::scope;
use std::time::Instant;

use ledger::Refetched;
use night::{Counts, Sequence};

const NIGHTS: &str = "TIEOUT_NIGHTS";
const SEED: &str = "TIEOUT_NIGHTS_SEED";
/// So many nights are run where nobody says how many.
const USUAL: u64 = 200;
/// In so many nights everything must have been drawn.
const FULL: u64 = 2_000;
/// Sequences that run at once: each waits for its job most of the time.
const AT_ONCE: usize = 3;
/// So many failures are enough to look at.
const ENOUGH: usize = 5;
/// Of the rows that were served well before a kill, at most one in so many may be asked for again.
const LITTLE: usize = 10;

/// Everything that must be drawn in a full run.
const KINDS: &str = "restated|restored|split broken|split mended|costs broken|costs mended|amount missing|amount arrived|\
    settled|not settled any more|vanished|returned|failed|malformed|foreign|list differs|torn|as-of equal|as-of absent|\
    other column killed|column named|incomplete run continued|other input between reports|other input between|\
    fixed name|dated file|dated folder|standard input|books final|books quote|books dropped|duplicate|rejected|\
    order comes|order leaves|check off|waivers|waiver of a missing order|waived discrepancies|vanished orders|complete|\
    list refused|list capped|clocks differ|limited|limited by a refusal|limited in words|page of a gateway|reuse|no reuse|single read|fresh|URL spelled differently|SIGKILL|SIGINT|SIGTERM|\
    struck after the last reply|never continued|truth changes between|taken back|input changed while it is read|\
    killed with a report in place|continued|new|persisting|resolved|reconciled|discrepant|waived|pending|not_found|\
    unfetched";

/// What all sequences came to.
#[derive(Default)]
struct Tally {
    counts: Counts,
    refetched: Refetched,
    failures: Vec<String>,
}

#[test]
fn nights_are_true() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.trim().parse::<u64>().ok());
    let (nights, seed) = (number(NIGHTS).unwrap_or(USUAL), number(SEED));
    let begin = Instant::now();
    let tally = run(nights, seed);
    let done = tally.counts.get("nights").copied().unwrap_or(0);
    let speed = done as f64 / begin.elapsed().as_secs_f64();
    println!("{done} nights, {speed:.1} a second\n{}", drawn(&tally.counts));
    assert!(tally.failures.is_empty(), "\n{}", tally.failures.join("\n\n"));
    let Refetched { again, served } = tally.refetched;
    println!("asked for again after a kill: {again} of {served}");
    assert!(again * LITTLE <= served, "{again} of {served} rows that were served before a kill are asked for again");
    if seed.is_none() && nights >= FULL {
        let never: Vec<&str> = KINDS.split('|').filter(|kind| !tally.counts.contains_key(kind)).collect();
        assert!(never.is_empty(), "never drawn: {never:?}");
    }
}

/// Runs sequences until there are so many nights, or the one of that seed.
fn run(nights: u64, seed: Option<u64>) -> Tally {
    let (tally, next, done) = (Mutex::new(Tally::default()), AtomicU64::new(1), AtomicU64::new(0));
    scope(|threads| {
        for _ in 0..if seed.is_some() { 1 } else { AT_ONCE } {
            threads.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let is_enough = match seed {
                        Some(_) => number > 1,
                        None => done.load(Ordering::Relaxed) >= nights,
                    };
                    if is_enough || tally.lock().expect("no panic").failures.len() >= ENOUGH {
                        return;
                    }
                    sequence(seed.unwrap_or(number), &tally, &done);
                }
            });
        }
    });
    tally.into_inner().expect("no panic")
}

/// Runs one sequence.
fn sequence(seed: u64, tally: &Mutex<Tally>, done: &AtomicU64) {
    let mut sequence = Sequence::drawn(seed);
    let nights = sequence.nights();
    let ran = catch_unwind(AssertUnwindSafe(|| {
        (0..nights).try_for_each(|_| {
            done.fetch_add(1, Ordering::Relaxed);
            sequence.night()
        })
    }));
    let problem = match ran {
        Ok(Ok(())) => None,
        Ok(Err(problem)) => Some(problem),
        Err(panic) => Some(format!("panicked: {:?}", panic.downcast_ref::<String>())),
    };
    let mut tally = tally.lock().expect("no panic");
    for (what, count) in &sequence.counts {
        *tally.counts.entry(what).or_default() += count;
    }
    tally.refetched.again += sequence.refetched().again;
    tally.refetched.served += sequence.refetched().served;
    tally.failures.extend(
        problem.map(|problem| format!("make nights SEED={seed}\n{problem}\nwhat happened:\n{}", sequence.history())),
    );
}

fn drawn(counts: &Counts) -> String {
    let sorted: BTreeMap<_, _> = counts.iter().collect();
    let mut text = String::new();
    for (at, (what, count)) in sorted.into_iter().enumerate() {
        _ = write!(text, "{}{what} {count}", if at == 0 { "" } else { ", " });
    }
    text
}
