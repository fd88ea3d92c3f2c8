//! Days, times and words, and values that are refused.

use clap::Parser;

use super::*;
use crate::app::cli::{Cli, Command};

fn resolved(arguments: &[&str]) -> Result<DiscoverSettings, SettingsError> {
    let cli =
        Cli::try_parse_from(["tieout", "discover", "--sandbox"].iter().chain(arguments)).expect("usable arguments");
    match cli.command {
        Command::Discover(command) => resolve_discover(*command, &cli.general),
        other => panic!("not discover: {other:?}"),
    }
}

/// The bounds of the period that these arguments give, in UTC.
fn bounds(arguments: &[&str]) -> [Option<String>; 2] {
    let Period { since, until } = resolved(arguments).expect("usable").period;
    [since, until].map(|bound| bound.map(|bound| bound.to_string()))
}

#[test]
fn a_day_begins_in_the_time_zone() {
    let text = |text: &str| Some(text.to_owned());
    let may = ["--since", "2026-05-01", "--until", "2026-06-01"];
    assert_eq!(bounds(&may), [text("2026-04-30T16:00:00Z"), text("2026-05-31T16:00:00Z")], "in Shanghai");
    let zoned = |zone| bounds(&[may.as_slice(), &["--timezone", zone]].concat());
    assert_eq!(zoned("UTC"), [text("2026-05-01T00:00:00Z"), text("2026-06-01T00:00:00Z")]);
    assert_eq!(zoned("America/New_York"), [text("2026-05-01T04:00:00Z"), text("2026-06-01T04:00:00Z")]);
    // In Santiago, clocks went from midnight to one o'clock on that day, so the day began at one.
    let santiago = bounds(&["--since", "2024-09-08", "--timezone", "America/Santiago"]);
    assert_eq!(santiago, [text("2024-09-08T04:00:00Z"), None]);
}

#[test]
fn a_time_is_taken_as_it_is() {
    let text = |text: &str| Some(text.to_owned());
    let times = ["--since", "2026-05-01T08:30:00+08:00", "--until", "2026-05-01T00:30:00.000001Z"];
    assert_eq!(bounds(&times), [text("2026-05-01T00:30:00Z"), text("2026-05-01T00:30:00.000001Z")]);
    assert_eq!(bounds(&[]), [None, None]);
}

#[test]
fn filters_are_sent_as_typed() {
    let query = resolved(&["--workflow", "wf_861ef31e94dcfb10e6e7", "--status", "succeeded"]).expect("usable").query;
    let text = |text: &str| Some(text.to_owned());
    assert_eq!((query.workflow_id, query.status), (text("wf_861ef31e94dcfb10e6e7"), text("succeeded")));
}

#[test]
fn defaults_are_those_of_the_contract() {
    let settings = resolved(&[]).expect("usable");
    assert_eq!((settings.query, settings.output), (ListQuery::default(), None));
    assert_eq!(settings.state, PathBuf::from("reports/.state.sqlite"), "the same as reconcile's");
    assert!(settings.key.is_none() && !settings.quiet);
    assert_eq!(resolved(&["-o", "-"]).expect("usable").output, None);
    let named = resolved(&["-o", "ids.csv", "--reports-dir", "r"]).expect("usable");
    assert_eq!((named.output, named.state), (Some("ids.csv".into()), "r/.state.sqlite".into()));
}

#[test]
fn each_bad_value_is_refused_by_name() {
    let cases: &[(&[&str], &str)] = &[
        (&["--since", "yesterday"], "--since \"yesterday\": give a day such as 2026-05-01"),
        (&["--since", "2026-05-01T08:00:00"], "a time such as 2026-05-01T08:00:00Z"),
        (&["--since", "20260501"], "give a day"),
        (&["--until", "2026-02-30"], "--until \"2026-02-30\""),
        (&["--until", ""], "--until \"\""),
        (&["--since", "2026-05-01", "--until", "2026-05-01"], "--until \"2026-05-01\": give a time after --since"),
        (&["--since", "2026-05-02", "--until", "2026-05-01T00:00:00Z"], "after --since"),
        (&["--timezone", "Beijing"], "--timezone \"Beijing\": give a name such as Asia/Shanghai"),
        (&["--workflow", ""], "--workflow \"\": give 1 to 128"),
        (&["--workflow", "wf 1"], "--workflow \"wf 1\""),
        (&["--status", "失败"], "--status \"失败\""),
        (&["--concurrency", "0"], "--concurrency \"0\""),
    ];
    for (arguments, expected) in cases {
        let message = resolved(arguments).expect_err("not usable").to_string();
        assert!(message.contains(expected), "{arguments:?}: {message}");
    }
}
