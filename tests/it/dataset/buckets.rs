//! Datasets in buckets: two servers that speak S3 hold one each, and their audits are those of the same nights in a folder.
//!
//! The servers come with Python (TIEOUT_TEST_S3, the folder of their programs); `make test` provides them.

use std::env;
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::readers::printed;
use crate::support::{Place, ReportFiles, code, repository, stdout, tieout};

const STARTS_WITHIN: Duration = Duration::from_secs(120);
const ID: &str = "tieout-tests";
const SECRET: &str = "a-secret-that-nobody-may-see";
const BUCKET: &str = "lake";

/// A server that is killed with everything that it started.
struct Server {
    process: Child,
    port: u16,
    _folder: tempfile::TempDir,
}

/// A port that is free now, as is the one ten thousand above it.
fn free_port() -> u16 {
    loop {
        let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port").port();
        if port < 50_000 && TcpListener::bind(("127.0.0.1", port + 10_000)).is_ok() {
            return port;
        }
    }
}

impl Server {
    /// Starts a server, and waits until a dataset of these reports can be made in its bucket.
    fn start(name: &str, reports: &str) -> Self {
        let Some(programs) = env::var_os("TIEOUT_TEST_S3").map(PathBuf::from) else {
            panic!("no server of S3 (TIEOUT_TEST_S3): run `make test`");
        };
        let (folder, port) = (tempfile::tempdir().expect("a folder"), free_port());
        let mut server = Command::new(programs.join(name));
        if name == "moto_server" {
            server.args(["-H", "127.0.0.1", "-p", &port.to_string()]);
        } else {
            server.args(["mini", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-webdav=false", "-admin.ui=false"]);
            server.arg(format!("-bucket={BUCKET}"));
            server.arg(format!("-dir={}", folder.path().display())).arg(format!("-s3.port={port}"));
            for part in ["master", "volume", "filer", "admin"] {
                server.arg(format!("-{part}.port={}", free_port()));
            }
        }
        server.env("AWS_ACCESS_KEY_ID", ID).env("AWS_SECRET_ACCESS_KEY", SECRET).current_dir(folder.path());
        server.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        let server = Self { process: server.spawn().expect("starts"), port, _folder: folder };
        let since = Instant::now();
        while !server.is_ready(reports) {
            assert!(since.elapsed() < STARTS_WITHIN, "{name} does not start");
            thread::sleep(Duration::from_millis(300));
        }
        server
    }

    /// Whether a dataset can be made. One of the servers makes its bucket when it is asked, and looks at no signature.
    fn is_ready(&self, reports: &str) -> bool {
        let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)) else { return false };
        let signed = format!("Credential={ID}/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0");
        let request = format!(
            "PUT /{BUCKET} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: AWS4-HMAC-SHA256 {signed}\r\n\
             Content-Length: 0\r\nConnection: close\r\n\r\n"
        );
        let mut answer = String::new();
        let is_answered = stream.write_all(request.as_bytes()).is_ok() && stream.read_to_string(&mut answer).is_ok();
        is_answered && code(&run(self.port, &["dataset", "import", reports, "--dataset", &address("first try")])) == 0
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = killpg(Pid::from_raw(self.process.id().cast_signed()), Signal::SIGKILL);
        let _ = self.process.wait();
    }
}

/// The program with credentials for a server.
fn with(port: u16) -> Command {
    let mut tieout = tieout();
    for (name, _) in env::vars().filter(|(name, _)| name.starts_with("AWS_")) {
        tieout.env_remove(name);
    }
    tieout.env("AWS_ACCESS_KEY_ID", ID).env("AWS_SECRET_ACCESS_KEY", SECRET).env("AWS_REGION", "us-east-1");
    tieout.env("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{port}")).env("AWS_ALLOW_HTTP", "true");
    tieout
}

fn run(port: u16, arguments: &[&str]) -> Output {
    with(port).args(arguments).output().expect("starts")
}

fn address(folder: &str) -> String {
    format!("s3://{BUCKET}/{folder}")
}

/// The reports of some nights.
fn nights(place: &Place, count: usize) -> Vec<PathBuf> {
    let night = |number: usize| {
        let out = place.path("nights").join(number.to_string());
        let mut run = place.reconcile(repository("sample_data/ids.csv"));
        run.args(["--sandbox", "--as-of", &format!("2026-06-0{number}T00:00:00Z"), "--format", "csv", "--fresh"]);
        assert_eq!(code(&run.arg("--out").arg(&out).output().expect("starts")), 1);
        out
    };
    (1..=count).map(night).collect()
}

/// The files of a report that don't name those of its dataset.
fn figures(report: &Path) -> Vec<(String, Vec<u8>)> {
    let of_files = ["sources.json", "manifest.json"];
    let files = ReportFiles(report.to_owned()).files().into_iter();
    files.filter(|(name, _)| !of_files.contains(&name.as_str())).collect()
}

fn path(place: &Place, name: &str) -> String {
    place.path(name).to_str().expect("a path").to_owned()
}

#[test]
fn a_bucket_holds_what_a_folder_holds() {
    let place = Place::new();
    nights(&place, 3);
    let (reports, local) = (path(&place, "nights"), path(&place, "history"));
    let done = |output: Output, exit: i32| {
        assert_eq!(code(&output), exit, "{}", printed(&output));
        assert!(!printed(&output).contains(SECRET));
        stdout(&output)
    };
    done(run(1, &["dataset", "import", &reports, "--dataset", &local]), 0);
    for name in ["moto_server", "weed"] {
        let server = Server::start(name, &reports);
        let port = server.port;
        let dataset = address("nested/history");
        done(run(port, &["dataset", "import", &reports, "--dataset", &dataset]), 0);
        let again = done(run(port, &["dataset", "import", &reports, "--dataset", &dataset]), 0);
        assert!(again.contains("there already: 3"), "{name}: {again}");
        let audit = |of: &str, out: &str, arguments: &[&str]| {
            let out = path(&place, out);
            let audit = [&["audit", of, "--out", &out, "--format", "csv", "-q"], arguments].concat();
            done(run(port, &audit), 1);
        };
        for (number, arguments) in [&[][..], &["--month", "2026-05", "--day-by", "updated"]].into_iter().enumerate() {
            audit(&local, &format!("local-{number}"), arguments);
            audit(&dataset, &format!("{name}-{number}"), arguments);
            let [ours, theirs] = [format!("local-{number}"), format!("{name}-{number}")];
            assert_eq!(figures(&place.path(&ours)), figures(&place.path(&theirs)), "{name} {arguments:?}");
        }
        let merged = done(run(port, &["compact", &dataset]), 0);
        assert!(merged.starts_with("files merged: 96 (days: 32), into: 32"), "{name}: {merged}");
        audit(&dataset, &format!("{name}-merged"), &[]);
        assert_eq!(figures(&place.path("local-0")), figures(&place.path(&format!("{name}-merged"))), "{name}");
        for report in ["0", "merged"] {
            done(run(port, &["verify", &path(&place, &format!("{name}-{report}")), "--files-only"]), 0);
        }
        // Nights are missing, so that it is closed by force.
        let close = ["close", "2026-05", "--force", "--format", "csv", "--dataset", &dataset];
        assert!(done(run(port, &close), 3).contains(&format!("Report: {dataset}/closes/2026-05")));
        let refused = run(port, &close);
        assert_eq!(code(&refused), 2, "{}", printed(&refused));
        assert!(
            printed(&refused).contains(&format!("its report is {dataset}/closes/2026-05")),
            "{}",
            printed(&refused)
        );
        done(run(port, &["close", "2026-06", "--force", "-q", "--dataset", &dataset]), 3);
        let shown = done(run(port, &["dataset", &dataset]), 0);
        assert!(shown.contains("months: 2 (2026-05 to 2026-06)"), "{name}: {shown}");
        audit(&dataset, &format!("{name}-closed"), &[]);
        done(run(port, &["verify", &path(&place, &format!("{name}-closed")), "--files-only"]), 0);
        a_close_without_a_manifest_is_told_and_made_again(port, &dataset);
        four_writers_at_once(port, &place);
        if name == "weed" {
            refused_credentials(port, &dataset);
        }
    }
}

/// Runs Python with `s3`, a client of the server.
fn objects(port: u16, python: &str) {
    let programs = env::var_os("TIEOUT_TEST_S3").map(PathBuf::from).expect("a server");
    let client = format!(
        "import boto3\ns3 = boto3.client('s3', endpoint_url='http://127.0.0.1:{port}', region_name='us-east-1', \
         aws_access_key_id='{ID}', aws_secret_access_key='{SECRET}')\n{python}"
    );
    let ran = Command::new(programs.join("python")).args(["-c", &client]).output().expect("starts");
    assert!(ran.status.success(), "{}", printed(&ran));
}

/// A close that was killed before its last file, or that lost it, with files that the next one does not have.
fn a_close_without_a_manifest_is_told_and_made_again(port: u16, dataset: &str) {
    let prefix = dataset.strip_prefix("s3://lake/").expect("an address");
    let delete = |key: &str| format!("s3.delete_object(Bucket='{BUCKET}', Key='{prefix}/{key}')\n");
    let put = |key: &str| format!("s3.put_object(Bucket='{BUCKET}', Key='{prefix}/{key}', Body=b'x')\n");
    objects(port, &(delete("closes/2026-06/manifest.json") + &put("closes/2026-06/other.csv")));
    let shown = run(port, &["dataset", dataset]);
    assert_eq!(code(&shown), 4, "{}", printed(&shown));
    assert!(printed(&shown).contains("closes/2026-06: it has no manifest"), "{}", printed(&shown));
    let again = run(port, &["close", "2026-06", "--force", "-q", "--format", "csv", "--dataset", dataset]);
    assert_eq!(code(&again), 3, "{}", printed(&again));
    let shown = run(port, &["dataset", dataset]);
    assert_eq!(code(&shown), 0, "{}", printed(&shown));
    // Another writer is at work, or was killed less than six hours ago.
    for (claim, command) in [
        ("closes/claim", &["close", "2026-07", "--force", "--dataset", dataset][..]),
        ("compactions/claim", &["compact", dataset]),
    ] {
        objects(port, &put(claim));
        let refused = run(port, command);
        assert_eq!(code(&refused), 4, "{claim}: {}", printed(&refused));
        assert!(printed(&refused).contains("is at work; wait for its end"), "{claim}: {}", printed(&refused));
        let old = format!("s3.put_object(Bucket='{BUCKET}', Key='{prefix}/{claim}', Body=b'2026-01-01T00:00:00Z 1')\n");
        objects(port, &old);
    }
    assert_eq!(code(&run(port, &["compact", dataset])), 0);
    // Whatever is called like a record is one.
    objects(port, &put("runs/strange~name.json"));
    let damaged = run(port, &["dataset", dataset]);
    assert_eq!(code(&damaged), 4, "{}", printed(&damaged));
    assert!(printed(&damaged).contains("runs/strange~name.json"), "{}", printed(&damaged));
    objects(port, &delete("runs/strange~name.json"));
    assert_eq!(code(&run(port, &["dataset", dataset])), 0);
}

/// Of four that want to be the first, one is; and four that append at once all do.
fn four_writers_at_once(port: u16, place: &Place) {
    let one = path(place, "nights/1");
    let at_once = |of: &(dyn Fn(usize) -> Command + Sync)| -> Vec<i32> {
        thread::scope(|scope| {
            let all: Vec<_> = (0..4).map(|number| scope.spawn(move || of(number).output().expect("starts"))).collect();
            all.into_iter().map(|one| code(&one.join().expect("ends"))).collect()
        })
    };
    let mut ends = at_once(&|number| {
        let mut night = with(port);
        let out = place.path(&format!("racing-{number}"));
        night.arg("reconcile").arg(repository("sample_data/ids.csv")).args(["--sandbox", "-q", "--format", "csv"]);
        night.args(["--account", &format!("account {number}"), "--dataset", &address("first")]);
        night.arg("--state").arg(place.path(&format!("racing-{number}.sqlite"))).arg("--out").arg(out);
        night
    });
    ends.sort_unstable();
    assert_eq!(ends, [1, 2, 2, 2], "one dataset is of one account");
    let ends = at_once(&|_| {
        let mut import = with(port);
        import.args(["dataset", "import", &one, "--dataset", &address("appended")]);
        import
    });
    assert_eq!(ends, [0; 4]);
    let shown = run(port, &["dataset", &address("appended")]);
    assert_eq!(code(&shown), 0, "{}", printed(&shown));
    assert!(stdout(&shown).contains("every hash is as written"), "{}", stdout(&shown));
}

fn refused_credentials(port: u16, dataset: &str) {
    let refused = with(port).env("AWS_SECRET_ACCESS_KEY", "wrong").args(["dataset", dataset]).output().expect("starts");
    assert_eq!(code(&refused), 4, "{}", printed(&refused));
    assert!(printed(&refused).contains("access is denied"), "{}", printed(&refused));
    let folder = tempfile::tempdir().expect("a folder");
    let profile = folder.path().join("credentials");
    let text = format!("[default]\n[tests]\naws_access_key_id = {ID}\naws_secret_access_key = {SECRET}\n");
    fs::write(&profile, text).expect("writable");
    let by_profile = |name: &str| {
        let mut shown = with(port);
        shown.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY").env("AWS_PROFILE", name);
        shown.env("AWS_SHARED_CREDENTIALS_FILE", &profile).args(["dataset", dataset]).output().expect("starts")
    };
    assert_eq!(code(&by_profile("tests")), 0, "{}", printed(&by_profile("tests")));
    let missing = by_profile("others");
    assert_eq!(code(&missing), 4);
    assert!(printed(&missing).contains("\"others\" (AWS_PROFILE) has no access key"), "{}", printed(&missing));
}

/// A server with one answer to everything, or none.
fn answering(answer: Option<&'static str>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    thread::spawn(move || {
        let mut held = Vec::new();
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let Some(answer) = answer else {
                held.push(stream);
                continue;
            };
            let mut request = [0; 4_096];
            let _ = stream.read(&mut request);
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    port
}

#[test]
fn a_bucket_that_refuses_or_says_nothing_is_told() {
    let expired = "HTTP/1.1 400 Bad Request\r\nContent-Length: 129\r\nConnection: close\r\n\r\n\
                   <?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
                   <Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>";
    let no_bucket = "HTTP/1.1 404 Not Found\r\nContent-Length: 52\r\nConnection: close\r\n\r\n\
                     <Error><Code>NoSuchBucket</Code><Message/></Error>  ";
    let denied = "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let busy = "HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let place = Place::new();
    for (answer, what) in [
        (Some(denied), "access is denied"),
        (Some(expired), "The provided token has expired. (ExpiredToken)"),
        (Some(no_bucket), "NoSuchBucket"),
        (Some(busy), "503"),
        (None, "does not answer"),
    ] {
        let (port, since) = (answering(answer), Instant::now());
        let said = run(port, &["audit", &address("history"), "--out", &path(&place, "report")]);
        assert_eq!(code(&said), 4, "{what}: {}", printed(&said));
        assert!(printed(&said).contains(what), "{what}: {}", printed(&said));
        assert!(printed(&said).contains("s3://lake/history/dataset.json"), "{}", printed(&said));
        assert!(!printed(&said).contains(SECRET) && !place.path("report").exists());
        assert!(since.elapsed() < Duration::from_secs(90), "{what}: {:?}", since.elapsed());
    }
    // A night is reported whatever becomes of the dataset.
    let mut night = with(answering(Some(denied)));
    night.arg("reconcile").arg(repository("sample_data/ids.csv")).args(["--sandbox", "-q", "--format", "csv"]);
    night.args([
        "--dataset",
        &address("history"),
        "--out",
        &path(&place, "night"),
        "--state",
        &path(&place, "s.sqlite"),
    ]);
    let night = night.output().expect("starts");
    assert_eq!(code(&night), 1, "{}", printed(&night));
    assert!(printed(&night).contains("access is denied"), "{}", printed(&night));
    for (arguments, what) in [
        (&["audit", "s3://", "--out", "x"][..], "s3://BUCKET/FOLDER"),
        (&["audit", "s3://lake/a//b", "--out", "x"], "s3://BUCKET/FOLDER"),
        (&["dataset", "s3:///history"], "s3://BUCKET/FOLDER"),
        (&["dataset", "s3://me:a-secret-that-nobody-may-see@lake/history"], "s3://BUCKET/FOLDER"),
    ] {
        let said = run(1, arguments);
        assert_eq!(code(&said), 2, "{arguments:?}: {}", printed(&said));
        assert!(printed(&said).contains(what) && !printed(&said).contains(SECRET), "{arguments:?}: {}", printed(&said));
    }
    let import = ["dataset", "import", &path(&place, "night"), "--dataset", "s3a://lake/history"];
    let other = with(1).current_dir(place.path("")).args(import).output().expect("starts");
    assert_eq!(code(&other), 2, "{}", printed(&other));
    assert!(printed(&other).contains("in a folder or at s3://") && !place.path("s3a:").exists(), "{}", printed(&other));
    for (name, value) in [("AWS_ENDPOINT_URL", "127.0.0.1:1"), ("AWS_SESSION_TOKEN", "a\nb")] {
        let said = with(1).env(name, value).args(["dataset", &address("history")]).output().expect("starts");
        assert_eq!(code(&said), 4, "{}", printed(&said));
        assert!(printed(&said).contains(name), "{}", printed(&said));
    }
    let out = run(1, &["audit", &path(&place, "night"), "--out", "s3://lake/report"]);
    assert_eq!(code(&out), 2, "{}", printed(&out));
    assert!(printed(&out).contains("only a dataset can be in a bucket"), "{}", printed(&out));
}
