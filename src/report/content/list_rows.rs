//! How the rows of lists are held: their values in a fixed sequence.

use jiff::Timestamp;

use super::list::{ListRow, RowReader, RowWriter};
use super::particulars::Particulars;
use super::tables::{Discrepancy, Exception, PendingOrder, ResolvedFinding};
use crate::domain::finding::{Figure, Finding, PastFinding, Severity, Subject};
use crate::domain::money::{Amount, Sum};
use crate::domain::outcome::Bucket;

impl ListRow for Discrepancy {
    fn write(&self, to: &mut RowWriter<'_>) {
        to.option(self.line, line);
        to.text(&self.run_order_id);
        self.order.write(to);
        finding(to, &self.finding);
        to.option(self.is_persisting, |to, is_persisting| to.number(is_persisting.into()));
    }

    fn read(from: &mut RowReader<'_>) -> Option<Self> {
        Some(Self {
            line: from.option(read_line)?,
            run_order_id: from.text()?,
            order: Particulars::read(from)?,
            finding: read_finding(from)?,
            is_persisting: from.option(read_flag)?,
        })
    }
}

impl ListRow for PendingOrder {
    fn write(&self, to: &mut RowWriter<'_>) {
        to.option(self.line, line);
        to.text(&self.run_order_id);
        self.order.write(to);
    }

    fn read(from: &mut RowReader<'_>) -> Option<Self> {
        Some(Self { line: from.option(read_line)?, run_order_id: from.text()?, order: Particulars::read(from)? })
    }
}

impl ListRow for Exception {
    fn write(&self, to: &mut RowWriter<'_>) {
        to.option(self.line, line);
        to.text(&self.run_order_id);
        to.word(self.bucket.code());
        to.text(&self.reason);
        to.text(&self.detail);
    }

    fn read(from: &mut RowReader<'_>) -> Option<Self> {
        let (line, run_order_id, code) = (from.option(read_line)?, from.text()?, from.word()?);
        let bucket = Bucket::ALL.into_iter().find(|bucket| bucket.code() == code)?;
        Some(Self { line, run_order_id, bucket, reason: from.text()?, detail: from.text()? })
    }
}

impl ListRow for ResolvedFinding {
    fn write(&self, to: &mut RowWriter<'_>) {
        let finding = &self.finding;
        line(to, self.line);
        to.text(&finding.discrepancy_id);
        to.text(&finding.run_order_id);
        to.text(&finding.check);
        to.option(finding.field.as_deref(), RowWriter::text);
        line(to, finding.row);
        to.text(&finding.severity);
        to.option(finding.currency.as_deref(), RowWriter::text);
        to.text(&finding.expected);
        to.text(&finding.actual);
        to.option(finding.difference.as_deref(), RowWriter::text);
    }

    fn read(from: &mut RowReader<'_>) -> Option<Self> {
        let line = read_line(from)?;
        let finding = PastFinding {
            discrepancy_id: from.text()?,
            run_order_id: from.text()?,
            check: from.text()?,
            field: from.option(RowReader::text)?,
            row: read_line(from)?,
            severity: from.text()?,
            currency: from.option(RowReader::text)?,
            expected: from.text()?,
            actual: from.text()?,
            difference: from.option(RowReader::text)?,
        };
        Some(Self { line, finding })
    }
}

impl ListRow for Particulars {
    fn write(&self, to: &mut RowWriter<'_>) {
        let texts = [
            &self.workflow_id,
            &self.revision_id,
            &self.quote_currency,
            &self.freeze_status,
            &self.run_status,
            &self.settlement_status,
        ];
        texts.into_iter().for_each(|text| to.option(text.as_deref(), RowWriter::text));
        to.option(self.quote_amount, |to, amount| to.number(amount.units()));
        [self.created_at, self.updated_at].into_iter().for_each(|time| to.option(time, write_time));
    }

    fn read(from: &mut RowReader<'_>) -> Option<Self> {
        Some(Self {
            workflow_id: from.option(RowReader::text)?,
            revision_id: from.option(RowReader::text)?,
            quote_currency: from.option(RowReader::text)?,
            freeze_status: from.option(RowReader::text)?,
            run_status: from.option(RowReader::text)?,
            settlement_status: from.option(RowReader::text)?,
            quote_amount: from.option(|from| Amount::from_units(from.number()?))?,
            created_at: from.option(read_time)?,
            updated_at: from.option(read_time)?,
        })
    }
}

fn finding(to: &mut RowWriter<'_>, finding: &Finding) {
    to.word(finding.check);
    to.option(finding.subject.field, RowWriter::word);
    line(to, finding.subject.row);
    to.word(finding.severity.code());
    to.option(finding.cause, RowWriter::word);
    [&finding.expected, &finding.actual].into_iter().for_each(|side| figure(to, side));
    to.option(finding.difference, |to, difference| to.number(difference.units()));
    to.number(finding.is_waived.into());
    to.number(finding.is_material.into());
    to.text(&finding.message);
}

fn read_finding(from: &mut RowReader<'_>) -> Option<Finding> {
    let check = from.word()?;
    let subject = Subject { field: from.option(RowReader::word)?, row: read_line(from)? };
    let code = from.word()?;
    Some(Finding {
        check,
        subject,
        severity: Severity::ALL.into_iter().find(|severity| severity.code() == code)?,
        cause: from.option(RowReader::word)?,
        expected: read_figure(from)?,
        actual: read_figure(from)?,
        difference: from.option(read_sum)?,
        is_waived: read_flag(from)?,
        is_material: read_flag(from)?,
        message: from.text()?,
    })
}

fn figure(to: &mut RowWriter<'_>, figure: &Figure) {
    let (sum, text) = match figure {
        Figure::Nothing => (None, None),
        Figure::Money(sum) => (Some(*sum), None),
        Figure::Text(text) => (None, Some(text.as_str())),
    };
    to.option(sum, |to, sum| to.number(sum.units()));
    to.option(text, RowWriter::text);
}

fn read_figure(from: &mut RowReader<'_>) -> Option<Figure> {
    match (from.option(read_sum)?, from.option(RowReader::text)?) {
        (None, None) => Some(Figure::Nothing),
        (Some(sum), None) => Some(Figure::Money(sum)),
        (None, Some(text)) => Some(Figure::Text(text)),
        (Some(_), Some(_)) => None,
    }
}

fn read_sum(from: &mut RowReader<'_>) -> Option<Sum> {
    Sum::from_units(from.number()?).ok()
}

fn write_time(to: &mut RowWriter<'_>, time: Timestamp) {
    to.number(time.as_nanosecond());
}

fn read_time(from: &mut RowReader<'_>) -> Option<Timestamp> {
    Timestamp::from_nanosecond(from.number()?).ok()
}

fn line(to: &mut RowWriter<'_>, line: u64) {
    to.number(line.into());
}

fn read_line(from: &mut RowReader<'_>) -> Option<u64> {
    u64::try_from(from.number()?).ok()
}

fn read_flag(from: &mut RowReader<'_>) -> Option<bool> {
    Some(from.number()? != 0)
}
