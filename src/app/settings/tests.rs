//! Precedence of settings, and values that are refused.

use clap::Parser;

use std::fs;

use super::file::overlay;
use super::provider::key_from;
use super::*;
use crate::app::cli::{Cli, Command, ProviderArgs};
use crate::domain::days::Zone;
use crate::domain::time::Age;

fn reconcile(arguments: &[&str]) -> (Reconcile, General) {
    let cli =
        Cli::try_parse_from(["tieout", "reconcile", "ids.csv"].iter().chain(arguments)).expect("usable arguments");
    match cli.command {
        Command::Reconcile(command) => (*command, cli.general),
        other => panic!("not reconcile: {other:?}"),
    }
}

fn refusal(arguments: &[&str]) -> String {
    let (command, general) = reconcile(arguments);
    resolve(command, &general).expect_err("not usable").to_string()
}

#[test]
fn what_is_typed_wins_over_the_file() {
    let (command, _) = reconcile(&["--rate", "7"]);
    let options = overlay(&command.options, "rate = 3\nconcurrency = 5\nfail-on = ['pending']").expect("usable");
    assert_eq!((options.provider.rate, options.provider.concurrency), (Some(7), Some(5)));
    assert_eq!(options.fail_on, Some(vec![FailOn::Pending]));
    assert_eq!(options.provider.retries, None);
}

#[test]
fn an_unknown_key_is_named_with_its_line() {
    let (command, _) = reconcile(&[]);
    let message = overlay(&command.options, "rate = 3\nraet = 5").expect_err("not usable");
    assert!(message.contains("line 2") && message.contains("raet") && message.contains("`rate`"), "{message}");
    let message = overlay(&command.options, "api-key = 'cy_secret'").expect_err("not usable");
    assert!(message.contains("did you mean `api-key-file`?"), "nearer than `api-url`: {message}");
    let message = overlay(&command.options, "rate = 'fast'").expect_err("not usable");
    assert!(message.contains("line 1") && message.contains("a whole number"), "{message}");
}

#[test]
fn a_key_in_the_file_is_not_repeated() {
    let (command, _) = reconcile(&[]);
    for text in ["api-key = 'cy_secret'", "rate = 1\napi-key: cy_secret", "account = cy_secret"] {
        let message = overlay(&command.options, text).expect_err("not usable");
        assert!(message.contains("line ") && !message.contains("cy_secret"), "{message}");
    }
}

#[test]
fn an_error_names_the_settings_file_that_caused_it() {
    let place = tempfile::tempdir().expect("a folder");
    let path = place.path().join("tieout.toml");
    let named = path.to_str().expect("a path");
    let in_file = format!("(in the settings file {named})");
    fs::write(&path, "concurrency = 0\n[checks]\nprofit = 'off'\n").expect("writable");
    for typed in [&[][..], &["--concurrency", "2000"]] {
        let message = refusal(&[&["--sandbox", "--config", named], typed].concat());
        assert!(message.contains("no check \"profit\"") && message.ends_with(&in_file), "{message}");
    }
    fs::write(&path, "concurrency = 0\n").expect("writable");
    let message = refusal(&["--sandbox", "--config", named]);
    assert!(message.starts_with("--concurrency \"0\"") && message.ends_with(&in_file), "{message}");
    let message = refusal(&["--sandbox", "--config", named, "--concurrency", "2000"]);
    assert!(message.starts_with("--concurrency \"2000\"") && !message.contains("file"), "{message}");
    fs::write(&path, "[workflow.wf_1]\nstale-after = 'soon'\n").expect("writable");
    let message = refusal(&["--sandbox", "--config", named]);
    assert!(message.starts_with("[workflow.wf_1]: stale-after \"soon\"") && message.ends_with(&in_file), "{message}");
}

#[test]
fn defaults_are_those_of_the_contract() {
    let (command, general) = reconcile(&["--sandbox"]);
    let settings = resolve(command, &general).expect("usable");
    assert_eq!(settings.provider.base_url, "https://www.chenyu.cn/api/open/v2");
    assert_eq!((settings.provider.rate, settings.provider.concurrency, settings.provider.retries), (0, 16, 5));
    assert_eq!(provider::options(&ProviderArgs::default()).expect("usable").rate, 10, "only the simulator has no rate");
    assert_eq!(settings.provider.timeout, Duration::from_secs(30));
    assert_eq!(settings.provider.max_wait, Duration::from_secs(300));
    assert_eq!(settings.state, Path::new("reports/.state.sqlite"));
    assert_eq!(settings.destination, Destination::Under("reports".into()));
    let timezone = Zone::named("Asia/Shanghai").expect("a zone");
    assert_eq!(settings.rules, Rules { timezone, ..Rules::default() });
    assert_eq!(settings.report, ReportOptions::default());
    assert!(settings.key.is_none());
}

#[test]
fn each_bad_value_is_refused_by_name() {
    let cases: &[(&[&str], &str)] = &[
        (&["--concurrency", "0"], "--concurrency \"0\""),
        (&["--concurrency", "1025"], "1 to 1024"),
        (&["--timeout", "0s"], "--timeout \"0s\""),
        (&["--timeout", "soon"], "such as 500ms"),
        (&["--max-wait=-5m"], "above zero"),
        (&["--tolerance=-1"], "zero or more"),
        (&["--tolerance", "1,5"], "not a decimal number"),
        (&["--tolerance", "CNY=0.01,0.5"], "each amount with its currency"),
        (&["--tolerance", "CNY=0.01,CNY=0.02"], "give CNY once"),
        (&["--tolerance", "yuan=0.01"], "in capitals"),
        (&["--tolerance", "CNY=-0.01"], "zero or more"),
        (&["--material", "0"], "above zero"),
        (&["--material", "much"], "not a decimal number"),
        (&["--fail-on", "material"], "also give --material"),
        (&["--stale-after", "0h"], "above zero"),
        (&["--stale-after", "a day"], "such as 500ms"),
        (&["--tolerance", "0.000000001"], "more than 8 decimals"),
        (&["--currency", "cny"], "in capitals"),
        (&["--as-of", "yesterday"], "give a time with its offset, such as"),
        (&["--delimiter", "ab"], "comma, semicolon, tab"),
        (&["--timezone", "Mars"], "such as Asia/Shanghai"),
        (&["--account", "a\nb"], "on one line"),
    ];
    for (arguments, expected) in cases {
        let message = refusal(&[&["--sandbox"], *arguments].concat());
        assert!(message.contains(expected), "{arguments:?}: {message}");
    }
}

fn checks(file: &str) -> Result<Rules, String> {
    let (command, _) = reconcile(&["--tolerance", "CNY=0.01,USD=2", "--stale-after", "2d"]);
    rules::rules(&overlay(&command.options, file)?).map_err(|error| error.to_string())
}

#[test]
fn the_file_sets_severities() {
    let file = "[checks]\ncharge-equals-cost = 'error'\nunknown-status = 'off'\n\"quote-split.scale\" = 'warning'\n\
                cost-sum = { rounding = 'warning' }";
    let rules = checks(file).expect("usable");
    let severities: Vec<(&str, &str)> =
        rules.severities.iter().map(|(key, severity)| (key.as_str(), severity.code())).collect();
    let expected =
        [("charge-equals-cost", "error"), ("cost-sum.rounding", "warning"), ("quote-split.scale", "warning")];
    assert_eq!(severities, expected);
    assert_eq!(rules.off.into_iter().collect::<Vec<_>>(), ["unknown-status"]);
    assert_eq!(rules.stale_after, Age::of_hours(48));
    let tolerances: Vec<String> = rules.tolerances.iter().map(|(code, amount)| format!("{code} {amount}")).collect();
    assert_eq!(tolerances, ["CNY 0.01000000", "USD 2.00000000"]);
    assert!(rules.tolerance.is_zero());
}

#[test]
fn severities_that_a_check_can_not_have_are_refused() {
    let cases = [
        ("quote-splitt = 'warning'", "there is no check \"quote-splitt\"; did you mean \"quote-split\"?"),
        ("profit = 'warning'", "there is no check \"profit\""),
        ("cost-sum = 'fatal'", "cost-sum = \"fatal\": use error, warning or off"),
        ("cost-sum = 3", "use error, warning or off"),
        ("identity-mismatch = 'off'", "always judged"),
        ("identity-mismatch = 'warning'", "always judged"),
        ("cost-sum.overage = 'warning'", "the causes of cost-sum are: external-left-out,"),
        ("currency.overage = 'warning'", "currency has no causes"),
        ("cost-sum.rounding = 'off'", "use error or warning"),
        ("cost-sum.rounding = 1", "error or warning"),
        ("\"cost-sum.rounding\" = { a = 1 }", "error, warning or off"),
    ];
    for (line, expected) in cases {
        let message = checks(&format!("[checks]\n{line}")).expect_err(line);
        assert!(message.contains(expected), "{line}: {message}");
    }
}

#[test]
fn the_key_file_holds_only_the_key() {
    let place = tempfile::tempdir().expect("a folder");
    let file = |name: &str, text: &str| {
        let path = place.path().join(name);
        fs::write(&path, text).expect("writable");
        path
    };
    assert!(key_from(Some(&file("good", "cy_abc\n"))).is_ok());
    let cases = [
        (file("empty", "\n"), "empty"),
        (file("two", "cy_abc\ncy_def\n"), "on one line"),
        (file("long", &"x".repeat(5_000)), "larger than 4096"),
        (place.path().to_owned(), "not a regular file"),
        (place.path().join("missing"), "No such file"),
    ];
    for (path, expected) in cases {
        let message = key_from(Some(&path)).expect_err("not usable").to_string();
        assert!(message.contains(expected), "{message}");
        assert!(!message.contains("cy_"), "{message}");
    }
}

/// For example a key typed as a label: no error repeats it, and no report gets it.
#[test]
fn the_key_is_refused_where_reports_would_show_it() {
    let place = tempfile::tempdir().expect("a folder");
    let path = place.path().join("key");
    fs::write(&path, "zz9-plural-z-alpha").expect("writable");
    let file = path.to_str().expect("a path");
    let refused = |arguments: &[&str]| refusal(&[&["--api-key-file", file], arguments].concat());
    for (arguments, place) in [
        (["--account", "zz9-plural-z-alpha"], "--account"),
        (["--api-url", "https://example.com/zz9-plural-z-alpha"], "--api-url"),
    ] {
        assert_eq!(
            refused(&arguments),
            format!("{place} contains the API key, and reports show it: remove the key there")
        );
    }
    let (mut command, general) = reconcile(&["--api-key-file", file]);
    command.ids = "ids-zz9-plural-z-alpha.csv".into();
    let message = resolve(command, &general).expect_err("not usable").to_string();
    assert_eq!(message, "the name of the input contains the API key, and reports show it: remove the key there");
}

#[test]
fn settings_and_waivers_may_have_a_byte_order_mark() {
    let place = tempfile::tempdir().expect("a folder");
    let (settings, waivers) = (place.path().join("s.toml"), place.path().join("w.toml"));
    let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    fs::write(&settings, utf16("\u{feff}rate = 7\naccount = '财务'\n")).expect("writable");
    fs::write(&waivers, "\u{feff}[[waiver]]\norder = 'wfrun_1'\ncheck = 'not-found'\nowner = 'a'\nreason = 'b'\nexpires = '2099-12-31'\n")
        .expect("writable");
    let [settings, waivers] = [&settings, &waivers].map(|path| path.to_str().expect("a path"));
    let (command, general) = reconcile(&["--sandbox", "--config", settings, "--waivers", waivers]);
    let resolved = resolve(command, &general).expect("usable");
    assert_eq!((resolved.provider.rate, resolved.report.account.as_deref()), (7, Some("财务")));
    assert_eq!(resolved.rules.waivers.len(), 1);
}
