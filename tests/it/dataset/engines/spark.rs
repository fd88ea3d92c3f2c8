//! A real Spark: one server with two executor processes answers over Spark Connect, and `spark-sql` runs the script.
//!
//! It needs a Java and the folder of a Spark (TIEOUT_TEST_SPARK_HOME); `make test` provides both.

use std::env;
use std::fs::{self, File};
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

use super::{ASKED, Arguments, assert_same_report, local, of_results, random, script};
use crate::dataset::audit::verify;
use crate::readers::printed;
use crate::support::{Place, code, stderr, stdout, tieout};

/// How long a Spark may take to start: some seconds, on a machine that has nothing else to do.
const STARTS_WITHIN: Duration = Duration::from_secs(300);
const TOKEN: &str = "a-token-that-nobody-may-see";

fn home() -> PathBuf {
    let Some(home) = env::var_os("TIEOUT_TEST_SPARK_HOME") else {
        panic!("no Spark (TIEOUT_TEST_SPARK_HOME): run `make test`");
    };
    let java = Command::new("java").arg("-version").output();
    assert!(java.is_ok_and(|java| java.status.success()), "Java is missing: install default-jre-headless");
    home.into()
}

/// A program of Spark that keeps everything in a folder, with two executors in processes of their own.
fn spark(program: &str, folder: &Path) -> Command {
    let home = home();
    let mut spark = Command::new(home.join(program));
    spark.env("SPARK_HOME", &home).env("SPARK_LOCAL_IP", "127.0.0.1").env("SPARK_LOCAL_HOSTNAME", "localhost");
    spark.env("SPARK_NO_DAEMONIZE", "1").env("SPARK_WORKER_DIR", folder.join("work"));
    spark.env("SPARK_LOCAL_DIRS", folder.join("local")).env("SPARK_LOG_DIR", folder.join("log"));
    spark.env_remove("SPARK_CONNECT_AUTHENTICATE_TOKEN").current_dir(folder);
    spark.args(["--master", "local-cluster[2,1,1024]", "--driver-memory", "512m"]);
    let java = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC";
    for setting in [
        "spark.executor.memory=512m",
        "spark.ui.enabled=false",
        "spark.sql.catalogImplementation=in-memory",
        "spark.sql.shuffle.partitions=2",
        "spark.connect.grpc.binding.port=0",
        &format!("spark.driver.extraJavaOptions={java}"),
        &format!("spark.executor.extraJavaOptions={java}"),
    ] {
        spark.args(["--conf", setting]);
    }
    spark
}

/// A server of Spark Connect, with all its processes.
struct Server {
    process: Child,
    port: u16,
    _folder: tempfile::TempDir,
}

impl Server {
    /// Starts a server that asks for this token, if any.
    fn start(token: Option<&str>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let log = folder.path().join("server.log");
        let output = File::create(&log).expect("writable");
        let mut server = spark("sbin/start-connect-server.sh", folder.path());
        server.stdout(output.try_clone().expect("a file")).stderr(output).stdin(Stdio::null()).process_group(0);
        if let Some(token) = token {
            server.env("SPARK_CONNECT_AUTHENTICATE_TOKEN", token);
        }
        let mut process = server.spawn().expect("starts");
        let since = Instant::now();
        loop {
            let said = fs::read_to_string(&log).unwrap_or_default();
            let port = said.split("Connect server started at:").nth(1).and_then(|after| after.lines().next());
            if let Some(port) = port.and_then(|address| address.rsplit(':').next()?.trim().parse().ok()) {
                return Self { process, port, _folder: folder };
            }
            let ended = process.try_wait().expect("a child");
            assert!(ended.is_none() && since.elapsed() < STARTS_WITHIN, "Spark does not start ({ended:?}): {said}");
            thread::sleep(Duration::from_millis(200));
        }
    }

    fn address(&self) -> String {
        format!("sc://127.0.0.1:{}", self.port)
    }

    fn group(&self) -> Pid {
        Pid::from_raw(self.process.id().cast_signed())
    }

    /// The processes of its executors.
    fn executors(&self) -> Vec<Pid> {
        let all = fs::read_dir("/proc").expect("a /proc").filter_map(|entry| {
            let entry = entry.ok()?;
            let pid = entry.file_name().to_str()?.parse().ok()?;
            let line = fs::read(entry.path().join("cmdline")).ok()?;
            let has = |text: &str| line.windows(text.len()).any(|part| part == text.as_bytes());
            let is_ours = nix::unistd::getpgid(Some(Pid::from_raw(pid))).is_ok_and(|group| group == self.group());
            (is_ours && has("CoarseGrainedExecutorBackend")).then_some(Pid::from_raw(pid))
        });
        all.collect()
    }

    fn kill(&mut self) {
        // It may have ended by itself.
        let _ = killpg(self.group(), Signal::SIGKILL);
        let _ = self.process.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

fn asking(dataset: &Path, out: &Path, remote: &str, arguments: Arguments<'_>) -> Command {
    let mut audit = tieout();
    audit.arg("audit").arg(dataset).arg("--out").arg(out).args(["-q", "--format", "csv,html", "--engine", "spark"]);
    audit.args(["--spark-remote", remote]).args(arguments).env_remove("SPARK_CONNECT_AUTHENTICATE_TOKEN");
    audit
}

fn ask(dataset: &Path, out: &Path, remote: &str, arguments: Arguments<'_>) -> Output {
    asking(dataset, out, remote, arguments).output().expect("starts")
}

#[test]
fn spark_makes_the_same_report_over_connect_and_by_script() {
    let place = Place::new();
    let dataset = random::dataset(&place, 2);
    {
        let mut server = Server::start(None);
        for (number, arguments) in ASKED.into_iter().enumerate() {
            let (exit, ours) = local(&place, &dataset, &format!("local-{number}"), arguments);
            let theirs = place.path(&format!("connect-{number}"));
            let ended = ask(&dataset, &theirs, &server.address(), arguments);
            assert_eq!(code(&ended), exit, "{arguments:?}: {}", printed(&ended));
            assert_same_report(&ours, &theirs, &format!("{arguments:?}"));
        }
        assert_eq!(code(&verify(&place.path("connect-0"), &[])), 0);
        an_executor_that_dies_changes_nothing(&place, &dataset, &server);
        a_server_that_dies_leaves_no_report(&place, &dataset, &mut server);
    }
    let job = script(&place, &dataset, "job", &[]);
    let text = fs::read_to_string(&job).expect("readable");
    // What would be missed in another way is shown before the script, and what must not pass after it.
    let around = place.file("around.sql", format!("{WITHOUT_CARE}\n{text}\n{OVERFLOW}\n"));
    let ran = spark_sql(&around);
    let missed: Vec<_> = stdout(&ran).lines().take(2).map(str::to_owned).collect();
    assert_eq!(missed, ["0.0000000", "true"], "one unit is lost, and one difference is not seen: {}", printed(&ran));
    assert!(!ran.status.success() && stderr(&ran).contains("NUMERIC_VALUE_OUT_OF_RANGE"), "{}", printed(&ran));
    let theirs = place.path("by-script");
    let ended = of_results(&dataset, &job, &theirs);
    let (exit, ours) = local(&place, &dataset, "by-local", &[]);
    assert_eq!(code(&ended), exit, "{}", printed(&ended));
    assert_same_report(&ours, &theirs, "by script");
    // A session that is not in ANSI mode, since an orchestrator runs each statement in one of its own, say.
    let lax = place.file("lax.sql", text.replace("SET spark.sql.ansi.enabled = true;", ""));
    let ran = spark_sql(&lax);
    assert!(!ran.status.success() && stderr(&ran).contains("it needs ANSI mode"), "{}", printed(&ran));
    let ended = of_results(&dataset, &job, &place.path("lax"));
    assert_eq!(code(&ended), 4, "{}", printed(&ended));
    assert!(printed(&ended).contains("none that has ended"), "{}", printed(&ended));
}

/// Runs a script in a session that is not in ANSI mode by itself.
fn spark_sql(script: &Path) -> Output {
    let folder = tempfile::tempdir().expect("a folder");
    let mut run = spark("bin/spark-sql", folder.path());
    run.args(["--conf", "spark.sql.ansi.enabled=false", "-f"]).arg(script).output().expect("starts")
}

/// What this SQL does not have, and why: a difference of sums loses the eighth decimal, as does a sum of amounts of 38 digits.
const WITHOUT_CARE: &str = "\
SELECT SUM(one) - SUM(other) FROM (VALUES
  (CAST('0.00000002' AS DECIMAL(28,8)), CAST('0.00000001' AS DECIMAL(28,8)))) AS t(one, other);
SELECT CAST('0.00000001' AS DECIMAL(38,8)) + CAST('0' AS DECIMAL(38,8)) = CAST('0' AS DECIMAL(38,8));
";

/// More than 38 digits, in the session that the script has made its own.
const OVERFLOW: &str = "\
SELECT SUM(amount) FROM (VALUES
  (CAST('999999999999999999999999999999.99999999' AS DECIMAL(38,8))),
  (CAST('999999999999999999999999999999.99999999' AS DECIMAL(38,8)))) AS t(amount);";

fn an_executor_that_dies_changes_nothing(place: &Place, dataset: &Path, server: &Server) {
    let theirs = place.path("executor-killed");
    let mut audit = asking(dataset, &theirs, &server.address(), &[]);
    let audit = audit.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
    let before = server.executors();
    assert_eq!(before.len(), 2, "{before:?}");
    // While it is at work: an audit takes some seconds.
    thread::sleep(Duration::from_millis(1_500));
    kill(before[0], Signal::SIGKILL).expect("there");
    let ended = audit.wait_with_output().expect("ends");
    let (exit, ours) = local(place, dataset, "executor-local", &[]);
    assert_eq!(code(&ended), exit, "{}", printed(&ended));
    assert_same_report(&ours, &theirs, "an executor was killed");
    assert!(!server.executors().contains(&before[0]));
}

fn a_server_that_dies_leaves_no_report(place: &Place, dataset: &Path, server: &mut Server) {
    let theirs = place.path("server-killed");
    let mut audit = asking(dataset, &theirs, &server.address(), &["--deadline", "60s"]);
    let audit = audit.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
    thread::sleep(Duration::from_millis(1_500));
    server.kill();
    let since = Instant::now();
    let ended = audit.wait_with_output().expect("ends");
    assert_eq!(code(&ended), 4, "{}", printed(&ended));
    assert!(printed(&ended).contains("the Spark at sc://127.0.0.1"), "{}", printed(&ended));
    assert!(since.elapsed() < Duration::from_secs(70), "{:?}", since.elapsed());
    assert!(!theirs.exists(), "nothing is published");
}

#[test]
fn a_spark_that_can_t_be_asked_leaves_no_report() {
    let place = Place::new();
    let dataset = random::dataset(&place, 1);
    let out = place.path("report");
    let fails = |remote: &str, arguments: Arguments<'_>, exit: i32, what: &str| {
        let since = Instant::now();
        let ended = ask(&dataset, &out, remote, arguments);
        assert_eq!(code(&ended), exit, "{remote} {arguments:?}: {}", printed(&ended));
        assert!(printed(&ended).contains(what), "{remote} {arguments:?}: {}", printed(&ended));
        assert!(!printed(&ended).contains(TOKEN), "{}", printed(&ended));
        assert!(!out.exists(), "nothing is published");
        since.elapsed()
    };
    let [right, wrong] =
        [TOKEN, "another-token"].map(|token| place.file(&format!("{token}.txt"), format!("{token}\n")));
    let [right, wrong] = [&right, &wrong].map(|path| path.to_str().expect("a path"));
    fails("http://127.0.0.1", &[], 2, "give an address such as");
    fails("sc://", &[], 2, "give an address such as");
    fails(&format!("sc://127.0.0.1/;x;token={TOKEN}"), &[], 2, "give an address such as");
    fails(&format!("sc://127.0.0.1/;token={TOKEN}"), &[], 2, "put it into a file");
    fails(&format!("sc://me:{TOKEN}@127.0.0.1:1"), &[], 2, "give an address such as");
    fails(&format!("spark:15002;token={TOKEN}"), &[], 2, "give an address such as");
    fails("sc://spark.example:15002", &["--spark-token-file", right], 2, "only over TLS");
    fails("sc://127.0.0.1:1", &["--spark-token-file", "missing.txt"], 2, "missing.txt");
    fails("sc://127.0.0.1:1", &["--deadline", "soon"], 2, "--deadline");
    fails("sc://127.0.0.1:1", &[], 4, "the Spark at sc://127.0.0.1:1");
    // A server that accepts and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("sc://{}", silent.local_addr().expect("an address"));
    let took = fails(&address, &["--deadline", "3s"], 4, "has not answered within 3s");
    assert!(took < Duration::from_secs(30), "{took:?}");
    // One that talks of something else.
    thread::spawn(move || {
        for stream in silent.incoming() {
            let _ = stream.and_then(|mut stream| stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n"));
        }
    });
    fails(&address, &["--deadline", "30s"], 4, "the Spark at");
    let server = Server::start(Some(TOKEN));
    fails(&server.address(), &[], 4, "the Spark at");
    fails(&server.address(), &["--spark-token-file", wrong], 4, "the Spark at");
    fails(&format!("{}/;use_ssl=true", server.address()), &["--spark-token-file", right], 4, "the Spark at");
    fails(&server.address(), &["--spark-token-file", right, "--dataset-address", "/nowhere"], 4, "the Spark at");
    let ended = ask(&dataset, &out, &server.address(), &["--spark-token-file", right]);
    let (exit, ours) = local(&place, &dataset, "local", &[]);
    assert_eq!(code(&ended), exit, "{}", printed(&ended));
    assert_same_report(&ours, &out, "with a token");
    let mut by_environment = asking(&dataset, &place.path("by-environment"), &server.address(), &[]);
    let ended = by_environment.env("SPARK_CONNECT_AUTHENTICATE_TOKEN", TOKEN).output().expect("starts");
    assert_eq!(code(&ended), exit, "{}", printed(&ended));
    for report in [&out, &place.path("by-environment")] {
        for (name, bytes) in crate::support::ReportFiles(report.clone()).files() {
            assert!(!bytes.windows(TOKEN.len()).any(|part| part == TOKEN.as_bytes()), "{name}");
        }
    }
}
