//! `index.html`: the page over all reports of a reports folder. It has no script and needs no network.

use std::fmt::Display;
use std::io::{self, Write};

use askama::Template;

use super::chart::{self, Chart};
use super::opening::{KeyFigure, Tone, tone};
use super::{STYLE, moment, policy};
use crate::domain::visible::visible;
use crate::language::{Language, Texts, Word};
use crate::report::content::night_list::{NightFigures, NightKind, NightList, NightMoney, NightRow};
use crate::report::content::wording::{currency_name, grouped};

/// The most days in the charts.
const MOST_DAYS: usize = 180;
/// The most currencies shown for one report, and charts of currencies.
const MOST_CURRENCIES: usize = 8;
/// How many characters are shown of a text from outside.
const LONGEST: usize = 200;

/// How many bytes of a page [`is_ours`] needs.
pub const BEGINNING: u64 = 256;

/// Whether a page begins as this one does, in any language and version of the program.
#[must_use]
pub fn is_ours(beginning: &[u8]) -> bool {
    let text = String::from_utf8_lossy(beginning);
    text.starts_with("<!doctype html>\n<html lang=\"") && text.contains("\n<meta name=\"generator\" content=\"tieout ")
}

/// Everything that the template of the page shows.
#[derive(Template)]
#[template(path = "report/nights.html")]
struct Page {
    t: Texts,
    language: &'static str,
    version: &'static str,
    policy: String,
    style: &'static str,
    account: Option<String>,
    /// The time zone of the newest night, in which the days of the charts are counted.
    zone: Option<String>,
    newest: Option<Newest>,
    key_figures: Vec<KeyFigure>,
    most_days: usize,
    trend: Option<Trend>,
    years: Vec<Year>,
}

/// The newest night.
struct Newest {
    tone: Tone,
    verdict: String,
    why: String,
    link: String,
}

/// The verdicts and the spend of the newest days.
struct Trend {
    verdicts: Vec<DayVerdict>,
    span: Vec<String>,
    charts: Vec<Chart>,
}

/// The verdict of one day.
struct DayVerdict {
    tone: Tone,
    place: String,
    extent: String,
    title: String,
}

/// The reports of one year.
struct Year {
    title: String,
    /// Its address within the page.
    id: String,
    rows: Vec<Row>,
}

/// One report.
struct Row {
    link: String,
    /// Its time, or the name of its folder if its time is unknown.
    title: String,
    /// What is unusual about it.
    notes: Vec<String>,
    tone: Tone,
    verdict: String,
    /// Its figures, or why it is damaged.
    figures: Result<Figures, String>,
}

/// The figures of one report.
struct Figures {
    rows: String,
    findings: String,
    by_severity: String,
    /// Spend, differences, pending and currency, one line per currency; at least one line, possibly blank.
    lines: Vec<[String; 4]>,
    more: Option<String>,
}

/// Writes the page.
///
/// # Errors
/// If it can't be written.
pub fn write(list: &NightList, language: Language, out: &mut impl Write) -> io::Result<()> {
    page(list, language).write_into(out)
}

fn page(list: &NightList, language: Language) -> Page {
    let texts = Texts::new(language);
    let facts = list.newest_facts();
    Page {
        t: texts,
        language: language.code(),
        version: env!("CARGO_PKG_VERSION"),
        policy: policy::of(STYLE, None),
        style: STYLE,
        account: facts.and_then(|facts| facts.account.as_deref()).map(shown),
        zone: facts.map(|facts| shown(facts.zone.name())),
        newest: list.nights().next().map(|row| newest(row, texts)),
        key_figures: key_figures(list, texts),
        most_days: MOST_DAYS,
        trend: trend(list, texts),
        years: years(list, texts),
    }
}

/// A text from outside: visible, and not too long.
fn shown(text: &str) -> String {
    let mut cut: String = text.chars().take(LONGEST).collect();
    if cut.len() < text.len() {
        cut.push('…');
    }
    visible(&cut).into_owned()
}

/// The tone of a report, and its verdict in a word.
fn verdict(row: &NightRow, texts: Texts) -> (Tone, String) {
    match &row.figures {
        Ok(figures) => (tone(figures.verdict), texts.word(Word::VerdictName, figures.verdict.code())),
        Err(_) => (Tone::Bad, texts.get("report-nights-damaged")),
    }
}

/// The time of a report for people, or the name of its folder.
fn title(row: &NightRow) -> String {
    row.as_of().map_or_else(|| shown(&row.name), |time| moment(&time.to_string()))
}

fn newest(row: &NightRow, texts: Texts) -> Newest {
    let (tone, verdict) = verdict(row, texts);
    let why = match &row.figures {
        Ok(_) => texts.with("report-nights-newest", &[("time", title(row).into())]),
        Err(reason) => format!("{}: {}", title(row), shown(reason)),
    };
    Newest { tone, verdict, why, link: row.link.clone() }
}

fn key_figures(list: &NightList, texts: Texts) -> Vec<KeyFigure> {
    let count = |label: &str, count: usize, note: String| KeyFigure {
        label: label.to_owned(),
        value: grouped(count as u64),
        note,
    };
    let mut times: Vec<_> = list.rows.iter().filter_map(NightRow::as_of).collect();
    times.sort_unstable();
    let day = |time: &jiff::Timestamp| time.strftime("%Y-%m-%d").to_string();
    let span = times.first().zip(times.last()).map(|(first, last)| format!("{} – {}", day(first), day(last)));
    let review = list.last_to_review();
    let review = KeyFigure {
        label: texts.get("report-nights-review"),
        value: review.map_or_else(
            || texts.get("report-nights-never"),
            |row| row.as_of().map_or_else(|| shown(&row.name), |time| day(&time)),
        ),
        note: review.map_or_else(|| texts.get("report-nights-never-note"), |row| verdict(row, texts).1),
    };
    let mut figures = vec![
        count(&texts.get("report-nights-reports"), list.rows.len(), span.unwrap_or_default()),
        count(&texts.get("report-nights-streak"), list.streak(), texts.get("report-nights-streak-note")),
        review,
    ];
    if list.damaged() > 0 {
        let note = texts.get("report-nights-damaged-note");
        figures.push(count(&texts.get("report-nights-damaged-count"), list.damaged(), note));
    }
    figures
}

/// The verdicts and the spend by day; `None` where no day is known.
fn trend(list: &NightList, texts: Texts) -> Option<Trend> {
    let nights = list.by_day(MOST_DAYS);
    let days = chart::days(nights.iter().map(|(day, _)| *day));
    let verdicts = nights.iter().rev().filter_map(|(day, row)| {
        let (place, extent) = chart::place(*day, &days)?;
        let (tone, verdict) = verdict(row, texts);
        Some(DayVerdict { tone, place, extent, title: format!("{day}: {verdict}") })
    });
    let verdicts: Vec<DayVerdict> = verdicts.collect();
    let mut charts = chart::by_night(&NightList::spend(&nights, MOST_CURRENCIES), &days, texts);
    // A title names a currency, which is a text from outside.
    charts.iter_mut().for_each(|chart| chart.title = shown(&chart.title));
    (!verdicts.is_empty()).then(|| Trend { verdicts, span: chart::span(&days), charts })
}

/// The reports by the year of their time, those without a time first.
fn years(list: &NightList, texts: Texts) -> Vec<Year> {
    let mut years = Vec::<Year>::new();
    for row in &list.rows {
        let year = row.as_of().map(|time| time.strftime("%Y").to_string());
        let id = year.as_ref().map_or_else(|| "undated".to_owned(), |year| format!("y{year}"));
        if years.last().is_none_or(|last| last.id != id) {
            let title = year.unwrap_or_else(|| texts.get("report-nights-undated"));
            years.push(Year { title, id, rows: Vec::new() });
        }
        years.last_mut().into_iter().for_each(|year| year.rows.push(line(row, list, texts)));
    }
    years
}

fn line(row: &NightRow, list: &NightList, texts: Texts) -> Row {
    let (tone, verdict) = verdict(row, texts);
    Row {
        link: row.link.clone(),
        title: title(row),
        notes: notes(row, list, texts),
        tone,
        verdict,
        figures: row.figures.as_ref().map(|figures| self::figures(figures, texts)).map_err(|reason| shown(reason)),
    }
}

/// What is unusual about a report: its name, what made it, and whose orders it is about.
fn notes(row: &NightRow, list: &NightList, texts: Texts) -> Vec<String> {
    let mut notes = Vec::new();
    if row.as_of().is_some() && !row.has_usual_name() {
        notes.push(shown(&row.name));
    }
    let Some(facts) = &row.facts else { return notes };
    match facts.kind {
        NightKind::Night => {}
        NightKind::Audit => notes.push(texts.get("report-nights-audit")),
        NightKind::Close(month) => {
            notes.push(texts.with("report-nights-close", &[("month", month.to_string().into())]));
        }
    }
    if !list.is_usual(facts) {
        notes.extend(facts.account.as_deref().map(shown));
        notes.push(shown(&facts.base_url));
    }
    notes
}

fn figures(figures: &NightFigures, texts: Texts) -> Figures {
    let [errors, warnings] = [figures.errors, figures.warnings].map(|count| grouped(count).into());
    let lines = figures.money.iter().take(MOST_CURRENCIES).map(|(currency, money)| {
        let NightMoney { spend, discrepant, pending } = money;
        [spend.to_string(), discrepant.to_string(), pending.to_string(), currency_name(&shown(currency), texts)]
    });
    let mut lines: Vec<[String; 4]> = lines.collect();
    if lines.is_empty() {
        lines.push(Default::default());
    }
    let more = figures.money.len().saturating_sub(MOST_CURRENCIES);
    Figures {
        rows: grouped(figures.rows),
        findings: grouped(figures.errors.saturating_add(figures.warnings)),
        by_severity: texts.with("report-key-findings-note", &[("errors", errors), ("warnings", warnings)]),
        lines,
        more: (more > 0).then(|| texts.with("report-nights-more", &[("count", grouped(more as u64).into())])),
    }
}

impl Page {
    /// The attribute of a cell that stands beside all lines of a report.
    fn span(&self, figures: &Figures) -> String {
        let lines = figures.lines.len();
        if lines > 1 { format!(" rowspan=\"{lines}\"") } else { String::new() }
    }

    /// A message with one variable.
    fn with(&self, id: &str, name: &str, value: impl Display) -> String {
        self.t.with(id, &[(name, value.to_string().into())])
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jiff::Timestamp;

    use super::*;
    use crate::domain::days::Zone;
    use crate::domain::money::Sum;
    use crate::report::content::night_list::NightFacts;
    use crate::summary::Verdict;

    /// A text that tries to be markup, script or another attribute, and to reverse the direction of text.
    const HOSTILE: &str = "</style><img src=x onerror=alert(1)>\"'\u{202e}\0";

    fn row(at: i64, text: &str, currencies: usize) -> NightRow {
        let as_of = Timestamp::from_second(1_780_000_000 + at * 86_400).expect("a time");
        let money =
            NightMoney { spend: Sum::from_units(100 + i128::from(at)).expect("a sum"), ..NightMoney::default() };
        NightRow {
            name: as_of.strftime("%Y%m%dT%H%M%SZ").to_string(),
            link: format!("./night-{at}/"),
            facts: Some(NightFacts {
                as_of,
                finished_at: as_of,
                zone: Zone::default(),
                base_url: text.to_owned(),
                account: Some(text.to_owned()),
                kind: NightKind::Night,
            }),
            figures: Ok(NightFigures {
                verdict: Verdict::ALL[usize::try_from(at).expect("small") % Verdict::ALL.len()],
                exit_code: 0,
                rows: 1_234,
                errors: 1,
                warnings: 2,
                money: (0..currencies).map(|at| (format!("{text}{at}"), money)).collect::<BTreeMap<_, _>>(),
            }),
        }
    }

    fn drawn(rows: Vec<NightRow>, language: Language) -> String {
        let mut page = Vec::new();
        write(&NightList::of(rows), language, &mut page).expect("written");
        String::from_utf8(page).expect("UTF-8")
    }

    #[test]
    fn texts_stay_texts() {
        for language in Language::ALL {
            let mut rows: Vec<_> = (0..4).map(|at| row(at, HOSTILE, 2)).collect();
            rows[0].facts.as_mut().expect("facts").base_url = format!("elsewhere {HOSTILE}");
            rows[1].figures = Err(HOSTILE.to_owned());
            rows[2].facts = None;
            rows[2].name = HOSTILE.to_owned();
            let page = drawn(rows, language);
            for forbidden in ["<img", "</style><", "\u{202e}", "\0"] {
                assert!(!page.contains(forbidden), "{forbidden:?}");
            }
            assert_eq!(page.matches("</style>").count(), 1);
            assert!(page.contains("&#60;img"), "the texts are shown");
        }
    }

    #[test]
    fn a_page_is_bounded_whatever_the_folders_say() {
        let long = "長".repeat(1_000_000);
        let mut rows: Vec<_> = (0..3).map(|at| row(at, &long, 50)).collect();
        rows[0].facts.as_mut().expect("facts").base_url = format!("elsewhere {long}");
        rows[1].figures = Err(long);
        let page = drawn(rows, Language::English);
        assert!(page.len() < 100_000, "{} bytes", page.len());
        assert!(page.contains("and 42 more currencies"));
        // Thousands of nights still open at once.
        let page = drawn((0..3_000).map(|at| row(at, "CNY", 1)).collect(), Language::English);
        assert!(page.len() < 2_000_000, "{} bytes", page.len());
        assert_eq!(page.matches("<rect").count(), 2 * MOST_DAYS);
    }

    #[test]
    fn every_state_has_its_words() {
        let page = drawn((0..6).map(|at| row(at, "CNY", 1)).collect(), Language::Chinese);
        assert!(is_ours(&page.as_bytes()[..256]));
        for verdict in Verdict::ALL {
            assert!(page.contains(&Texts::new(Language::Chinese).word(Word::VerdictName, verdict.code())));
        }
        let mut rows = vec![row(0, "CNY", 0), row(1, "CNY", 1)];
        rows[1].figures = Err("summary.json: torn".to_owned());
        let page = drawn(rows, Language::English);
        for text in ["DAMAGED", "summary.json: torn", "run tieout verify on each", "<div class=\"verdict bad\">"] {
            assert!(page.contains(text), "{text}");
        }
        assert!(drawn(Vec::new(), Language::English).contains("There are no reports in this folder."));
    }

    #[test]
    fn only_our_own_page_is_ours() {
        let page = drawn(Vec::new(), Language::English);
        assert!(is_ours(page.as_bytes()));
        for foreign in ["", "<!doctype html>\n<html lang=\"en\">", &page[1..], &page.replace("tieout 0", "hugo 0")] {
            assert!(!is_ours(&foreign.as_bytes()[..foreign.len().min(256)]));
        }
    }
}
