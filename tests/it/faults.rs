//! Every fault that HTTP can express, produced by the sandbox's fault plan, and how the job copes with it. Faults below
//! HTTP and from the operating system are in the module `network`.

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

use crate::support::{NO_CONFIRM_READ, Place, ReportFiles, Server, code, files_below, stderr, stdout};

/// The `--as-of` of every job, so that two reports can be compared.
const AS_OF: &str = "2026-06-01T00:00:00Z";
/// Texts that must be found nowhere: the key, and the prompts in every order's private data.
const SECRETS: [&str; 3] = [KEY, "PRIVATE PROMPT", "PRIVATE-PROMPT"];

/// One job against one misbehaving provider, and every file it leaves.
struct Trial {
    place: Place,
    server: Server,
    ids: Vec<String>,
}

impl Trial {
    /// A trial against a provider that follows a fault plan.
    fn new<S: AsRef<str>>(ids: &[String], plan: impl IntoIterator<Item = S>) -> Self {
        let faults = FaultPlan::from_specs(plan).unwrap_or_else(|error| panic!("{error}"));
        Self::with(ids, Options { faults, ..Options::default() })
    }

    fn with(ids: &[String], options: Options) -> Self {
        let place = Place::new();
        place.file("ids.csv", format!("run_order_id\n{}\n", ids.join("\n")));
        // The log is in the place, so that it is searched for the key too.
        let request_log = Some(place.path("requests.csv"));
        let server = Server::start(Options { journal: true, request_log, ..options });
        Self { place, server, ids: ids.to_vec() }
    }

    /// Runs the job to its end.
    fn run(&self, arguments: &[&str]) -> Output {
        run(&self.place, &self.server.url, arguments)
    }

    fn report(&self) -> ReportFiles {
        self.place.report()
    }

    /// Asserts how often every order was asked for.
    fn assert_asked(&self, name: &str, times: impl Fn(&str) -> usize) {
        for id in &self.ids {
            assert_eq!(self.server.journal.request_count(id), times(id), "{name}: how often {id} was asked for");
        }
    }

    /// Asserts that the job ended as without faults, with the same report byte for byte.
    fn assert_same_as(&self, name: &str, run: &Output, reference: &Reference) {
        assert_eq!(code(run), reference.exit, "{name}: {}{}", stdout(run), stderr(run));
        reference.assert_same(name, &self.report());
    }

    /// How many requests the provider answered with `how`: an HTTP status, or a fault as the plan writes it.
    fn answered(&self, how: &str) -> usize {
        self.server.journal.arrivals().iter().filter(|arrival| arrival.answer.to_string() == how).count()
    }
}

/// Runs the job in this place against that provider; asserts that no secret is in its output or files.
fn run(place: &Place, url: &str, arguments: &[&str]) -> Output {
    let mut job = place.reconcile(place.path("ids.csv"));
    job.arg(NO_CONFIRM_READ);
    job.args(["--as-of", AS_OF, "--api-url", url]).args(arguments).env("CHENYU_API_KEY", KEY);
    let output = job.output().expect("starts");
    assert_no_secret(place, &output);
    output
}

/// Asserts that neither the key nor private data is in any file of a place or in a process's output.
fn assert_no_secret(place: &Place, output: &Output) {
    let mut texts = vec![
        ("standard output".to_owned(), output.stdout.clone()),
        ("standard error".to_owned(), output.stderr.clone()),
    ];
    for path in place.files() {
        texts.push((path.display().to_string(), fs::read(&path).expect("a readable file")));
    }
    assert!(texts.len() >= 4, "at least the input and the state exist");
    for (name, bytes) in texts {
        for secret in SECRETS {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{name} holds {secret}");
        }
    }
}

/// The result of a job without faults.
struct Reference {
    exit: i32,
    files: BTreeMap<String, Vec<u8>>,
}

impl Reference {
    fn of(ids: &[String]) -> Self {
        let trial = Trial::new::<&str>(ids, []);
        let run = trial.run(&[]);
        let report = trial.report();
        assert_eq!(report.population("rows"), ids.len() as u64, "reference: {}", stderr(&run));
        assert_eq!((report.population("unfetched"), report.population("malformed")), (0, 0), "reference");
        trial.assert_asked("reference", |_| 1);
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

/// All files of a report except the manifest, which holds times.
fn contents(report: &ReportFiles) -> BTreeMap<String, Vec<u8>> {
    let name = |path: &Path| path.strip_prefix(&report.0).expect("below").display().to_string();
    let files = files_below(&report.0).into_iter().map(|path| (name(&path), fs::read(&path).expect("a readable file")));
    let files: BTreeMap<_, _> = files.filter(|(name, _)| name != "manifest.json").collect();
    assert!(files.len() >= 6, "{:?}", files.keys());
    files
}

/// Settled orders that tie out.
fn clean(count: usize) -> Vec<String> {
    of_kind(count, |kind| kind == Kind::Clean)
}

/// Orders of every kind that can be fetched: clean, failed, pending and anomalous ones.
fn mixed(count: usize) -> Vec<String> {
    let ids = of_kind(count, |kind| matches!(kind, Kind::Clean | Kind::FailedRun | Kind::Pending | Kind::Anomalous(_)));
    let seed = Options::default().seed;
    assert!(ids.iter().any(|id| matches!(describe(id, seed), Kind::Anomalous(_))), "some orders are anomalous");
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

/// The given exception for each of these orders.
fn all_are(ids: &[String], bucket: &str, reason: &str) -> BTreeMap<String, (String, String)> {
    ids.iter().map(|id| (id.clone(), (bucket.to_owned(), reason.to_owned()))).collect()
}

/// Tests all cases at once, since most of them mostly wait. Assertions must name their case.
fn in_parallel<C: Sync>(cases: &[C], test: impl Fn(&C) + Sync) {
    thread::scope(|scope| {
        for case in cases {
            scope.spawn(|| test(case));
        }
    });
}
