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
