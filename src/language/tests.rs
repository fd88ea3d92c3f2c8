use super::*;

#[test]
fn the_first_locale_variable_that_is_not_empty_decides() {
    let cases: [(&[&str], Language); 11] = [
        (&[], Language::English),
        (&[""], Language::English),
        (&["C"], Language::English),
        (&["POSIX"], Language::English),
        (&["en_GB.UTF-8"], Language::English),
        (&["de_DE.UTF-8"], Language::English),
        (&["zh_CN.UTF-8"], Language::Chinese),
        (&["zh"], Language::Chinese),
        (&["ZH-hans"], Language::Chinese),
        (&["", "zh_CN.UTF-8"], Language::Chinese),
        (&["C", "zh_CN.UTF-8"], Language::English),
    ];
    for (variables, expected) in cases {
        assert_eq!(Language::of_locale(variables), expected, "{variables:?}");
    }
}

#[test]
fn a_language_is_read_from_its_code() {
    for (language, word) in [(Language::English, "en"), (Language::Chinese, "zh-CN")] {
        assert_eq!((language.code(), word.parse()), (word, Ok(language)));
        assert_eq!(serde_json::to_string(&language).expect("serialisable"), format!("{word:?}"));
        assert_eq!(serde_json::from_str::<Language>(&format!("{word:?}")).expect("readable"), language);
    }
    for word in ["", "EN", "zh", "zh_CN", "fr"] {
        assert_eq!(word.parse::<Language>(), Err(UnknownLanguage), "{word}");
    }
}

#[test]
fn plurals_follow_the_language() {
    let pending = |language, count: u64| {
        Texts::new(language).with("report-why-pending", &[("n", count.into()), ("count", count.into())])
    };
    assert!(pending(Language::English, 1).ends_with("one order is not settled yet."));
    assert!(pending(Language::English, 21).ends_with("21 orders are not settled yet."));
    assert!(pending(Language::Chinese, 1).ends_with("另有 1 笔订单尚未结算。"));
}

#[test]
fn a_missing_text_shows_its_id() {
    for language in Language::ALL {
        let texts = Texts::new(language);
        assert_eq!(texts.get("no-such-message"), "no-such-message");
        assert_eq!(texts.get("terminal-report"), "terminal-report", "its variable is not given");
        let missing = texts.try_with("no-such-message", &[]).expect_err("there is none");
        assert_eq!(missing.to_string(), format!("{language} has no message no-such-message"));
        let unresolved = texts.try_with("terminal-report", &[]).expect_err("it has a variable");
        assert!(
            matches!(&unresolved, TextError::Unresolved { id, problem, .. }
                if id == "terminal-report" && problem.contains("$folder")),
            "{unresolved}"
        );
    }
}

#[test]
fn plain_texts_are_not_copied() {
    let texts = Texts::new(Language::Chinese);
    assert_eq!(texts.plain("terminal-population"), Some("总体"));
    assert_eq!(texts.plain("terminal-report"), None, "it has a variable");
    assert_eq!(texts.plain("no-such-message"), None);
}

#[test]
fn variables_are_inserted_unchanged() {
    let folder = "报告/{ $folder } \"x\"";
    let said = Texts::new(Language::English).with("terminal-report", &[("folder", folder.into())]);
    assert_eq!(said, format!("Report: {folder}"), "no isolation marks, and no placeholder filled in");
}
