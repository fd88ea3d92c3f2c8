//! The job as a service of systemd with its timer.

use std::path::Path;

use super::{Job, text};
use crate::app::cli::SystemdCommand;
use crate::app::exit::Failure;
use crate::app::settings::CREDENTIAL;

/// What every such service is denied. The job needs the network, its few folders and nothing else.
const HARDENING: &str = "\
CapabilityBoundingSet=
DevicePolicy=closed
KeyringMode=private
LockPersonality=yes
MemoryDenyWriteExecute=yes
NoNewPrivileges=yes
PrivateDevices=yes
PrivateUsers=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
ProtectSystem=strict
RemoveIPC=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallErrorNumber=EPERM
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
UMask=0027
";
/// The longest random delay of a start, in seconds.
const LONGEST_DELAY: i64 = 15 * 60;
/// The longest pause before another attempt, in seconds.
const LONGEST_PAUSE: i64 = 10 * 60;
/// The longest time in which the attempts are counted, in seconds.
const LONGEST_LIMIT: i64 = 6 * 3_600;

/// The service and its timer, each with the name of its file.
pub(super) fn units(job: &Job, command: &SystemdCommand) -> Result<[(String, String); 2], Failure> {
    let paths = Paths { account: command.template.then(|| account(job)).transpose()? };
    let name = if command.template { format!("{}@", command.name) } else { command.name.clone() };
    let (service, timer) = (service(job, command, &paths)?, timer(job, &paths)?);
    Ok([(format!("{name}.service"), service), (format!("{name}.timer"), timer)])
}

fn service(job: &Job, command: &SystemdCommand, paths: &Paths<'_>) -> Result<String, Failure> {
    let settings = &job.settings;
    let (program, ids) = (paths.quoted(&job.program)?, paths.quoted(&job.ids)?);
    let config = paths.quoted(&settings.config)?;
    let (key, credential) = match &settings.key {
        _ if !settings.needs_key => (String::new(), String::new()),
        // The service's user can't read the file that the settings name, so the option overrides it.
        Some(file) => (
            format!(" --api-key-file %d/{CREDENTIAL}"),
            format!("LoadCredential={CREDENTIAL}:{}\n", paths.verbatim(file)?),
        ),
        None if command.template => (String::new(), format!("LoadCredential={CREDENTIAL}:{CREDENTIAL}-%i\n")),
        None => (String::new(), format!("LoadCredential={CREDENTIAL}\n")),
    };
    let folder = settings.folder.as_deref().map(|folder| paths.verbatim(folder)).transpose()?;
    let folder = folder.map_or_else(String::new, |folder| format!("WorkingDirectory={folder}\n"));
    let written = settings.written.iter().map(|path| paths.quoted(path)).collect::<Result<Vec<_>, _>>()?.join(" ");
    let any_in = |places: &[&str]| job.paths().any(|path| places.iter().any(|place| path.starts_with(place)));
    let home = if any_in(&["/home", "/root", "/run/user"]) { "read-only" } else { "yes" };
    let tmp = if any_in(&["/tmp", "/var/tmp"]) { "no" } else { "yes" };
    // The starts of the timer count as attempts too, so that they must be further apart than the limit.
    let (limit, pause) = ((job.times.every / 2).min(LONGEST_LIMIT), (job.times.every / 24).min(LONGEST_PAUSE));
    let (user, description) = (&command.user, paths.description(job)?);
    Ok(format!(
        "\
# Made by `tieout schedule systemd`: make it again when paths in the settings file change.
# The user must be able to read the files of the job, and to write to the folders in ReadWritePaths.
[Unit]
Description=Reconcile {description}
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec={limit}
StartLimitBurst=4

[Service]
Type=oneshot
ExecStart=:{program} reconcile {ids} --config {config}{key} -q
{folder}{credential}User={user}
# 1 is a finding, not a failure. 2 fails again until someone changes the command or the settings. Other failures are
# tried again; the next attempt continues this one.
SuccessExitStatus=1
Restart=on-failure
RestartPreventExitStatus=2
RestartSec={pause}
ReadWritePaths={written}
# Where jobs with the same key wait for each other.
ReadWritePaths=-/run/lock
ProtectHome={home}
PrivateTmp={tmp}
{HARDENING}"
    ))
}

fn timer(job: &Job, paths: &Paths<'_>) -> Result<String, Failure> {
    // A delay past the end of its slot would leave that night without a report.
    let delay = (job.times.every / 24).min(LONGEST_DELAY).min(job.times.rest());
    Ok(format!(
        "\
[Unit]
Description=When to reconcile {}

[Timer]
OnCalendar={}
RandomizedDelaySec={delay}
Persistent=true

[Install]
WantedBy=timers.target
",
        paths.description(job)?,
        job.times.calendar()
    ))
}

/// The account that a template is made from: the name of its settings file.
fn account(job: &Job) -> Result<&str, Failure> {
    let account = job.settings.config.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    // systemd would escape any other, and the paths would not be those of the account.
    if !account.chars().all(|char| char.is_ascii_alphanumeric() || ":-_.".contains(char)) {
        let problem = format!("--template: {account:?} can't be the name of an instance");
        return Err(Failure::usage(problem).help("name the settings file with letters, digits and any of :-_. only"));
    }
    // Two accounts with one file of IDs, one state or one report would be in each other's way.
    let shared = job
        .settings
        .outputs
        .iter()
        .chain([&job.ids])
        .find(|path| !path.iter().any(|part| is_of(part.to_str(), account)));
    match shared {
        None => Ok(account),
        Some(path) => Err(Failure::usage(format!("--template: all accounts would share {}", path.display())).help(
            format!("give each account its own: the settings file is of {account:?}, and no part of that path is"),
        )),
    }
}

/// Whether a part of a path belongs to an account: `acme` and `acme.csv` do.
fn is_of(part: Option<&str>, account: &str) -> bool {
    part.and_then(|part| part.strip_prefix(account)).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// How to write paths: in a template, the account of the example becomes `%i`.
struct Paths<'a> {
    account: Option<&'a str>,
}

impl Paths<'_> {
    /// A path as the rest of a line.
    fn verbatim(&self, path: &Path) -> Result<String, Failure> {
        let part = |part: &str| match self.account.filter(|account| is_of(Some(part), account)) {
            Some(account) => format!("%i{}", part[account.len()..].replace('%', "%%")),
            None => part.replace('%', "%%"),
        };
        Ok(text(path)?.split('/').map(part).collect::<Vec<_>>().join("/"))
    }

    /// A path as one word of a line.
    fn quoted(&self, path: &Path) -> Result<String, Failure> {
        let text = self.verbatim(path)?;
        let is_plain = |sign: char| sign.is_alphanumeric() || "/._-+:,@%=".contains(sign);
        let escaped = || format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
        Ok(if text.chars().all(is_plain) { text } else { escaped() })
    }

    /// What the job reconciles.
    fn description(&self, job: &Job) -> Result<String, Failure> {
        if self.account.is_some() {
            Ok("%i with tieout".to_owned())
        } else {
            Ok(format!("{} with tieout", self.verbatim(&job.ids)?))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use jiff::civil::Time;

    use super::*;
    use crate::app::cli::Start;
    use crate::app::schedule::Times;
    use crate::app::settings::ScheduleSettings;

    /// The Debian package has units that nobody needs to make: for the settings `/etc/tieout/acme.toml`, which name
    /// `/etc/tieout/acme.key` and `/var/lib/tieout/acme/reports`.
    #[test]
    fn the_units_of_the_package_are_the_template() {
        let (account, ids): (PathBuf, PathBuf) = ("/var/lib/tieout/acme".into(), "/var/lib/tieout/acme/ids.csv".into());
        let at = Time::constant(2, 30, 0, 0);
        let settings = ScheduleSettings {
            config: "/etc/tieout/acme.toml".into(),
            folder: None,
            key: Some("/etc/tieout/acme.key".into()),
            needs_key: true,
            read: Vec::new(),
            outputs: vec![account.join("reports")],
            written: vec![account.join("reports")],
            every: None,
        };
        let times = Times::new(None, at).expect("daily");
        let job = Job { program: "/usr/bin/tieout".into(), ids: ids.clone(), settings, times };
        let (name, user) = ("tieout".to_owned(), "tieout".to_owned());
        let command = SystemdCommand { start: Start { ids, at }, name, user, template: true, out: None };
        for (name, unit) in units(&job, &command).expect("units") {
            let packaged = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/systemd").join(&name);
            assert_eq!(std::fs::read_to_string(packaged).expect("a unit of the package"), unit, "{name}");
        }
    }

    #[test]
    fn paths_are_quoted_and_their_specifiers_escaped() {
        let quoted = |path: &str| Paths { account: None }.quoted(Path::new(path)).ok();
        assert_eq!(quoted("/data/账单.csv").as_deref(), Some("/data/账单.csv"));
        assert_eq!(quoted("/a b/100%h/$x\\y\"z").as_deref(), Some("\"/a b/100%%h/$x\\\\y\\\"z\""));
        assert_eq!(quoted("/a\nExecStart=x"), None);
    }

    #[test]
    fn a_template_has_the_account_as_its_instance() {
        let paths = Paths { account: Some("acme") };
        let verbatim = |path: &str| paths.verbatim(Path::new(path)).expect("a path");
        assert_eq!(verbatim("/data/acme/ids.csv"), "/data/%i/ids.csv");
        assert_eq!(verbatim("/data/acme.ids%.csv"), "/data/%i.ids%%.csv");
        assert_eq!(verbatim("/data/acme2/my-acme/acme-2"), "/data/acme2/my-acme/acme-2");
    }
}
