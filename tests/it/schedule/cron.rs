//! The line, in the bare environment of cron, and under a real cron.

use std::fs::{self, Permissions, set_permissions};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Output};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::{HOSTILE, printed, sample_in, schedule};
use crate::support::{Place, code, stderr, stdout};

/// The line of a crontab, without the comment before it.
fn line_of(crontab: &str) -> &str {
    let mut lines = crontab.lines().filter(|line| !line.starts_with('#'));
    let line = lines.next().expect("a line");
    assert_eq!(lines.next(), None, "{crontab}");
    line
}

/// Runs the command of a line as cron does.
fn run_as_cron(place: &Place, line: &str) -> Output {
    let command = line.splitn(6, ' ').nth(5).expect("five fields and a command").replace("\\%", "%");
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", &command]).env_clear().current_dir(place.path("."));
    shell.env("HOME", place.path("")).env("LOGNAME", "root").env("PATH", "/usr/bin:/bin").env("SHELL", "/bin/sh");
    shell.output().expect("sh")
}

#[test]
fn the_line_says_the_exit_code_and_keeps_it() {
    let place = Place::new();
    let home = place.path(HOSTILE);
    let (ids, file) = (sample_in(&home), place.file(&format!("{HOSTILE}/t.toml"), "sandbox = true\n"));
    let clean = place.file(&format!("{HOSTILE}/clean.csv"), "run_order_id\nwfrun_314ff7d8b7a5beff1388\n");
    let line = |ids| {
        let mut command = schedule(&place, "cron", ids, &file);
        let crontab = printed(&command.current_dir(&home).args(["--at", "23:05"]).output().expect("starts"));
        assert!(line_of(&crontab).starts_with("5 23 * * * cd "), "{crontab}");
        line_of(&crontab).to_owned()
    };
    let (found, tied_out) = (line(&ids), line(&clean));
    let run = run_as_cron(&place, &found);
    assert_eq!((code(&run), stdout(&run), stderr(&run)), (1, "tieout exited with 1\n".into(), String::new()));
    assert!(home.join("reports/latest/manifest.json").exists(), "relative paths are those of the folder");
    let run = run_as_cron(&place, &tied_out);
    assert_eq!((code(&run), stdout(&run), stderr(&run)), (0, String::new(), String::new()), "nothing to mail");
    fs::remove_file(&ids).expect("there");
    let run = run_as_cron(&place, &found);
    assert_eq!((code(&run), stdout(&run).as_str()), (2, "tieout exited with 2\n"));
    assert!(stderr(&run).contains("there is no such file"), "{}", stderr(&run));
}

#[test]
fn relative_paths_of_targets_are_those_of_the_folder() {
    let place = Place::new();
    for (number, target) in
        ["to = 'slack'\nurl-file = 'url'", "to = 'command'\ncommand = ['./page']"].iter().enumerate()
    {
        let home = place.path(&number.to_string());
        let (ids, url) = (sample_in(&home), place.file(&format!("{number}/url"), "http://127.0.0.1:1/x\n"));
        let reports = home.join("reports").display().to_string();
        let text = format!("sandbox = true\nreports-dir = '{reports}'\n[[notify]]\n{target}\n");
        let file = place.file(&format!("{number}/t.toml"), text);
        let mut command = schedule(&place, "cron", &ids, &file);
        let crontab = printed(&command.current_dir(&home).output().expect("starts"));
        let run = run_as_cron(&place, line_of(&crontab));
        assert_eq!((code(&run), stderr(&run).as_str()), (1, ""), "{crontab}");
        assert!(line_of(&crontab).contains(&format!(" cd {} && ", home.display())), "{crontab}");
        // A program that is looked up by its name lies in no folder.
        fs::write(
            &file,
            format!("sandbox = true\nreports-dir = '{reports}'\n[[notify]]\nto = 'command'\ncommand = ['page']\n"),
        )
        .expect("writable");
        let crontab = printed(&schedule(&place, "cron", &ids, &file).output().expect("starts"));
        assert!(!crontab.contains(" cd "), "{crontab}");
        assert!(url.exists());
    }
}

/// A cron with nothing but one crontab, in folders that only it sees; it stops when dropped.
struct Cron(Child);

impl Cron {
    /// Starts cron with this crontab of root. What it mails goes to the file `mail` of the place.
    fn start(place: &Place, crontab: &str) -> Self {
        for folder in ["spool", "cron.d", "sbin"] {
            fs::create_dir(place.path(folder)).expect("writable");
        }
        let tab = place.file("spool/root", crontab);
        set_permissions(&tab, Permissions::from_mode(0o600)).expect("ours");
        fs::copy("/usr/sbin/cron", place.path("sbin/cron")).expect("Debian's cron");
        let mail = place.path("mail");
        // Whole in one step, so that the test never reads half a mail.
        let script = format!("#!/bin/sh\ncat >'{0}.new' && mv '{0}.new' '{0}'\n", mail.display());
        let sendmail = place.file("sbin/sendmail", script);
        set_permissions(&sendmail, Permissions::from_mode(0o755)).expect("ours");
        let mounts = "mount --bind spool /var/spool/cron/crontabs && mount --bind /dev/null /etc/crontab && \
                      mount --bind cron.d /etc/cron.d && mount -t tmpfs none /run && \
                      mount --bind sbin /usr/sbin && exec /usr/sbin/cron -f";
        let mut command = Command::new("unshare");
        command.args(["--mount", "--propagation", "private", "sh", "-c", mounts]).current_dir(place.path("."));
        Self(command.spawn().expect("unshare, of util-linux"))
    }
}

impl Drop for Cron {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_real_cron_runs_the_line_and_mails_the_exit_code() {
    let may_mount = Command::new("unshare").args(["--mount", "true"]).output().expect("unshare, of util-linux");
    if !may_mount.status.success() {
        eprintln!("SKIPPED: only root can start a cron of its own: {}", stderr(&may_mount));
        return;
    }
    let place = Place::new();
    let home = place.path(HOSTILE);
    let ids = sample_in(&home);
    let file = place.file(&format!("{HOSTILE}/t.toml"), "sandbox = true\n[schedule]\nevery = '1m'\n");
    let crontab = printed(&schedule(&place, "cron", ids, &file).current_dir(&home).output().expect("starts"));
    assert!(line_of(&crontab).starts_with("* * * * * "), "{crontab}");
    let mut cron = Cron::start(&place, &crontab);
    // Cron starts jobs when a minute begins, and this machine may be slow.
    let patience = Instant::now() + Duration::from_secs(180);
    while !place.path("mail").exists() && Instant::now() < patience {
        assert!(cron.0.try_wait().expect("ours").is_none(), "cron ended");
        sleep(Duration::from_millis(200));
    }
    let mail = fs::read_to_string(place.path("mail")).expect("a mail within three minutes");
    let (head, body) = mail.split_once("\n\n").expect("a mail");
    assert_eq!(body, "tieout exited with 1\n", "{head}");
    assert!(head.contains("PATH=/usr/bin:/bin"), "{head}");
    let report = home.join("reports/latest/summary.json");
    let summary: serde_json::Value = serde_json::from_slice(&fs::read(report).expect("a report")).expect("JSON");
    assert_eq!(summary["verdict"], "discrepant");
}
