//! `focus.csv`: the settled orders in the FinOps Open Cost and Usage Specification (FOCUS) 1.2, one charge
//! per order, in the order of the input lines. What an order does not say stays empty; nothing is invented to
//! satisfy the specification.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan};

use super::csv::text_of;
use crate::domain::days::Days;
use crate::domain::money::Amount;
use crate::domain::order::RunOrder;
use crate::report::ReportError;
use crate::report::content::table::Cell;
use crate::report::evidence::facts_read::FactsReader;
use crate::report::files::ProvenFile;

/// The name of the file in a report folder.
pub const FOCUS_FILE: &str = "focus.csv";
/// The company that runs the workflows, sells them and bills them.
const PROVIDER: &str = "Chenyu";
/// The billing account where `--account` is not given: the specification requires one.
const UNNAMED_ACCOUNT: &str = "unnamed";

/// The columns of the specification, sorted by name, then our own.
const COLUMNS: [&str; 38] = [
    "BilledCost",
    "BillingAccountId",
    "BillingAccountName",
    "BillingAccountType",
    "BillingCurrency",
    "BillingPeriodEnd",
    "BillingPeriodStart",
    "ChargeCategory",
    "ChargeClass",
    "ChargeDescription",
    "ChargeFrequency",
    "ChargePeriodEnd",
    "ChargePeriodStart",
    "ContractedCost",
    "EffectiveCost",
    "InvoiceId",
    "InvoiceIssuerName",
    "ListCost",
    "PricingQuantity",
    "PricingUnit",
    "ProviderName",
    "PublisherName",
    "ResourceId",
    "ResourceType",
    "ServiceCategory",
    "ServiceName",
    "ServiceSubcategory",
    "SubAccountId",
    "SubAccountName",
    "SubAccountType",
    "x_RunOrderId",
    "x_WorkflowId",
    "x_RevisionId",
    "x_QuoteAmount",
    "x_ReleasedAmount",
    "x_ComputeCost",
    "x_ExternalModelCost",
    "x_TotalCost",
];

/// Writes the settled orders among the facts of a report to `focus.csv` in its folder. `account` is the billing account's
/// name.
///
/// # Errors
/// If the facts can't be read or the file can't be written.
pub(in crate::report) fn write(
    facts: &ProvenFile,
    folder: &Path,
    account: Option<&str>,
    days: &Days,
) -> Result<(), ReportError> {
    let mut facts = FactsReader::open(facts)?;
    let mut focus = FocusWriter::create(folder, account, days)?;
    while let Some(group) = facts.next()? {
        for fact in group.rows() {
            let fact = fact?;
            if fact.settled {
                focus.push(fact.run_order_id, &fact.facts.order(None).unwrap_or_default())?;
            }
        }
    }
    focus.finish()
}

/// Writes settled orders one by one.
struct FocusWriter {
    path: PathBuf,
    out: ::csv::Writer<BufWriter<File>>,
    account: Option<String>,
    /// The rule for when days begin, and with them months.
    days: Days,
}

impl FocusWriter {
    /// Creates the file in a folder and writes its heading.
    ///
    /// # Errors
    /// If the file can't be written.
    fn create(folder: &Path, account: Option<&str>, days: &Days) -> Result<Self, ReportError> {
        let path = folder.join(FOCUS_FILE);
        let file = File::create(&path).map_err(|source| ReportError::io(&path, source))?;
        let mut out = ::csv::Writer::from_writer(BufWriter::new(file));
        out.write_record(COLUMNS).map_err(failed)?;
        Ok(Self { path, out, account: account.map(str::to_owned), days: days.clone() })
    }

    /// Writes one settled order as one charge.
    ///
    /// # Errors
    /// If the file can't be written.
    fn push(&mut self, run_order_id: &str, order: &RunOrder) -> Result<(), ReportError> {
        let cells = self.charge(run_order_id, order).map(|cell| text_of(&cell).into_owned());
        self.out.write_record(cells).map_err(failed)
    }

    /// Flushes the file.
    ///
    /// # Errors
    /// If the file can't be written.
    fn finish(self) -> Result<(), ReportError> {
        let Self { path, out, .. } = self;
        let mut out = out.into_inner().map_err(|error| ReportError::io(&path, error.into_error()))?;
        out.flush().map_err(|source| ReportError::io(&path, source))
    }

    /// The cells of one charge, in the order of [`COLUMNS`].
    fn charge<'o>(&'o self, run_order_id: &'o str, order: &'o RunOrder) -> [Cell<'o>; COLUMNS.len()] {
        let amounts = &order.amounts;
        let workflow = order.workflow_id.as_deref();
        let (first, next) = order.created_at.and_then(|created| self.month(created)).unzip();
        let status = order.run_status.as_deref().unwrap_or("of unknown outcome");
        let cost = || amount(amounts.final_amount);
        [
            cost(),
            Cell::text(self.account.as_deref().unwrap_or(UNNAMED_ACCOUNT)),
            Cell::optional(self.account.as_deref()),
            Cell::text("Account"),
            Cell::optional(order.quote_currency.as_deref()),
            time(next),
            time(first),
            Cell::text("Usage"),
            // ChargeClass: no charge corrects an earlier one.
            Cell::Empty,
            Cell::owned(format!("Workflow run, {status}")),
            Cell::text("Usage-Based"),
            time(end_of(order)),
            time(order.created_at),
            cost(),
            cost(),
            // InvoiceId: the provider does not say which invoice has the order.
            Cell::Empty,
            Cell::text(PROVIDER),
            cost(),
            // PricingQuantity: the specification requires a decimal number.
            Cell::text("1.00000000"),
            Cell::text("Runs"),
            Cell::text(PROVIDER),
            Cell::text(PROVIDER),
            Cell::text(run_order_id),
            Cell::text("Workflow run"),
            Cell::text("AI and Machine Learning"),
            Cell::text("Chenyu Workflow"),
            Cell::text("Generative AI"),
            Cell::optional(workflow),
            Cell::Empty,
            workflow.map_or(Cell::Empty, |_| Cell::text("Workflow")),
            Cell::text(run_order_id),
            Cell::optional(workflow),
            Cell::optional(order.revision_id.as_deref()),
            amount(amounts.quote_amount),
            amount(amounts.released_amount),
            amount(amounts.compute_cost),
            amount(amounts.external_model_cost),
            amount(amounts.total_cost),
        ]
    }

    /// When the local month of a time begins, and when the next month does.
    fn month(&self, time: Timestamp) -> Option<(Timestamp, Timestamp)> {
        let days = &self.days;
        let first = days.day_of(time).date.first_of_month();
        let begins = |date: Date| days.day(date).period.since;
        Some((begins(first)?, begins(first.checked_add(1.month()).ok()?)?))
    }
}

fn failed(source: ::csv::Error) -> ReportError {
    ReportError::Csv { table: "focus", source }
}

fn amount<'c>(amount: Option<Amount>) -> Cell<'c> {
    amount.map_or(Cell::Empty, |amount| Cell::Amount(amount.into()))
}

/// A time in UTC, cut to the second, in the notation of the specification.
fn time<'c>(time: Option<Timestamp>) -> Cell<'c> {
    time.map_or(Cell::Empty, |time| Cell::owned(time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()))
}

/// The end of the charge period: the last change of the order, but at least a second after its creation. The
/// specification allows no empty period, and its times are whole seconds.
fn end_of(order: &RunOrder) -> Option<Timestamp> {
    let earliest = order.created_at.and_then(|created| created.checked_add(SignedDuration::from_secs(1)).ok());
    order.updated_at.map(|updated| earliest.map_or(updated, |earliest| updated.max(earliest)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::domain::days::{DayBy, Zone};
    use crate::domain::order::Amounts;

    /// The cells of an order's charge, by column.
    fn charge(account: Option<&str>, order: &RunOrder) -> BTreeMap<String, String> {
        let folder = tempfile::tempdir().expect("a folder");
        let mut writer = FocusWriter::create(
            folder.path(),
            account,
            &Days { zone: Zone::named("Asia/Shanghai").expect("a zone"), by: DayBy::Updated },
        )
        .expect("writable");
        writer.push("wfrun_1", order).expect("writable");
        writer.finish().expect("writable");
        let mut reader = ::csv::Reader::from_path(folder.path().join(FOCUS_FILE)).expect("a CSV file");
        reader.deserialize().next().expect("a row").expect("readable")
    }

    #[test]
    fn the_documented_order_becomes_the_documented_charge() {
        let units = [3_000_000, 28_780, 2_971_220, 28_780, 0, 28_780];
        let order = RunOrder {
            workflow_id: Some("wf_861ef31e94dcfb10e6e7".into()),
            revision_id: Some("wfr_f9f2a2dcb99d73b0c3aa".into()),
            quote_currency: Some("CNY".into()),
            run_status: Some("succeeded".into()),
            amounts: Amounts::from_order(units.map(Amount::from_units)),
            created_at: Some("2026-04-30T16:00:00.9Z".parse().expect("a time")),
            updated_at: Some("2026-04-30T16:01:00Z".parse().expect("a time")),
            ..RunOrder::default()
        };
        let charge = charge(Some("Finance"), &order);
        for (column, expected) in [
            ("BilledCost", "0.00028780"),
            ("EffectiveCost", "0.00028780"),
            ("ListCost", "0.00028780"),
            ("ContractedCost", "0.00028780"),
            ("BillingCurrency", "CNY"),
            ("BillingAccountId", "Finance"),
            // Midnight of 1 May in Shanghai: the month is May.
            ("BillingPeriodStart", "2026-04-30T16:00:00Z"),
            ("BillingPeriodEnd", "2026-05-31T16:00:00Z"),
            ("ChargePeriodStart", "2026-04-30T16:00:00Z"),
            ("ChargePeriodEnd", "2026-04-30T16:01:00Z"),
            ("ChargeCategory", "Usage"),
            ("ChargeClass", ""),
            ("ServiceCategory", "AI and Machine Learning"),
            ("ResourceId", "wfrun_1"),
            ("SubAccountId", "wf_861ef31e94dcfb10e6e7"),
            ("PricingQuantity", "1.00000000"),
            ("x_RunOrderId", "wfrun_1"),
            ("x_RevisionId", "wfr_f9f2a2dcb99d73b0c3aa"),
            ("x_QuoteAmount", "0.03000000"),
            ("x_ReleasedAmount", "0.02971220"),
            ("x_ComputeCost", "0.00028780"),
            ("x_ExternalModelCost", "0.00000000"),
            ("x_TotalCost", "0.00028780"),
        ] {
            assert_eq!(charge[column], expected, "{column}");
        }
    }

    #[test]
    fn a_charge_lasts_at_least_a_second() {
        let at = |text: &str| Some(text.parse().expect("a time"));
        for (updated, end) in [("00.900", "01"), ("00.200", "01"), ("01.300", "01"), ("05", "05")] {
            let (created_at, updated_at) = (at("2026-05-08T10:00:00.2Z"), at(&format!("2026-05-08T10:00:{updated}Z")));
            let charge = charge(None, &RunOrder { created_at, updated_at, ..RunOrder::default() });
            assert_eq!(charge["ChargePeriodStart"], "2026-05-08T10:00:00Z");
            assert_eq!(charge["ChargePeriodEnd"], format!("2026-05-08T10:00:{end}Z"), "{updated}");
        }
    }

    #[test]
    fn what_an_order_does_not_say_stays_empty() {
        let charge = charge(None, &RunOrder::default());
        for column in ["BilledCost", "BillingCurrency", "BillingPeriodStart", "ChargePeriodEnd", "SubAccountId"] {
            assert_eq!(charge[column], "", "{column}");
        }
        assert_eq!(charge["BillingAccountId"], "unnamed");
    }
}
