//! Shared by the end-to-end tests: the real binary, a real sandbox on a real socket, and plain readers of reports.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tieout::sandbox::{Journal, KEY, Options, Sandbox, SandboxError};
use tokio::runtime::Runtime;

/// The binary under test, with nothing in its environment but `PATH`.
pub fn tieout() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tieout"));
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command
}

/// For tests that count requests: switches off the confirm-read, so that failing orders are not fetched again.
pub const NO_CONFIRM_READ: &str = "--confirm=false";

/// A temporary folder for the files of one test.
pub struct Place(TempDir);

impl Place {
    pub fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, content).expect("a writable temporary folder");
        path
    }

    /// `tieout reconcile` without a rate limit, with report and state in this place.
    pub fn reconcile(&self, ids: impl AsRef<OsStr>) -> Command {
        let mut command = tieout();
        command.current_dir(self.0.path());
        command.arg("reconcile").arg(ids).arg("--rate").arg("0");
        command.arg("--out").arg(self.path("report")).arg("--state").arg(self.path("state.sqlite"));
        command
    }

    /// `tieout discover` against the provider at that URL, with the sandbox's key and the state in this place.
    pub fn discover(&self, url: &str) -> Command {
        let mut command = tieout();
        command.current_dir(self.0.path()).env("CHENYU_API_KEY", KEY);
        command.args(["discover", "--rate", "0", "--api-url", url]).arg("--state").arg(self.path("state.sqlite"));
        command
    }

    /// Every file below this place.
    pub fn files(&self) -> Vec<PathBuf> {
        files_below(self.0.path())
    }

    pub fn report(&self) -> ReportFiles {
        ReportFiles(self.path("report"))
    }
}

pub fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("a readable entry").path();
        if path.is_dir() { found.extend(files_below(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

/// The bytes of files, by name.
pub type Files = BTreeMap<String, Vec<u8>>;

/// Asserts that files are equal byte for byte; shows the first that differs.
pub fn assert_same_files(found: &Files, expected: &Files, when: &str) {
    assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>(), "{when}");
    for (name, bytes) in found {
        assert!(*bytes == expected[name], "{when}: {name} differs:\n{}", String::from_utf8_lossy(bytes));
    }
}

/// A report folder, read by plain means.
pub struct ReportFiles(pub PathBuf);

impl ReportFiles {
    pub fn exists(&self) -> bool {
        self.0.exists()
    }

    pub fn bytes(&self, name: &str) -> Vec<u8> {
        fs::read(self.0.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub fn json(&self, name: &str) -> serde_json::Value {
        serde_json::from_slice(&self.bytes(name)).expect("JSON")
    }

    /// The rows of a CSV file as maps from column to cell.
    pub fn rows(&self, name: &str) -> Vec<BTreeMap<String, String>> {
        let mut reader = csv::Reader::from_path(self.0.join(name)).expect("a CSV file");
        reader.deserialize().map(|row| row.expect("a row")).collect()
    }

    /// Every file, by name.
    pub fn files(&self) -> Files {
        let named = |path: PathBuf| (path.file_name().expect("a name").to_string_lossy().into_owned(), path);
        let read = |(name, path)| (name, fs::read(path).expect("readable"));
        files_below(&self.0).into_iter().map(named).map(read).collect()
    }

    /// Every file except the manifest: those that depend only on evidence and settings.
    pub fn reproducible_files(&self) -> Files {
        let mut files = self.files();
        assert!(files.remove("manifest.json").is_some(), "a report has a manifest");
        files
    }

    pub fn population(&self, bucket: &str) -> u64 {
        self.json("summary.json")["population"][bucket].as_u64().expect("a count")
    }

    pub fn verdict(&self) -> String {
        self.json("summary.json")["verdict"].as_str().expect("a word").to_owned()
    }
}

/// A sandbox on a real socket in this process; it stops when dropped.
pub struct Server {
    _runtime: Runtime,
    pub url: String,
    /// The requests that the sandbox got; empty unless its options ask for a journal.
    pub journal: Journal,
}

impl Server {
    pub fn start(options: Options) -> Self {
        Self::start_at(0, options)
    }

    /// Starts a sandbox at a given port. One that reuses an earlier sandbox's port is the same provider to a job.
    pub fn start_at(port: u16, options: Options) -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        // A connection of another test may occupy the port for a moment.
        let mut started = runtime.block_on(Sandbox::start(address, options.clone()));
        let patience = Instant::now() + Duration::from_secs(60);
        while matches!(started, Err(SandboxError::AddressInUse(_))) && Instant::now() < patience {
            sleep(Duration::from_millis(50));
            started = runtime.block_on(Sandbox::start(address, options.clone()));
        }
        let sandbox = started.expect("a free port");
        let (url, journal) = (sandbox.base_url(), sandbox.journal());
        runtime.spawn(sandbox.wait());
        Self { _runtime: runtime, url, journal }
    }
}

impl Server {
    /// The port that it listens on.
    pub fn port(&self) -> u16 {
        let address = self.url.split('/').nth(2).expect("an address");
        address.rsplit(':').next().expect("a port").parse().expect("a number")
    }
}

pub fn code(output: &Output) -> i32 {
    output.status.code().unwrap_or_else(|| panic!("ended by a signal: {output:?}"))
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The path of a file in the repository.
pub fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}
