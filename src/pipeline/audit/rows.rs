//! How days, amounts and orders are held in the rows of lists.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::domain::money::Amount;
use crate::domain::order::{Amounts, RunOrder};
use crate::report::content::list::{RowReader, RowWriter};

pub(super) fn write_day(to: &mut RowWriter<'_>, day: Date) {
    [day.year().into(), day.month().into(), day.day().into()].into_iter().for_each(|part: i128| to.number(part));
}

pub(super) fn read_day(from: &mut RowReader<'_>) -> Option<Date> {
    let (year, month, day) = (from.number()?, from.number()?, from.number()?);
    Date::new(year.try_into().ok()?, month.try_into().ok()?, day.try_into().ok()?).ok()
}

pub(super) fn write_amounts(to: &mut RowWriter<'_>, amounts: Amounts) {
    amounts.in_order().into_iter().for_each(|amount| to.option(amount, |to, amount| to.number(amount.units())));
}

pub(super) fn read_amounts(from: &mut RowReader<'_>) -> Option<Amounts> {
    let mut amounts = [None; Amounts::NAMES.len()];
    for amount in &mut amounts {
        *amount = from.option(|from| Amount::from_units(from.number()?))?;
    }
    Some(Amounts::from_order(amounts))
}

pub(super) fn write_order(to: &mut RowWriter<'_>, order: &RunOrder) {
    order.texts().into_iter().for_each(|(_, text)| to.option(text, RowWriter::text));
    write_amounts(to, order.amounts);
    let times = [order.created_at, order.updated_at];
    times.into_iter().for_each(|time| to.option(time, |to, time| to.number(time.as_microsecond().into())));
}

pub(super) fn read_order(from: &mut RowReader<'_>) -> Option<Box<RunOrder>> {
    let mut text = || from.option(RowReader::text);
    let order = RunOrder {
        run_order_id: text()?,
        workflow_id: text()?,
        revision_id: text()?,
        quote_currency: text()?,
        freeze_status: text()?,
        submission_status: text()?,
        run_status: text()?,
        settlement_status: text()?,
        task_id: text()?,
        prompt_id: text()?,
        error_code: text()?,
        ..RunOrder::default()
    };
    let amounts = read_amounts(from)?;
    let mut time = || from.option(|from| Timestamp::from_microsecond(from.number()?.try_into().ok()?).ok());
    Some(Box::new(RunOrder { amounts, created_at: time()?, updated_at: time()?, ..order }))
}
