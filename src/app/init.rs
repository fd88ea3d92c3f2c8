//! `tieout init`: writes a settings file that explains every key.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;

use clap::{Arg, Args, Command};

use super::cli::Options;
use super::exit::{self, Exit, Failure};
use crate::language::Texts;

const HEAD: &str = "\
# Settings of tieout. Every key is an option of `tieout reconcile`. The command line wins over TIEOUT_* variables of the
# environment, and these win over this file. To set a key, remove the # in front of it. The file is read from
# ~/.config/tieout/tieout.toml, or from the path in --config or TIEOUT_CONFIG; never from the current directory.
";

/// The end of the file: keys that are not options of `reconcile`.
const TABLES: &str = r#"
# --- Language

# Language of help, summaries and reports: en or zh-CN
# lang = "zh-CN"

# --- Checks: `tieout checks` lists them, `tieout checks CODE` explains one

# Severity of a check: error, warning or off; of one cause: error or warning. Every report lists these changes.
# [checks]
# charge-equals-cost = "error"
# status-conflict = "off"
# "quote-split.overage" = "warning"

# Thresholds for the orders of one workflow, by its ID.
# [workflow.wf_861ef31e94dcfb10e6e7]
# tolerance = "0.01"
# stale-after = "72h"
# material = "5"

# How often runs are expected. `tieout close` refuses a month that lacks one; without this it wants one for every day
# with an order.
# [schedule]
# every = "24h"

# Who is told how a job ended, and when: a table for each. To: feishu (lark), dingtalk, wecom, slack, webhook, command,
# healthchecks. URLs and secrets stand in variables (url-env, secret-env) or files (url-file, secret-file), never here.
# [[notify]]
# to = "feishu"
# name = "finance"
# url-file = "/etc/tieout/feishu-url"
# secret-file = "/etc/tieout/feishu-secret"
# when = ["worse", "recovered", "incomplete", "failed"]

# [[notify]]
# to = "command"
# command = ["/usr/local/bin/page", "finance"]

# [[notify]]
# to = "healthchecks"
# url-env = "HEALTHCHECKS_URL"
"#;

/// Writes the file, and refuses to overwrite an existing one.
pub(super) fn run(file: &Path, texts: Texts) -> Result<Exit, Failure> {
    let text = settings_file();
    let mut made = OpenOptions::new().write(true).create_new(true).open(file).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => Failure::usage(format!("{} already exists", file.display()))
            .help("name a different file, or move this one away: it is never overwritten"),
        _ => Failure::no_report(format!("can't write {}: {error}", file.display()))
            .help("name a file in an existing folder that you can write to"),
    })?;
    let written = made.write_all(text.as_bytes()).and_then(|()| made.sync_all());
    written.map_err(|error| Failure::no_report(format!("can't write {}: {error}", file.display())))?;
    let message = texts.with("init-wrote", &[("file", file.display().to_string().into())]);
    exit::ignore_closed_pipe(writeln!(io::stdout().lock(), "{message}"))?;
    Ok(Exit::Success)
}

/// The content of the file: every option of `reconcile` with its help and an example, grouped by heading.
fn settings_file() -> String {
    let mut text = HEAD.to_owned();
    let command = Options::augment_args(Command::new("reconcile"));
    let mut heading = None;
    for arg in command.get_arguments() {
        let (Some(name), Some(example)) = (arg.get_long(), example(arg)) else { continue };
        if heading != arg.get_help_heading() {
            heading = arg.get_help_heading();
            // Writing to a `String` never fails.
            _ = write!(text, "\n# --- {}\n", heading.unwrap_or_default());
        }
        let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
        _ = write!(text, "\n# {help}\n# {name} = {example}\n");
    }
    text + TABLES
}

/// An example value of an option, as TOML.
fn example(arg: &Arg) -> Option<&'static str> {
    Some(match arg.get_long()? {
        "api-url" => "\"https://www.chenyu.cn/api/open/v2\"",
        "api-key-file" => "\"/etc/tieout/key\"",
        "sandbox" | "strict-rate" | "no-header" | "allow-empty" | "fresh" => "false",
        "confirm" => "true",
        "rate" => "10",
        "concurrency" => "16",
        "retries" => "5",
        "timeout" => "\"30s\"",
        "retry-codes" => "[\"10029\"]",
        "max-wait" => "\"5m\"",
        "deadline" => "\"2h\"",
        "proxy" => "\"http://proxy:3128\"",
        "ca-file" => "\"/etc/ssl/our-ca.pem\"",
        "heading" => "1",
        "sheet" => "\"Sheet1\"",
        "column" => "\"run_order_id\"",
        "encoding" => "\"gb18030\"",
        "delimiter" => "\"comma\"",
        "tolerance" => "\"CNY=0.01,USD=0.002\"",
        "currency" => "\"CNY\"",
        "stale-after" => "\"24h\"",
        "warn-before" => "\"6h\"",
        "expect" => "[\"final_amount=amount\", \"workflow_id=workflow\"]",
        "expect-rows" => "\"sum\"",
        "books-decimals" => "2",
        "complete" => "true",
        "since" => "\"2026-05-01\"",
        "until" => "\"2026-06-01\"",
        "timezone" => "\"Asia/Shanghai\"",
        "day-by" => "\"updated\"",
        "control-total" => "[\"final=1234.56\", \"rows=200\"]",
        "material" => "\"1\"",
        "waivers" => "\"/etc/tieout/waivers.toml\"",
        "as-of" => "\"2026-11-23T02:00:00Z\"",
        "fail-on" => "[\"warnings\", \"pending\"]",
        "out" => "\"report\"",
        "reports-dir" => "\"reports\"",
        "state" => "\"reports/.state.sqlite\"",
        "dataset" => "\"history\"",
        "metrics-file" => "\"/var/lib/prometheus/node-exporter/tieout.prom\"",
        "resume-within" => "\"6h\"",
        "reuse-settled" => "\"30d\"",
        "evidence" => "\"billing\"",
        "csv-encoding" => "\"utf8-bom\"",
        "format" => "[\"csv\", \"json\", \"parquet\", \"html\", \"xlsx\"]",
        "account" => "\"Finance\"",
        "output" => "\"text\"",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::settings::overlay;

    #[test]
    fn every_key_is_in_the_file_with_a_usable_example() {
        let command = Options::augment_args(Command::new("reconcile"));
        let without: Vec<_> = command.get_arguments().filter(|arg| example(arg).is_none()).collect();
        assert!(without.is_empty(), "no example for {without:?}");
        let text = settings_file();
        assert!(toml::from_str::<toml::Table>(&text).expect("TOML").is_empty(), "every key is commented out");
        // Every line that looks like a key or a table, without its #.
        let is_key = |line: &&str| line.starts_with('[') || line.split(" = ").count() == 2;
        let lines = text.lines().filter_map(|line| line.strip_prefix("# ")).filter(is_key);
        let all = lines.collect::<Vec<_>>().join("\n");
        let options = overlay(&Options::default(), &all).expect("usable, and every key is known");
        assert_eq!((options.provider.rate, options.confirm), (Some(10), Some(true)));
        let table: toml::Table = toml::from_str(&all).expect("TOML");
        assert_eq!(table.len(), command.get_arguments().count() + 5, "the options, the language and four tables");
    }
}
