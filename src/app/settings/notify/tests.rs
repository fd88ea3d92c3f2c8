//! Targets as they are written in a settings file, good and bad.

use std::fs;

use secrecy::ExposeSecret;

use super::*;
use crate::app::settings::overlay;

/// What the tests' settings file says, with FILE for a file that holds this text.
fn read(file: &str, secret: &str) -> Result<NotifySettings, String> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("secret");
    fs::write(&path, secret).expect("writable");
    let file = file.replace("FILE", path.to_str().expect("a path"));
    let options = overlay(&Options::default(), &file).expect("TOML with known keys");
    settings(&options, Language::English)
        .map_err(|error| error.to_string().replace(path.to_str().expect("a path"), "FILE"))
}

const URL: &str = "https://example.com/hook/hiddentoken\n";

#[test]
fn targets_are_read_with_their_secrets() {
    let file = "
[[notify]]
to = 'lark'
url-file = 'FILE'
secret-file = 'FILE'
[[notify]]
to = 'slack'
name = 'Finance'
url-file = 'FILE'
when = ['failed', 'worse']
[[notify]]
to = 'command'
command = ['/bin/page', '--team', 'finance']
[[notify]]
to = 'healthchecks'
url-file = 'FILE'
";
    let NotifySettings { targets, network } = read(file, URL).expect("usable");
    let kinds: Vec<_> = targets.iter().map(|target| (target.name.as_str(), target.kind)).collect();
    assert_eq!(
        kinds,
        [
            ("feishu", Kind::Feishu),
            ("Finance", Kind::Slack),
            ("command", Kind::Command),
            ("healthchecks", Kind::Healthchecks)
        ]
    );
    assert_eq!(targets[0].when, Event::ALL);
    assert_eq!(targets[1].when, [Event::Failed, Event::Worse]);
    match &targets[0].way {
        Way::Http { secret: Some(secret), .. } => assert_eq!(secret.expose_secret(), URL.trim()),
        way => panic!("{way:?}"),
    }
    assert!(matches!(&targets[2].way, Way::Command(words) if words.len() == 3));
    assert!(network.hidden.contains(&KEY_VARIABLE.to_owned()));
    assert!(!format!("{targets:?}").contains("hiddentoken"), "{targets:?}");
}

#[test]
fn variables_are_hidden_from_commands() {
    let file = "[[notify]]\nto = 'slack'\nurl-env = 'PATH'";
    // `PATH` is not a URL, which is noticed only after it was read.
    assert_eq!(
        read(file, "").expect_err("not a URL"),
        "[[notify]] 1: `url-env`, PATH: its value is not a URL (it is not shown here, since it may be a secret): copy it again"
    );
}

#[test]
fn each_mistake_has_its_own_message_and_no_secret() {
    let slack = "to = 'slack'\nurl-file = 'FILE'\n";
    let cases: [(&str, &str, &str); 22] = [
        ("name = 'x'", URL, "1 (x): `to` is missing; the services are feishu, dingtalk, wecom"),
        ("to = 'slakc'", URL, "1: `to` = \"slakc\": did you mean `slack`?"),
        ("to = 'carrier pigeon'", URL, "1: `to` = \"carrier pigeon\": the services are feishu"),
        ("to = 'slack'\nulr-env = 'X'", URL, "1: there is no key `ulr-env`; did you mean `url-env`?"),
        (
            "to = 'slack'\nurl = 'https://hidden'",
            URL,
            "1: `url` is a secret: name a variable that holds it with `url-env`",
        ),
        ("to = 'feishu'\nurl-file = 'FILE'\nsecret = 'hidden'", URL, "1: `secret` is a secret: name a variable"),
        ("to = 'slack'", URL, "1: its URL is missing: name a variable that holds it with `url-env`"),
        ("to = 'slack'\nurl-env = 'TIEOUT_NONE'", URL, "1: `url-env`: the variable TIEOUT_NONE is not set"),
        ("to = 'slack'\nurl-env = 'https://hidden/x'", URL, "1: `url-env` is not the name of a variable"),
        ("to = 'slack'\nurl-file = 'https://hidden/x'", URL, "1: `url-file` is a URL: write the URL into a file"),
        ("to = 'slack'\nurl-file = '/none'", URL, "1: `url-file`, /none: No such file"),
        ("to = 'slack'\nurl-env = 'X'\nurl-file = 'FILE'", URL, "1: give one of `url-env` and `url-file`"),
        (slack, " \n", "1: `url-file`, FILE: it is empty"),
        (slack, "http://example.com/hidden", "1: `url-file`, FILE: its URL must begin with https://"),
        (slack, "hidden", "1: `url-file`, FILE: its value is not a URL"),
        (
            &format!("{slack}secret-file = 'FILE'"),
            URL,
            "1: `secret-file`, FILE: messages to slack are not signed; remove it",
        ),
        (
            &format!("{slack}when = ['better']"),
            URL,
            "1: `when`: there is no event \"better\"; the events are worse, recovered",
        ),
        (&format!("{slack}when = []"), URL, "1: `when` is empty"),
        (&format!("{slack}when = 'worse'"), URL, "1: `when` must be a list of texts in quotes"),
        (&format!("{slack}[[notify]]\n{slack}"), URL, "2: there are two targets named `slack`: give each a `name`"),
        ("to = 'command'", URL, "1: `command` is missing"),
        (
            "to = 'healthchecks'\nurl-file = 'FILE'\nwhen = ['worse']",
            URL,
            "1: `when`: healthchecks is pinged by every job",
        ),
    ];
    for (file, secret, expected) in cases {
        let error = read(&format!("[[notify]]\n{file}"), secret).expect_err(file);
        assert!(error.starts_with(&format!("[[notify]] {expected}")), "{file}: {error}");
        assert!(!error.contains("hidden"), "{file}: {error}");
    }
}
