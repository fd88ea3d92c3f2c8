//! Reads a run order from its own reply.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::super::answer::FinalAnswer;
use super::fields::{self, Kind, Time, amount, kind, object, time};
use crate::domain::money::{Amount, Sum};
use crate::domain::order::{Amounts, Remarks, RunOrder, TimeField};
use crate::domain::outcome::{Evidence, Reason};

/// The longest name of an undocumented amount that is kept, in bytes.
const LONGEST_NAME: usize = 64;
/// The most undocumented amounts that are kept.
const MOST_OTHERS: usize = 4;

/// The fields of a run order that are read. `None` means absent or null.
#[derive(Deserialize)]
struct Fields<'b> {
    #[serde(borrow)]
    run_order_id: Option<&'b RawValue>,
    #[serde(borrow)]
    workflow_id: Option<&'b RawValue>,
    #[serde(borrow)]
    revision_id: Option<&'b RawValue>,
    #[serde(borrow)]
    quote_currency: Option<&'b RawValue>,
    #[serde(borrow)]
    quote_amount: Option<&'b RawValue>,
    #[serde(borrow)]
    final_amount: Option<&'b RawValue>,
    #[serde(borrow)]
    released_amount: Option<&'b RawValue>,
    #[serde(borrow)]
    compute_cost: Option<&'b RawValue>,
    #[serde(borrow)]
    external_model_cost: Option<&'b RawValue>,
    #[serde(borrow)]
    total_cost: Option<&'b RawValue>,
    #[serde(borrow)]
    freeze_status: Option<&'b RawValue>,
    #[serde(borrow)]
    submission_status: Option<&'b RawValue>,
    #[serde(borrow)]
    run_status: Option<&'b RawValue>,
    #[serde(borrow)]
    settlement_status: Option<&'b RawValue>,
    #[serde(borrow)]
    task_id: Option<&'b RawValue>,
    #[serde(borrow)]
    prompt_id: Option<&'b RawValue>,
    #[serde(borrow)]
    error_code: Option<&'b RawValue>,
    #[serde(borrow)]
    created_at: Option<&'b RawValue>,
    #[serde(borrow)]
    updated_at: Option<&'b RawValue>,
}

impl FinalAnswer for Evidence {
    fn read(data: Option<&RawValue>) -> Result<Self, Reason> {
        order(data).map(Self::from)
    }

    fn each_reason(&mut self, mut change: impl FnMut(&mut Reason)) {
        match self {
            Self::NotFound(reason)
            | Self::Refused(reason)
            | Self::Malformed(reason)
            | Self::Unfetched(reason)
            | Self::Rejected(reason) => change(reason),
            Self::Fetched(_) | Self::Duplicate { .. } => {}
        }
    }

    fn field_with(&self, is_of_that_kind: impl Fn(&str) -> bool) -> Option<String> {
        let Self::Fetched(fetched) = self else {
            return None;
        };
        let mut texts = fetched.order.texts().into_iter();
        let text = texts.find(|(_, text)| text.is_some_and(&is_of_that_kind)).map(|(field, _)| field.to_owned());
        let mut names = fetched.order.remarks.iter().flat_map(|remarks| remarks.other_amounts.keys());
        text.or_else(|| names.any(|name| is_of_that_kind(name)).then(|| "the name of an amount".to_owned()))
    }
}

fn order(data: Option<&RawValue>) -> Result<RunOrder, Reason> {
    let no_order = |what: &str| Reason::new("no-order", format!("data is {what}, expected a run order"));
    let data = data.ok_or_else(|| no_order("absent or null"))?;
    if kind(data) != Kind::Object {
        return Err(no_order(kind(data).name()));
    }
    let fields: Fields<'_> = object(data)?;
    let amounts = Amounts {
        quote_amount: amount("quote_amount", fields.quote_amount)?,
        final_amount: amount("final_amount", fields.final_amount)?,
        released_amount: amount("released_amount", fields.released_amount)?,
        compute_cost: amount("compute_cost", fields.compute_cost)?,
        external_model_cost: amount("external_model_cost", fields.external_model_cost)?,
        total_cost: amount("total_cost", fields.total_cost)?,
    };
    let [created_at, updated_at] = [time("created_at", fields.created_at)?, time("updated_at", fields.updated_at)?];
    Ok(RunOrder {
        run_order_id: text("run_order_id", fields.run_order_id)?,
        workflow_id: text("workflow_id", fields.workflow_id)?,
        revision_id: text("revision_id", fields.revision_id)?,
        quote_currency: text("quote_currency", fields.quote_currency)?,
        amounts,
        freeze_status: text("freeze_status", fields.freeze_status)?,
        submission_status: text("submission_status", fields.submission_status)?,
        run_status: text("run_status", fields.run_status)?,
        settlement_status: text("settlement_status", fields.settlement_status)?,
        task_id: text("task_id", fields.task_id)?,
        prompt_id: text("prompt_id", fields.prompt_id)?,
        error_code: text("error_code", fields.error_code)?,
        created_at: created_at.moment(),
        updated_at: updated_at.moment(),
        remarks: remarks(data, &amounts, [created_at, updated_at])?.map(Box::new),
    })
}

fn remarks(data: &RawValue, amounts: &Amounts, [created, updated]: [Time; 2]) -> Result<Option<Remarks>, Reason> {
    let times = [(TimeField::CreatedAt, created), (TimeField::UpdatedAt, updated)];
    let zero_times = times.into_iter().filter(|(_, time)| *time == Time::Zero).map(|(field, _)| field).collect();
    let off = [amounts.quote_difference(), amounts.cost_difference()].into_iter().flatten();
    let off: Vec<Sum> = off.filter(|difference| !difference.is_zero()).map(Sum::abs).collect();
    let other_amounts = if off.is_empty() { BTreeMap::new() } else { other_amounts(data, &off)? };
    let remarks = Remarks { zero_times, other_amounts };
    Ok((remarks != Remarks::default()).then_some(remarks))
}

/// Amounts of the given sizes in fields that the provider's reference does not document: the price may have a component
/// that the identities don't know yet.
fn other_amounts(data: &RawValue, sizes: &[Sum]) -> Result<BTreeMap<String, Amount>, Reason> {
    let members: BTreeMap<Cow<'_, str>, &RawValue> = object(data)?;
    let is_other = |name: &str| {
        let is_plain = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        let is_amount = name.ends_with("_amount") || name.ends_with("_cost");
        is_plain && is_amount && name.len() <= LONGEST_NAME && !Amounts::NAMES.contains(&name)
    };
    let others = members.into_iter().filter(|(name, _)| is_other(name));
    let read = others.filter_map(|(name, value)| Some((name.into_owned(), amount("", Some(value)).ok()??)));
    let fits = |amount: Amount| sizes.contains(&Sum::from(amount).abs());
    Ok(read.filter(|(_, amount)| fits(*amount)).take(MOST_OTHERS).collect())
}

/// Reads an owned text; an empty one is `None`.
fn text(field: &str, value: Option<&RawValue>) -> Result<Option<String>, Reason> {
    fields::text(field, value).map(|text| text.map(Cow::into_owned))
}
