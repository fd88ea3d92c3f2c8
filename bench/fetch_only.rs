//! The job without commits: fetches, decodes and judges every order like `reconcile`, but keeps nothing. The difference
//! in speed is the cost of the state.
//!
//! `fetch_only IDS API_URL CONCURRENCY` prints the number of reconciled orders and the seconds it took.

#![allow(clippy::print_stdout, reason = "printing its measurement is its purpose")]

use std::env;
use std::error::Error;
use std::pin::pin;
use std::time::{Duration, Instant};

use futures::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use mimalloc::MiMalloc;
use tieout::checks::{Rules, judge};
use tieout::domain::outcome::{Background, Bucket, Outcome};
use tieout::input::{Entry, Input, Options as InputOptions, Source};
use tieout::provider::{ApiKey, Fetch, Options, Provider};
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::interval;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Rows in hand for each request in flight, the same as in the job.
const IN_HAND_PER_PERMIT: usize = 4;
/// How often the progress is shown, the same as in the job.
const SHOW_EVERY: Duration = Duration::from_millis(200);

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [ids, api_url, concurrency] = arguments.as_slice() else {
        return Err("usage: fetch_only IDS API_URL CONCURRENCY".into());
    };
    let input = Input::open(InputOptions::detecting(Source::File(ids.into())))?;
    let concurrency = concurrency.parse()?;
    let options = Options {
        base_url: api_url.clone(),
        rate: 0,
        concurrency,
        timeout: Duration::from_secs(30),
        retries: 5,
        retry_codes: tieout::provider::RetryCodes::default(),
        max_wait: Duration::from_mins(5),
        strict_rate: false,
        deadline: None,
        proxy: None,
        ca_file: None,
    };
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let _inside = runtime.enter();
    let provider = Provider::new(options, ApiKey::new(&env::var("CHENYU_API_KEY")?)?)?;
    let (judging, as_of) = (Rules::default(), Timestamp::now());
    let start = Instant::now();
    let reconciled = runtime.block_on(async {
        let outcomes = stream::iter(input.read()?).map(async |row| -> Result<_, Box<dyn Error>> {
            let row = row?;
            let Entry::Order(id) = row.entry else {
                return Err(format!("line {} holds no order", row.line).into());
            };
            let Fetch { evidence, .. } = provider.fetch(&id).await?;
            Ok(Outcome { line: row.line, run_order_id: id.to_string(), evidence })
        });
        let mut outcomes = pin!(outcomes.buffer_unordered(concurrency * IN_HAND_PER_PERMIT));
        // Listen for signals and show progress, since the job does both too.
        let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        let mut show = interval(SHOW_EVERY);
        let mut reconciled = 0_u64;
        loop {
            tokio::select! {
                biased;
                _ = interrupt.recv() => return Err("interrupted".into()),
                _ = terminate.recv() => return Err("terminated".into()),
                outcome = outcomes.try_next() => match outcome? {
                    Some(outcome) => reconciled += u64::from(judge(&outcome, &Background::default(), &judging, as_of).bucket == Bucket::Reconciled),
                    None => return Ok::<_, Box<dyn Error>>(reconciled),
                },
                _ = show.tick() => drop(provider.activity()),
            }
        }
    })?;
    println!("{reconciled} {:.3}", start.elapsed().as_secs_f64());
    Ok(())
}
