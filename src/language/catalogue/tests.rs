use proptest::prelude::*;

use super::*;

const SOURCE: &str = r#"
msgid ""
msgstr "Language: zh_CN\n"

# A file that can't be read.
msgid "can't read {path}: {@problem}"
msgstr "无法读取 {path}：{@problem}"

msgid "can't read {path}: {@problem}; check the disk"
msgstr "无法读取 {path}：{@problem}；请检查磁盘"

msgid "{path} is damaged: {@problem}"
msgstr "{path} 已损坏：{@problem}"

msgid "line {line} is not valid {encoding}"
msgstr "第 {line} 行不是有效的 {encoding}"

msgid "{place}: {@problem}"
msgstr "{place}：{@problem}"

msgid "it is "
"missing"
msgstr "缺失"

msgid "{#count} orders"
msgstr "{#count} 笔订单"

msgid "{field} is {!found}"
msgstr "{field} 是{!found}"

msgid "a number"
msgstr "数字"

msgid "{-column} is empty"
msgstr "{column} 为空"

msgid "give \"{word}\", or {{}}"
msgstr "请给出“{word}”或 {{}}"
"#;

fn translated(text: &str) -> Option<String> {
    Catalogue::of(SOURCE).translate(text)
}

#[test]
fn a_text_is_translated_with_the_texts_in_it() {
    let cases = [
        ("it is missing", "缺失"),
        ("can't read a.csv: it is missing", "无法读取 a.csv：缺失"),
        ("can't read a.csv: it is missing; check the disk", "无法读取 a.csv：缺失；请检查磁盘"),
        (
            "can't read a.csv: b is damaged: line 3 is not valid UTF-8",
            "无法读取 a.csv：b 已损坏：第 3 行不是有效的 UTF-8",
        ),
        ("can't read a: b.csv: it is missing", "无法读取 a: b.csv：缺失"),
        ("can't read a: b: unknown", "无法读取 a：b: unknown"),
        ("a: b: it is missing", "a: b：缺失"),
        ("12 orders", "12 笔订单"),
        ("status is a number", "status 是数字"),
        ("give \"x\", or {}", "请给出“x”或 {}"),
        ("run_id is empty", "run_id 为空"),
    ];
    for (english, chinese) in cases {
        assert_eq!(translated(english).as_deref(), Some(chinese), "{english}");
    }
}

#[test]
fn what_is_no_text_of_the_program_stays_as_it_is() {
    for text in [
        "",
        "unknown",
        "not your orders",
        " orders",
        "status is unknown",
        "a: unknown",
        "the list of orders is empty",
        " is empty",
        ": ",
        "it is missing.",
        &"a".repeat(LONGEST + 1),
    ] {
        assert_eq!(translated(text), None, "{text}");
    }
}

#[test]
fn a_text_that_can_be_read_in_several_ways_stays_as_it_is() {
    for text in ["line 1 is not valid x is not valid UTF-8", "can't read a is damaged: it is missing"] {
        assert_eq!(translated(text), None, "{text}");
    }
}

/// Templates with few words of their own whose variables are nevertheless free.
const SHORT: &[&str] = &[
    // They frame another text, and say nothing themselves.
    "{place}: {@problem}",
    "{@problem}; {@advice}",
    "{@problem} ({@detail})",
    "error: {@problem}",
    "warning: {@problem}",
    "help: {@advice}",
    "tip: {@advice}",
    "line {#line}: {@problem}",
    "page {#page}, {@detail}",
    "item {#number}: {@problem}",
    "no answer ({@reason})",
    // Their signs are as good as words.
    "--{option} {value}: {@problem}",
    "[checks]: {key} = {value}: {@problem}",
    "[[notify]] {#number}: {@problem}",
    "[[notify]] {#number} ({name}): {@problem}",
    "[possible values: {values}]",
    "[subcommands: {values}]",
    "Usage: {usage}",
    "unrecognized subcommand '{command}'",
    "invalid fault `{spec}`: {@problem}",
    "`{kind}` needs a value: {-kind2}={@wanted}",
    "string \"{value}\"",
    "unclosed {what}, expected {-token}",
    // A path may have blanks.
    "credential {name}: {@problem}",
    "{path} already exists",
    "can't read {path}: {@problem}",
    "can't write {path}: {@problem}",
    "can't {!doing} {path}: {@problem}",
];

#[test]
fn a_template_has_enough_words_not_to_match_another_text() {
    let entries = po::entries(include_str!("../../../locales/zh-CN/messages.po"));
    let is_short = |text: &str| {
        let template = Template::of(text);
        let of = |kinds: &[Kind]| template.variables().filter(|variable| kinds.contains(&variable.kind)).count();
        let words = template.parts.iter().filter_map(|part| match part {
            Part::Literal(literal) => Some(literal.split(|char: char| !char.is_alphabetic() && char != '\'')),
            Part::Variable(_) => None,
        });
        let words = words.flatten().filter(|word| word.len() > 1).count() + of(&[Kind::Text]);
        of(&[Kind::Anything, Kind::MaybeText]) > 0 && words < 3
    };
    let short: BTreeSet<&str> =
        entries.iter().map(|(english, _)| english.as_str()).filter(|text| is_short(text)).collect();
    assert_eq!(short, SHORT.iter().copied().collect());
}

#[test]
fn no_text_is_translated_twice() {
    let mut seen = BTreeSet::new();
    for (english, _) in po::entries(include_str!("../../../locales/zh-CN/messages.po")) {
        let template = Template::of(&english);
        // Templates that differ only in the names of their variables match the same texts.
        let shape = template.parts.iter().map(|part| match part {
            Part::Literal(literal) => literal.clone(),
            Part::Variable(variable) => format!("{{{:?}}}", variable.kind),
        });
        assert!(seen.insert(shape.collect::<String>()), "{english}");
    }
}

#[test]
fn the_work_is_bounded() {
    let hostile =
        ["can't read : ", ": ", " is damaged: ", ": line 1 (`", "the state : ", "; ", " (", "it is missing: "];
    for text in hostile {
        let text = text.repeat(LONGEST / text.len());
        translated(&text);
        Catalogue::chinese().translate(&text);
    }
    let text = format!("{}it is missing", "a: ".repeat(30));
    assert_eq!(translated(&text).map(|text| text.ends_with("：缺失")), Some(true));
}

/// Names made of pieces of the program's texts, with or without the separator of nested texts.
fn hostile(has_separators: bool) -> impl Strategy<Value = String> {
    let pieces =
        ["a", "/", "; ", "can't read ", " is damaged:", "; check the disk", "line 3", "it is missing", "：", "{path}"];
    let separators: &[&str] = if has_separators { &[": "] } else { &[] };
    prop::collection::vec(prop::sample::select([&pieces, separators].concat()), 0..6).prop_map(|pieces| pieces.concat())
}

proptest! {
    /// Whatever a path and a foreign text hold, both come through whole, or the text stays English.
    #[test]
    fn variables_come_through_unchanged(path in hostile(false), encoding in hostile(true)) {
        let english = format!("can't read {path}: line 7 is not valid {encoding}; check the disk");
        if let Some(chinese) = translated(&english) {
            prop_assert_eq!(chinese, format!("无法读取 {path}：第 7 行不是有效的 {encoding}；请检查磁盘"));
        }
    }
}
