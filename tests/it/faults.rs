//! Every fault that HTTP can express, by the sandbox's fault plan: what the provider does, and what the job makes of it.
//! Faults below HTTP and from the operating system, by raw sockets and signals.

mod breaker;
mod clock;
mod lasting;
mod lists;
mod rate;
mod raw;
mod redirects;
mod refusals;
mod secrecy;
mod storms;
mod transient;
mod whole_json;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Output;
use std::thread;

use tieout::sandbox::{FaultPlan, KEY, Kind, Options, describe};

use crate::support::{Place, ReportFiles, SINGLE_READ, Server, code, files_below, stderr, stdout};

/// The ages in a report are counted to here, so that two runs can be compared.
const AS_OF: &str = "2026-06-01T00:00:00Z";
/// What must be found nowhere: the key, and what stands in every order's private data.
const SECRETS: [&str; 3] = [KEY, "PRIVATE PROMPT", "PRIVATE-PROMPT"];

/// One job against one provider that misbehaves, and everything it leaves.
struct Trial {
    place: Place,
    server: Server,
    ids: Vec<String>,
}

impl Trial {
    /// A provider that follows a fault plan.
    fn new<S: AsRef<str>>(ids: &[String], plan: impl IntoIterator<Item = S>) -> Self {
        let faults = FaultPlan::from_specs(plan).unwrap_or_else(|error| panic!("{error}"));
        Self::with(ids, Options { faults, ..Options::default() })
    }

    fn with(ids: &[String], options: Options) -> Self {
        let place = Place::new();
        place.file("ids.csv", format!("run_order_id\n{}\n", ids.join("\n")));
        // Among the files of the place, so that it is searched for the key as well.
        let request_log = Some(place.path("requests.csv"));
        let server = Server::start(Options { journal: true, request_log, ..options });
        Self { place, server, ids: ids.to_vec() }
    }

    /// The job, to its end.
    fn run(&self, arguments: &[&str]) -> Output {
        run(&self.place, &self.server.url, arguments)
    }

    fn report(&self) -> ReportFiles {
        self.place.report()
    }

    /// Asserts how often every order was asked for.
    fn assert_asked(&self, name: &str, times: impl Fn(&str) -> usize) {
        for id in &self.ids {
            assert_eq!(self.server.journal.asked(id), times(id), "{name}: how often {id} was asked for");
        }
    }

    /// Asserts that the job ended as if nothing had happened, to the last byte of its report.
    fn assert_as_calm(&self, name: &str, run: &Output, calm: &Calm) {
        assert_eq!(code(run), calm.exit, "{name}: {}{}", stdout(run), stderr(run));
        calm.assert_same(name, &self.report());
    }

    /// How many requests the provider answered so: an HTTP status, or a planned fault as the plan writes it.
    fn answered(&self, how: &str) -> usize {
        self.server.journal.arrivals().iter().filter(|arrival| arrival.answered.to_string() == how).count()
    }
}

/// The job in this place against that provider. Whatever comes of it, no secret is in what it says and leaves.
fn run(place: &Place, url: &str, arguments: &[&str]) -> Output {
    let mut job = place.reconcile(place.path("ids.csv"));
    job.arg(SINGLE_READ);
    job.args(["--as-of", AS_OF, "--api-url", url]).args(arguments).env("CHENYU_API_KEY", KEY);
    let output = job.output().expect("starts");
    assert_no_secret(place, &output);
    output
}

/// Asserts that neither the key nor private data are in any file of a place, nor in what a process said.
fn assert_no_secret(place: &Place, output: &Output) {
    let mut texts = vec![
        ("standard output".to_owned(), output.stdout.clone()),
        ("standard error".to_owned(), output.stderr.clone()),
    ];
    for path in place.files() {
        texts.push((path.display().to_string(), fs::read(&path).expect("a readable file")));
    }
    assert!(texts.len() >= 4, "the input and the state are there at least");
    for (name, bytes) in texts {
        for secret in SECRETS {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{name} holds {secret}");
        }
    }
}

/// What a job makes of orders where nothing goes wrong.
struct Calm {
    exit: i32,
    files: BTreeMap<String, Vec<u8>>,
}

impl Calm {
    fn of(ids: &[String]) -> Self {
        let trial = Trial::new::<&str>(ids, []);
        let run = trial.run(&[]);
        let report = trial.report();
        assert_eq!(report.population("rows"), ids.len() as u64, "calm: {}", stderr(&run));
        assert_eq!((report.population("unfetched"), report.population("malformed")), (0, 0), "calm");
        trial.assert_asked("calm", |_| 1);
        Self { exit: code(&run), files: contents(&report) }
    }

    fn assert_same(&self, name: &str, report: &ReportFiles) {
        let found = contents(report);
        assert!(found.keys().eq(self.files.keys()), "{name}: the files are {:?}", found.keys());
        for (file, bytes) in &self.files {
            assert!(found[file] == *bytes, "{name}: {file} differs: {}", String::from_utf8_lossy(&found[file]));
        }
    }
}

/// All files of a report but the manifest, which tells times.
fn contents(report: &ReportFiles) -> BTreeMap<String, Vec<u8>> {
    let name = |path: &Path| path.strip_prefix(&report.0).expect("below").display().to_string();
    let files = files_below(&report.0).into_iter().map(|path| (name(&path), fs::read(&path).expect("a readable file")));
    let files: BTreeMap<_, _> = files.filter(|(name, _)| name != "manifest.json").collect();
    assert!(files.len() >= 6, "{:?}", files.keys());
    files
}

/// Orders that tie out: settled, nothing to find.
fn clean(count: usize) -> Vec<String> {
    of_kind(count, |kind| kind == Kind::Clean)
}

/// Orders of every kind that can be fetched: clean, failed, pending, and with each sort of anomaly to find.
fn mixed(count: usize) -> Vec<String> {
    let ids = of_kind(count, |kind| matches!(kind, Kind::Clean | Kind::FailedRun | Kind::Pending | Kind::Anomalous(_)));
    let seed = Options::default().seed;
    assert!(ids.iter().any(|id| matches!(describe(id, seed), Kind::Anomalous(_))), "there is something to find");
    ids
}

fn of_kind(count: usize, wanted: impl Fn(Kind) -> bool) -> Vec<String> {
    let all = (0_u64..).map(|number| format!("wfrun_{number:020x}"));
    all.filter(|id| wanted(describe(id, Options::default().seed))).take(count).collect()
}

/// `exceptions.csv` as bucket and reason by order.
fn exceptions(report: &ReportFiles) -> BTreeMap<String, (String, String)> {
    let rows = report.rows("exceptions.csv");
    let count = rows.len();
    let by_order: BTreeMap<_, _> = rows
        .into_iter()
        .map(|mut row| {
            let mut cell = |name: &str| row.remove(name).expect("the column");
            (cell("run_order_id"), (cell("bucket"), cell("reason")))
        })
        .collect();
    assert_eq!(by_order.len(), count, "each order is an exception once");
    by_order
}

/// The same exception of each of those orders.
fn all_are(ids: &[String], bucket: &str, reason: &str) -> BTreeMap<String, (String, String)> {
    ids.iter().map(|id| (id.clone(), (bucket.to_owned(), reason.to_owned()))).collect()
}

/// Tries all cases at once: most of them wait most of the time. What fails has said which case it was.
fn side_by_side<C: Sync>(cases: &[C], test: impl Fn(&C) + Sync) {
    thread::scope(|scope| {
        for case in cases {
            scope.spawn(|| test(case));
        }
    });
}
