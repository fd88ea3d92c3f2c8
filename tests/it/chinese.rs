//! Errors, warnings and progress in Chinese: every text of the sources has its translation, and wrong commands are
//! refused in Chinese.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread::scope;

use tieout::language::{Language, Texts};
use tieout::sandbox::{KEY, Options};

use crate::cases::in_chinese;
use crate::notify::receiver::{Manners, Receiver, SECRET};
use crate::support::{NO_CONFIRM_READ, Place, Server, code, files_below, repository, stderr, stdout, tieout};
use crate::tidy::code::{code_outside_tests, strings_outside_tests};

/// What precedes a text in English that is translated before it is shown.
const CALLS: [&str; 7] = [
    "Failure::usage(",
    "Failure::no_report(",
    "Failure::incomplete(",
    ".help(",
    "exit::warn(",
    "tracing::warn!(",
    "exit::print_lines(",
];
/// Files whose texts are not translated as errors are.
const OTHER_TEXTS: [&str; 13] = [
    // They have their Chinese in help.ftl and findings.ftl.
    "app/cli/",
    "checks/",
    // What is written into files, for machines or as an example.
    "app/init.rs",
    "app/metrics/families.rs",
    "app/schedule/cron.rs",
    "app/schedule/systemd.rs",
    "history/sql/script.rs",
    "history/sql/statements.rs",
    "input/rows.rs",
    "input/workbook/cells.rs",
    "report/formats/",
    // The provider's answers.
    "sandbox/",
    // Sentences made of parts; `discover` is tested with whole ones.
    "app/discover/",
];
/// Literals that are not whole texts, or not for people.
const NO_TEXTS: [&str; 20] = [
    // Parts of texts that are tested as a whole, with their template.
    "give the {what}",
    "the state {}",
    "ahead of",
    "the clock of this machine is {off} {direction} the provider's (here {ours}, there {provider})",
    "no reply within",
    "no data in the body for",
    "no complete reply within",
    // Commands to copy.
    "tieout audit {} --results RESULTS --out REPORT",
    "  CHENYU_API_KEY={KEY} tieout reconcile ids.csv --api-url {base_url} --rate 0",
    // Names and words that inputs, states and replies have.
    "standard input",
    "IDs in column ",
    "grand total",
    "too frequent",
    "too many requests",
    "rate limit",
    "page {page} of the list",
    // Never shown.
    "only the names are wanted",
    "not a struct",
    "the parts have other columns",
    "an age is positive",
];
/// Cases that are not about our texts in Chinese: they choose a language that does not exist.
const WITHOUT_LANGUAGE: [&str; 1] = ["lang-unknown"];
/// So many English words in a row are a sentence.
const SENTENCE: usize = 3;
/// So many English words in a row are ours, where they stand in the sources.
const WORDS: usize = 2;

/// A literal of the sources, with its place.
struct Text {
    place: String,
    template: String,
}

/// The literals that follow `call`, or a `format!` after it, outside tests.
fn literals(path: &Path, call: &str) -> Vec<Text> {
    let source = fs::read_to_string(path).expect("a text in UTF-8");
    let code = code_outside_tests(&source);
    let found = code.match_indices(call).filter_map(|(at, _)| {
        let rest = source[at + call.len()..].trim_start_matches(['&', ' ', '\n']);
        let rest = rest.strip_prefix("format!(").map_or(rest, str::trim_start);
        let literal = rest.strip_prefix('"')?;
        let place = format!("{}:{}", path.display(), source[..at].matches('\n').count() + 1);
        Some(Text { place, template: unescaped(literal) })
    });
    found.collect()
}

/// The literals outside tests that may be texts for people: those with words.
fn texts_of(path: &Path) -> Vec<Text> {
    let source = fs::read_to_string(path).expect("a text in UTF-8");
    let code = code_outside_tests(&source);
    let found = strings_outside_tests(&source).into_iter().filter_map(|place| {
        let statement = code[..place.start].rsplit([';', '{', '}']).next().unwrap_or_default();
        // The log of what goes well is English, and so are the reasons of exceptions to lints.
        let is_for_us = statement.contains("tracing::info!(") || statement.trim_end().ends_with("reason =");
        let text = unescaped(&source[place.start + 1..]);
        let is_sql = ["SELECT ", "CREATE TABLE ", "BEGIN;"].iter().any(|word| text.contains(word));
        let has_words = longest_run(&filled(text.trim()).0) >= WORDS;
        let is_text = has_words && !is_for_us && !is_sql && !NO_TEXTS.contains(&text.as_str());
        let line = source[..place.start].matches('\n').count() + 1;
        is_text.then(|| Text { place: format!("{}:{line}", path.display()), template: text })
    });
    found.collect()
}

/// The content of a literal whose opening quote was read.
fn unescaped(literal: &str) -> String {
    let (mut text, mut chars) = (String::new(), literal.chars().peekable());
    while let Some(char) = chars.next() {
        match char {
            '"' => break,
            '\\' => match chars.next().expect("an escaped character") {
                'n' => text.push('\n'),
                '\n' => while chars.next_if(|char| char.is_whitespace()).is_some() {},
                other => text.push(other),
            },
            other => text.push(other),
        }
    }
    text
}

/// The template with a number for each placeholder, and the numbers.
fn filled(template: &str) -> (String, Vec<String>) {
    // The state's path is filled in by a second step.
    let (mut text, mut numbers, mut rest) = (String::new(), Vec::new(), template.replace("{{path}}", "{path}"));
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').unwrap_or_default();
        text += before;
        // An action is one of the program's words.
        if name == "doing" {
            text += "read";
        } else {
            numbers.push(format!("{}", 70_001 + numbers.len()));
            text += numbers.last().map_or("", String::as_str);
        }
        rest = after.to_owned();
    }
    (text + &rest, numbers)
}

/// What lacks in the translation of a template.
fn lacking(Text { place, template }: &Text) -> Option<String> {
    let (english, numbers) = filled(template);
    // Names of options and tables stay as they are.
    if longest_run(&english) == 0 {
        return None;
    }
    let chinese = translated(&english);
    (!is_whole(&english, &chinese, &numbers)).then(|| format!("{place}: {template:?} is {chinese:?}"))
}

fn translated(english: &str) -> String {
    Texts::new(Language::Chinese).translated(english).into_owned()
}

/// Whether a translation has every number of the text, and none of its words: where it does, a template of another text
/// was taken for its own.
fn is_whole(english: &str, chinese: &str, numbers: &[String]) -> bool {
    chinese != english && numbers.iter().all(|number| chinese.contains(number)) && !has_run(chinese, WORDS)
}

/// What lacks in the translation of a literal that may be a part of a text: what follows a name, or a separator.
fn lacking_somewhere(text: &Text) -> Option<String> {
    let template = text.template.trim_matches([' ', ';', ',', '\n']);
    let is_whole = ["", "{name} "].iter().any(|before| {
        let (english, numbers) = filled(&format!("{before}{template}"));
        is_whole(&english, &translated(&english), &numbers)
    });
    if is_whole { None } else { Some(format!("{}: {template:?} is {:?}", text.place, translated(&filled(template).0))) }
}

#[test]
fn every_text_of_the_sources_has_its_chinese() {
    let folder = repository("src");
    let sources = files_below(&folder).into_iter().filter(|path| {
        let name = path.strip_prefix(&folder).expect("below it").to_string_lossy();
        let is_test = name.ends_with("/tests.rs") || name.contains("/tests/");
        name.ends_with(".rs") && !is_test && !OTHER_TEXTS.iter().any(|other| name.starts_with(other))
    });
    let texts: Vec<Text> = sources.flat_map(|path| texts_of(&path)).collect();
    assert!(texts.len() > 500, "found only {}", texts.len());
    let lacking: Vec<String> = texts.iter().filter_map(lacking_somewhere).collect();
    assert!(lacking.is_empty(), "{} texts:\n{}", lacking.len(), lacking.join("\n"));
}

#[test]
fn every_error_and_every_advice_has_its_chinese() {
    let sources: Vec<PathBuf> = files_below(&repository("src"))
        .into_iter()
        .filter(|path| path.extension().is_some_and(|is| is == "rs"))
        .collect();
    let errors: Vec<Text> = sources.iter().flat_map(|path| literals(path, "#[error(")).collect();
    assert!(errors.len() > 150, "found only {}", errors.len());
    let advice: Vec<Text> =
        CALLS.iter().flat_map(|call| sources.iter().flat_map(|path| literals(path, call))).collect();
    assert!(advice.len() > 50, "found only {}", advice.len());
    let lacking: Vec<String> = errors.iter().chain(&advice).filter_map(lacking).collect();
    assert!(lacking.is_empty(), "{} texts:\n{}", lacking.len(), lacking.join("\n"));
}

/// Whether a line is more than names, codes and options in English. What is quoted is from the user or the input.
fn has_sentence(line: &str) -> bool {
    has_run(line, SENTENCE)
}

/// Whether a line has so many English words in a row outside of quotes.
fn has_run(line: &str, words: usize) -> bool {
    let unquoted = line.split('`').step_by(2).collect::<Vec<_>>().join(" ");
    let unquoted = unquoted.split('"').step_by(2).collect::<Vec<_>>().join(" ");
    longest_run(&unquoted) >= words
}

/// How many English words the text has in a row, at most.
fn longest_run(text: &str) -> usize {
    let is_word = |word: &str| word.chars().all(|char| char.is_ascii_lowercase() || char == '\'');
    let text = text.replace(|char: char| !char.is_ascii(), " . ");
    let runs = text.split(' ').filter(|word| !word.is_empty()).scan(0, |in_a_row, word| {
        *in_a_row = if is_word(word) { *in_a_row + 1 } else { 0 };
        Some(*in_a_row)
    });
    runs.max().unwrap_or_default()
}

#[test]
fn sentences_are_told_from_names() {
    for line in ["error: give a whole number", "错误：can't read it now：没有"] {
        assert!(has_sentence(line), "{line}");
    }
    for line in [
        "错误：--rate \"give a whole number\"：请给出整数",
        "  [可选值：warnings, pending, material]",
        "用法：tieout diff",
    ] {
        assert!(!has_sentence(line), "{line}");
    }
}

#[test]
fn wrong_commands_are_refused_in_chinese() {
    let folders =
        fs::read_dir(repository("tests/cases")).expect("the cases").map(|entry| entry.expect("an entry").path());
    let name = |path: &PathBuf| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut refused: Vec<(PathBuf, String)> = folders
        .filter_map(|path| {
            let expected = fs::read_to_string(path.join("expected")).ok()?;
            let environment = fs::read_to_string(path.join("environment")).unwrap_or_default();
            let is_ours = !environment.contains("TIEOUT_LANG") && !WITHOUT_LANGUAGE.contains(&name(&path).as_str());
            (is_ours && expected.contains("\nerror: ")).then_some((path, expected))
        })
        .collect();
    assert!(refused.len() > 100, "found only {}", refused.len());
    let (problems, left) = (Mutex::new(Vec::new()), Mutex::new(&mut refused));
    scope(|threads| {
        for _ in 0..4 {
            threads.spawn(|| {
                while let Some((path, expected)) = { left.lock().expect("no panic").pop() } {
                    let (code, text) = in_chinese(&path).expect("a run");
                    let is_same_end = code.is_some_and(|code| expected.contains(&format!("\nexit {code}\n")));
                    let frames = ["error: ", "warning: ", "help: ", "Usage: ", "tip: "];
                    // Logs, and what the shell says, are not ours to translate.
                    let ours =
                        text.lines().filter(|line| !line.starts_with(" WARN") && !line.contains(": No such file"));
                    let english: Vec<&str> = ours
                        .filter(|line| {
                            has_sentence(line) || frames.iter().any(|frame| line.trim_start().starts_with(frame))
                        })
                        .collect();
                    if !is_same_end || !text.contains("错误：") || !english.is_empty() {
                        problems.lock().expect("no panic").push(format!("{}: {code:?} {text}", path.display()));
                    }
                }
            });
        }
    });
    let problems = problems.into_inner().expect("no panic");
    assert!(problems.is_empty(), "{} cases:\n{}", problems.len(), problems.join("\n"));
}

#[test]
fn wrong_targets_of_notifications_are_refused_in_chinese() {
    let place = Place::new();
    let url = place.file("url", "https://example.com/hook/1234567");
    let [empty, plain, wrong] = [("empty", " "), ("plain", "http://example.com/"), ("wrong", "no URL")]
        .map(|(name, text)| place.file(name, text));
    let slack = |path: &Path| format!("to = 'slack'\nurl-file = '{}'", path.display());
    let whole = slack(&url);
    let cases = [
        "name = 'x'".to_owned(),
        "to = 'slakc'".to_owned(),
        "to = 'carrier pigeon'".to_owned(),
        "to = 1".to_owned(),
        "to = 'slack'".to_owned(),
        "to = 'slack'\nulr-env = 'X'".to_owned(),
        "to = 'slack'\nx = 1".to_owned(),
        "to = 'slack'\nurl = 'https://example.com'".to_owned(),
        "to = 'slack'\nurl-env = 'TIEOUT_NONE'".to_owned(),
        "to = 'slack'\nurl-env = 'https://example.com'".to_owned(),
        "to = 'slack'\nurl-file = 'https://example.com'".to_owned(),
        "to = 'slack'\nurl-file = '/none'".to_owned(),
        "to = 'slack'\nurl-env = 'X'\nurl-file = 'x'".to_owned(),
        slack(&empty),
        slack(&plain),
        slack(&wrong),
        format!("{whole}\nname = ''"),
        format!("{whole}\nsecret-file = '{}'", url.display()),
        format!("{whole}\ncommand = ['x']"),
        format!("{whole}\nwhen = ['better']"),
        format!("{whole}\nwhen = []"),
        format!("{whole}\nwhen = 'worse'"),
        format!("{whole}\n[[notify]]\n{whole}"),
        "to = 'command'".to_owned(),
        "to = 'command'\ncommand = []".to_owned(),
        "to = 'command'\ncommand = ['x']\nurl-env = 'X'".to_owned(),
        format!("to = 'healthchecks'\nurl-file = '{}'\nwhen = ['worse']", url.display()),
    ];
    for case in cases {
        let settings = place.file("tieout.toml", format!("[[notify]]\n{case}\n"));
        let run = tieout().args(["notify", "--test", "--lang", "zh-CN", "--config"]).arg(&settings).output();
        let run = run.expect("starts");
        let error = stderr(&run);
        assert_eq!(code(&run), 2, "{case}: {error}");
        assert!(error.contains("错误：[[notify]] ") && !has_run(&error, WORDS), "{case}: {error}");
    }
    let settings = place.file("tieout.toml", format!("[[notify]]\n{whole}\n"));
    let run =
        tieout().args(["notify", "--test", "--target", "slak", "--lang", "zh-CN", "--config"]).arg(&settings).output();
    let error = stderr(&run.expect("starts"));
    assert!(error.ends_with("错误：--target \"slak\"：没有这个通知对象；是否指 slack？\n"), "{error}");
}

#[test]
fn undelivered_messages_are_told_in_chinese() {
    let (place, receiver) = (Place::new(), Receiver::start());
    let services = ["feishu", "dingtalk", "wecom", "slack", "webhook"];
    let mut targets: String = services
        .iter()
        .map(|service| format!("[[notify]]\nto = '{service}'\nurl-env = 'URL_OF_{service}'\n"))
        .collect();
    for (name, script) in [("ends", "exit 3"), ("killed", "kill -9 $$")] {
        targets += &format!("[[notify]]\nto = 'command'\nname = '{name}'\ncommand = ['sh', '-c', '{script}']\n");
    }
    targets += "[[notify]]\nto = 'command'\nname = 'none'\ncommand = ['/none/such']\n";
    let settings = place.file("tieout.toml", targets);
    let equipped = |mut command: std::process::Command| {
        for service in services {
            command.env(format!("URL_OF_{service}"), receiver.url(service));
        }
        command.env("HOOK_SECRET", SECRET).env("CHENYU_API_KEY", KEY);
        command.args(["--lang", "zh-CN", "--config"]).arg(&settings).output().expect("starts")
    };
    let trial = || {
        let mut command = tieout();
        command.args(["notify", "--test"]);
        equipped(command)
    };
    for (manners, expected) in [
        (Manners::Fails, "wecom：未送达：HTTP 500"),
        (Manners::Redirects, "webhook：未送达：HTTP 302：不跟随重定向；请给出最终的 URL\n"),
        (Manners::Echoes, "：其原话重复了机密，故不显示\n"),
    ] {
        receiver.behave(manners);
        let run = trial();
        let printed = stdout(&run) + &stderr(&run);
        assert_eq!(code(&run), 4, "{printed}");
        assert!(printed.contains(expected), "{expected}: {printed}");
        for line in [
            "ends (command)：未送达：以退出码 3 结束",
            "killed (command)：未送达：被信号 9 (SIGKILL) 终止",
            "none (command)：未送达：无法运行 /none/such：没有该文件或文件夹 (os error 2)",
        ] {
            assert!(printed.contains(line), "{line}: {printed}");
        }
        assert!(!printed.lines().any(|line| has_run(line, WORDS)), "{printed}");
    }

    // The warning of a job has the same words.
    receiver.behave(Manners::Fails);
    let server = Server::start(Options::default());
    let mut command = place.reconcile(place.file("ids.csv", "run_order_id\nwfrun_0358e02d2eb9a0dfb8ba\n"));
    command.args(["--api-url", &server.url, NO_CONFIRM_READ]);
    let run = equipped(command);
    let warning = stderr(&run);
    assert!(warning.contains("警告：8 条通知中有 8 条未送达\n"), "{warning}");
    assert!(warning.contains("\n  ends (command)：以退出码 3 结束\n"), "{warning}");
    assert!(!warning.lines().any(has_sentence), "{warning}");
}

#[test]
fn texts_in_texts_are_translated_as_a_whole() {
    for (english, chinese) in [
        ("ds is not a tieout dataset: it has no dataset.json", "ds 不是 tieout 的数据集：其中没有 dataset.json"),
        (
            "the page over all reports was not written: r/index.html is not a page of tieout (index.html: Permission denied \
             (os error 13)), so it was left as it is",
            "未写出所有报告的一页：r/index.html 不是 tieout 的页面（index.html：权限不足 (os error 13)），故保持原样",
        ),
        (
            "r/index.html is not a page of tieout (index.html: it is not a regular file), so it was left as it is",
            "r/index.html 不是 tieout 的页面（index.html：不是普通文件），故保持原样",
        ),
        (
            "manifest.json: it is not a valid manifest (invalid type: integer `3`, expected a string at line 1 column 5)",
            "manifest.json：不是有效的 manifest（第 1 行第 5 列：类型不对：是整数 `3`，应为字符串）",
        ),
        ("summary.json: line 3 is \"a\", expected nothing", "summary.json：第 3 行是 \"a\"，本应没有内容"),
        ("rows read and population: 30 and 29", "读取的行数与总体：30 与 29"),
        (
            "page 2, data is absent or null, expected a list of run orders",
            "第 2 页，data 缺失或为 null，应为运行订单的列表",
        ),
        (
            "can't open the state runs/a b.db: Permission denied (os error 13); check the path and its permissions",
            "状态文件 runs/a b.db 无法打开：权限不足 (os error 13)；请检查路径及其权限",
        ),
    ] {
        assert_eq!(translated(english), chinese);
    }
}
