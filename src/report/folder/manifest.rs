//! `manifest.json`: what a report was made from, and the hash of every file. It is written last, and it marks
//! a folder as a tieout report.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use std::thread;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::checks::Rules;
use crate::domain::layout::InputLayout;
use crate::domain::listed::ListShortfall;
use crate::domain::month::Month;
use crate::domain::program::{COMMIT, VERSION};
use crate::domain::schedule::Schedule;
use crate::report::content::summary_json::Lifecycle;
use crate::report::files::{FileStamp, HTML_FILE, MANIFEST_FILE, XLSX_FILE, hash_file, hash_program};
use crate::report::formats::options::ReportOptions;
use crate::report::formats::{Format, Formats};
use crate::report::formats::{html, xlsx};
use crate::report::{ReportError, files};

pub(in crate::report) const KIND: &str = "tieout-report";
pub(in crate::report) const FORMAT: u32 = 1;
/// A debug build takes seconds to hash itself.
const HASHES_PROGRAM: bool = !cfg!(debug_assertions);

/// What the job knows about a report: the manifest without the list of files.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Stamp {
    /// The moment at which ages are measured.
    pub as_of: Timestamp,
    /// When the job started.
    pub started_at: Timestamp,
    /// When the report was complete.
    pub finished_at: Timestamp,
    /// Whose orders these are: the provider's base URL, or `sandbox`.
    pub base_url: String,
    /// The formats, encoding and language it is written in, and what affects the exit code.
    #[serde(flatten)]
    pub options: ReportOptions,
    /// The input file that the report is about; that of a report about a dataset is empty.
    #[serde(default, skip_serializing_if = "InputStamp::is_empty")]
    pub input: InputStamp,
    /// The dataset that it is about instead of an input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataset: Option<DatasetStamp>,
    /// The settings that affect judgement.
    pub settings: Rules,
    /// SHA-256 of everything that draws a file for people (templates, texts, code), by file name. A version
    /// with a different hash draws different bytes from the same figures.
    pub designs: BTreeMap<String, String>,
    /// The previous report in the same reports folder.
    pub previous: Option<Link>,
    /// For a report by `tieout audit`: SHA-256 of the manifest of the report whose evidence it was made from.
    pub made_from: Option<String>,
    /// What earlier runs contributed.
    pub earlier: EarlierStamp,
    /// This machine's clock and the provider's, if they are more than two minutes apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<ClockStamp>,
    /// How the fetching went; `None` for a report by `tieout audit`, which fetches nothing.
    pub fetch: Option<FetchStamp>,
    /// The verdict's code, such as `discrepant`.
    pub verdict: String,
    /// The exit code of the job.
    pub exit_code: u8,
}

/// A reference to a report of the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// The folder's name.
    pub report: String,
    /// SHA-256 of its manifest, in hex.
    pub manifest_sha256: String,
}

/// The same moment on two clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClockStamp {
    /// On the machine that made the report.
    pub ours: Timestamp,
    /// At the provider, by the `Date` of its replies.
    pub provider: Timestamp,
}

/// What earlier runs contributed to a report. The values themselves are in `evidence.jsonl`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct EarlierStamp {
    /// How discrepancies changed since their orders were last judged.
    pub lifecycle: Lifecycle,
    /// How many orders were reused from an earlier run instead of fetched again.
    pub reused: u64,
    /// SHA-256 of the manifests of this run's incomplete reports that this one replaces.
    pub replaces: Vec<String>,
}

/// The input file, as it was read.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct InputStamp {
    /// The file's name, without its folder.
    pub name: String,
    /// SHA-256 of its bytes, in hex.
    pub sha256: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// How many rows it has.
    pub rows: u64,
    /// Why it does not count as complete, if it is a list that `tieout discover` wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shortfall: Option<ListShortfall>,
    /// Its records that are not rows: preamble, heading and footers.
    pub layout: InputLayout,
}

impl InputStamp {
    fn is_empty(&self) -> bool {
        self.sha256.is_empty()
    }
}

/// Which orders of which dataset a report is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatasetStamp {
    /// The folder of the dataset, when the report was made.
    pub folder: String,
    /// Whose orders it holds, and by which days: the content of its `dataset.json`.
    pub identity: Value,
    /// The first day on which the orders were created; `None` from the beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Date>,
    /// The day after the last one; `None` to the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Date>,
    /// Their workflow; `None` for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow: Option<String>,
    /// The close that it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub close: Option<CloseStamp>,
}

/// The close of a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CloseStamp {
    /// The month.
    pub month: Month,
    /// How often runs were expected, in seconds; `None` for one for every day with an order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<Schedule>,
    /// Whether it was closed whatever was lacking.
    pub is_forced: bool,
}

/// How the fetching went.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct FetchStamp {
    /// Requests sent, including retries and those answered with 429.
    pub requests: u64,
    /// Replies received, of any HTTP status.
    pub replies: u64,
    /// Bytes read of the replies' bodies.
    pub bytes: u64,
    /// Retries, by the failure that each of them followed.
    pub retries: BTreeMap<String, u64>,
    /// Replies with status or code 429.
    pub throttled: u64,
    /// How long the next request in line was held up, in milliseconds, by what held it up.
    pub waits_ms: BTreeMap<String, u64>,
    /// Latencies of replies in milliseconds, with three decimals: `p50`, `p90`, `p99`, `max`. Empty without a
    /// reply.
    pub latency_ms: BTreeMap<String, String>,
    /// From the first row to the last commit, in milliseconds.
    pub elapsed_ms: u64,
    /// The rate limit in requests per second; 0 is unlimited.
    pub rate_allowed: u32,
    /// Requests per second over the elapsed time, with one decimal.
    pub rate_used: String,
    /// Failing orders that were fetched again before they were reported.
    pub read_again: u64,
    /// How many of those had changed by then.
    pub changed_meanwhile: u64,
}

/// A manifest, as written and read.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Manifest {
    /// Always `tieout-report`.
    pub kind: String,
    /// The version of this layout.
    pub format: u32,
    /// The version of tieout that wrote it.
    pub tieout_version: String,
    /// The commit that it was built from, if it knows.
    pub tieout_commit: Option<String>,
    /// SHA-256 of the program itself, in hex; a debug build leaves it out.
    pub tieout_sha256: Option<String>,
    /// SHA-256 of the settings' canonical JSON, in hex.
    pub settings_sha256: String,
    /// What the job knows about the report.
    #[serde(flatten)]
    pub stamp: Stamp,
    /// Every other file of the folder, by name.
    pub files: Vec<FileStamp>,
}

/// The hash of what draws each file for people in this version, for the formats that a report is written in.
#[must_use]
pub fn designs(formats: &Formats) -> BTreeMap<String, String> {
    let html = formats.has(Format::Html).then(|| (HTML_FILE.to_owned(), html::design()));
    let xlsx = formats.has(Format::Xlsx).then(|| (XLSX_FILE.to_owned(), xlsx::design()));
    html.into_iter().chain(xlsx).collect()
}

impl Stamp {
    /// Begins to hash this program on a thread of its own, which writing a stamp would take a tenth of a second for.
    pub fn prepare() {
        if HASHES_PROGRAM {
            // Without a thread, the hash is worked out when it is needed.
            _ = thread::Builder::new().name("tieout-program".to_owned()).spawn(hash_program);
        }
    }

    /// Hashes every file of the folder and writes the manifest into it; returns the manifest's own SHA-256 in
    /// hex.
    ///
    /// # Errors
    /// When a file can't be read or the manifest can't be written.
    pub fn write(self, folder: &Path) -> Result<String, ReportError> {
        let path = folder.join(MANIFEST_FILE);
        let failed = |source| ReportError::io(&path, source);
        let manifest = Manifest {
            kind: KIND.to_owned(),
            format: FORMAT,
            tieout_version: VERSION.to_owned(),
            tieout_commit: COMMIT.map(str::to_owned),
            tieout_sha256: if HASHES_PROGRAM { hash_program().map(str::to_owned) } else { None },
            settings_sha256: hex::encode(Sha256::digest(serde_json::to_vec(&self.settings).unwrap_or_default())),
            stamp: self,
            files: hash_files(folder).map_err(failed)?,
        };
        let text = files::write_json(&path, &manifest).map_err(failed)?;
        Ok(hex::encode(Sha256::digest(&text)))
    }
}

fn hash_files(folder: &Path) -> io::Result<Vec<FileStamp>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name == MANIFEST_FILE {
            continue;
        }
        let (sha256, bytes) = hash_file(&entry.path())?;
        files.push(FileStamp { name, sha256, bytes });
    }
    files.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(files)
}
