//! A run order, as its own reply tells it.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::super::answer::Known;
use super::fields::{self, Kind, amount, kind, object, time};
use crate::domain::order::{Amounts, RunOrder};
use crate::domain::outcome::{Evidence, Reason};

/// The fields of a run order that are read at all. `None` is absent or null.
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

impl Known for Evidence {
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
        texts.find(|(_, text)| text.is_some_and(&is_of_that_kind)).map(|(field, _)| field.to_owned())
    }
}

fn order(data: Option<&RawValue>) -> Result<RunOrder, Reason> {
    let no_order = |what: &str| Reason::new("no-order", format!("data is {what}, a run order was expected"));
    let data = data.ok_or_else(|| no_order("absent or null"))?;
    if kind(data) != Kind::Object {
        return Err(no_order(kind(data).name()));
    }
    let fields: Fields<'_> = object(data)?;
    Ok(RunOrder {
        run_order_id: text("run_order_id", fields.run_order_id)?,
        workflow_id: text("workflow_id", fields.workflow_id)?,
        revision_id: text("revision_id", fields.revision_id)?,
        quote_currency: text("quote_currency", fields.quote_currency)?,
        amounts: Amounts {
            quote_amount: amount("quote_amount", fields.quote_amount)?,
            final_amount: amount("final_amount", fields.final_amount)?,
            released_amount: amount("released_amount", fields.released_amount)?,
            compute_cost: amount("compute_cost", fields.compute_cost)?,
            external_model_cost: amount("external_model_cost", fields.external_model_cost)?,
            total_cost: amount("total_cost", fields.total_cost)?,
        },
        freeze_status: text("freeze_status", fields.freeze_status)?,
        submission_status: text("submission_status", fields.submission_status)?,
        run_status: text("run_status", fields.run_status)?,
        settlement_status: text("settlement_status", fields.settlement_status)?,
        task_id: text("task_id", fields.task_id)?,
        prompt_id: text("prompt_id", fields.prompt_id)?,
        error_code: text("error_code", fields.error_code)?,
        created_at: time("created_at", fields.created_at)?,
        updated_at: time("updated_at", fields.updated_at)?,
    })
}

/// A text of its own; empty is `None`.
fn text(field: &str, value: Option<&RawValue>) -> Result<Option<String>, Reason> {
    fields::text(field, value).map(|text| text.map(Cow::into_owned))
}
