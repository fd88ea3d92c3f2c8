//! Audits of the dataset, at random: after a night or at the end, of a month, some days or all, compacted or not.

use std::collections::BTreeSet;
use std::fs;

use rand::RngExt;
use serde_json::Value;

use super::audited::{Audited, Rules};
use super::calendar;
use super::dataset::Period;
use super::job::{Command, DATASET};
use super::night::{Outcome, Sequence};
use super::report::Report;
use crate::readers::{printed, reader};
use crate::support::{ReportFiles, files_below, tieout};

/// Which orders an audit is about.
struct Selection {
    period: Period,
    arguments: Vec<String>,
}

impl Sequence {
    /// After some nights: compacts the dataset, or audits a period.
    pub(super) fn look_at_dataset(&mut self) -> Result<(), String> {
        if self.odds(0.12) {
            self.compact()?;
        }
        if !self.odds(0.15) || !self.ledger.is_all_appended() {
            return Ok(());
        }
        self.note("audit between nights");
        let selection = match self.months().first().copied() {
            Some(day) if self.odds(0.5) => of_month(day),
            _ => self.draw_days(),
        };
        self.audit(&selection)
    }

    /// After the last night: audits every month that has orders, all days, and some days.
    pub(super) fn audit_all(&mut self) -> Result<(), String> {
        if !self.ledger.is_all_appended() {
            self.note("not all appended at last");
            return Ok(());
        }
        if self.odds(0.4) {
            self.compact()?;
        }
        let is_sound = self.run(&["dataset", DATASET])?;
        if is_sound.0 != 0 {
            return Err(format!("`tieout dataset` exits with {}: {}", is_sound.0, is_sound.1));
        }
        for day in self.months() {
            self.audit(&of_month(day))?;
        }
        if self.odds(0.4) {
            self.note("all days audited");
            self.audit(&Selection { period: Period::default(), arguments: Vec::new() })?;
        }
        let selection = self.draw_days();
        self.audit(&selection)
    }

    /// Starts the job while a run of the dataset is in the future, so that nothing can be appended.
    pub(super) fn start_with_clock_back(&mut self, command: &Command) -> Result<Outcome, String> {
        let runs = self.place.path(DATASET).join("runs");
        let some = runs.exists().then(|| files_below(&runs).into_iter().next()).flatten();
        let Some(some) = some else { return self.start(command, None) };
        self.note("clock back");
        self.tell("the clock goes back".to_owned());
        let record = fs::read_to_string(some).expect("readable");
        let mut record: Value = serde_json::from_str(record.lines().next().unwrap_or_default()).expect("JSON");
        for (name, value) in [("run", "future"), ("started_at", "2099-01-01T00:00:00Z")] {
            record[name] = value.into();
        }
        for count in ["orders", "moved", "exceptions"] {
            record[count] = 0.into();
        }
        for list in ["files", "control_totals"] {
            record[list] = Vec::<Value>::new().into();
        }
        let future = runs.join("future.json");
        fs::write(&future, format!("{record}\n")).expect("writable");
        let before = files_below(&runs).len();
        self.ledger.dataset.is_closed = true;
        let outcome = self.start(command, None);
        self.ledger.dataset.is_closed = false;
        let after = files_below(&runs).len();
        fs::remove_file(future).expect("writable");
        if before != after {
            return Err("a run was appended although one of the dataset is in the future".to_owned());
        }
        outcome
    }

    fn compact(&mut self) -> Result<(), String> {
        if self.ledger.dataset.newest().is_none() {
            return Ok(());
        }
        self.note("compacted");
        self.tell("compacted".to_owned());
        match self.run(&["compact", DATASET])? {
            (0, _) => Ok(()),
            (code, printed) => Err(format!("`tieout compact` exits with {code}: {printed}")),
        }
    }

    /// The first day of each month in which orders were observed, in random order.
    fn months(&mut self) -> Vec<i64> {
        let days = self.ledger.dataset.days(self.zone);
        let firsts =
            days.into_iter().filter(|day| *day != calendar::UNDATED).map(|day| day + 1 - calendar::civil(day)[2]);
        let mut months: Vec<i64> = firsts.collect::<BTreeSet<i64>>().into_iter().collect();
        if !months.is_empty() {
            let at = self.random.random_range(0..months.len());
            months.rotate_left(at);
        }
        months
    }

    /// Draws a period with bounds near days with orders, perhaps open.
    fn draw_days(&mut self) -> Selection {
        self.note("days audited");
        let days: Vec<i64> = self.ledger.dataset.days(self.zone).into_iter().filter(|day| *day > 1).collect();
        let mut bounds: [Option<i64>; 2] = [None; 2];
        for bound in bounds.iter_mut().filter(|_| !days.is_empty()) {
            let near = days[self.random.random_range(0..days.len())] + self.random.random_range(-1..=2);
            *bound = self.random.random_bool(0.8).then_some(near);
        }
        let [mut since, mut until] = bounds;
        if let (Some(one), Some(other)) = (since, until) {
            (since, until) = (Some(one.min(other)), Some(one.max(other).max(one.min(other) + 1)));
        }
        let arguments = [("--since", since), ("--until", until)].into_iter();
        let arguments = arguments.filter_map(|(option, day)| Some([option.to_owned(), calendar::date(day?)]));
        Selection { arguments: arguments.flatten().collect(), period: Period { since, until } }
    }

    /// Makes one audit and compares it with the oracle; then proves it.
    fn audit(&mut self, selection: &Selection) -> Result<(), String> {
        self.note("audits");
        self.audits += 1;
        let out = format!("audits/{}", self.audits);
        let rules = Rules {
            split_is_off: self.odds(0.15),
            waivers: if self.odds(0.4) { self.waivers.clone() } else { Vec::new() },
        };
        rules.lay_out(&self.place.path(""));
        let mut arguments = vec!["audit", DATASET, "--out", &out, "--format", "csv", "-q", "--stale-after", "3650d"];
        arguments.extend(selection.arguments.iter().map(String::as_str));
        arguments.extend(rules.arguments());
        let what = arguments.join(" ");
        let (code, printed) = self.run(&arguments)?;
        self.tell(format!("{what} -> {code}"));
        if ![0, 1, 3].contains(&code) {
            return Err(format!("`{what}` exits with {code}: {printed}"));
        }
        let report = Report::read(&self.place.path("audits"), &self.audits.to_string());
        let audited = Audited {
            days: ReportFiles(self.place.path(&out)).rows("spend_by_day.csv"),
            report: &report,
            rules: &rules,
            ledger: &self.ledger,
            period: selection.period,
            zone: self.zone,
            log: &self.provider.log(),
        };
        let counts = audited.check(code).map_err(|problem| format!("`{what}`: {problem}"))?;
        for (kind, count) in counts {
            *self.counts.entry(kind).or_default() += count;
        }
        if self.odds(0.1) {
            self.answer(&arguments, code, &report)?;
        }
        if !self.odds(0.5) {
            return Ok(());
        }
        self.note("audit proven");
        match self.run(&["verify", &out, "--files-only"])? {
            (0, _) => Ok(()),
            (code, printed) => Err(format!("`tieout verify` of `{what}` exits with {code}: {printed}")),
        }
    }

    /// Has DuckDB answer the script of an audit, and compares the report of its answers with the one that was made here.
    fn answer(&mut self, arguments: &[&str], exit: i32, report: &Report) -> Result<(), String> {
        self.note("audit by script");
        let (job, out) = (format!("jobs/{}", self.audits), format!("audits/{}-answered", self.audits));
        let mut asked: Vec<&str> = arguments.to_vec();
        asked[3] = &job;
        let format = asked.iter().position(|argument| *argument == "--format").expect("a format");
        asked.drain(format..format + 2);
        asked.extend(["--engine", "sql"]);
        let written = self.run(&asked)?;
        if written.0 != 0 {
            return Err(format!("{asked:?} exits with {}: {}", written.0, written.1));
        }
        let answered = reader("script.py", &[&self.place.path(&job).join("audit.sql")]);
        if !answered.status.success() {
            return Err(format!("DuckDB does not answer {asked:?}: {}", printed(&answered)));
        }
        let results = format!("{job}/results");
        let made = self.run(&["audit", DATASET, "--results", &results, "--out", &out, "--format", "csv", "-q"])?;
        if made.0 != exit {
            return Err(format!("the report of the answers to {asked:?} exits with {}: {}", made.0, made.1));
        }
        let files = |name: &str| {
            let mut files = ReportFiles(self.place.path("audits").join(name)).files();
            files.remove("manifest.json");
            files
        };
        let (ours, theirs) = (files(&self.audits.to_string()), files(&format!("{}-answered", self.audits)));
        let differs = ours.keys().chain(theirs.keys()).find(|name| ours.get(*name) != theirs.get(*name));
        differs.map_or(Ok(()), |name| Err(format!("{name} of the answers to {asked:?} is not as {report:?} has it")))
    }

    /// Runs another command; returns its exit code and what it prints.
    fn run(&self, arguments: &[&str]) -> Result<(i32, String), String> {
        let output = tieout().current_dir(self.place.path("")).args(arguments).output().expect("starts");
        let printed = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        output.status.code().map(|code| (code, printed)).ok_or_else(|| format!("{arguments:?} was killed"))
    }
}

/// The month of a day.
fn of_month(day: i64) -> Selection {
    let first = day + 1 - calendar::civil(day)[2];
    let next = (first + 28..).find(|day| calendar::civil(*day)[2] == 1);
    let arguments = vec!["--month".to_owned(), calendar::month(day)];
    Selection { period: Period { since: Some(first), until: next }, arguments }
}
