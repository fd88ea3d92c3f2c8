//! Reads a page of the order list. One bad item does not spoil the others: bad items are counted, and the first is
//! reported.

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::super::answer::{FinalAnswer, Unavailable};
use super::fields::{Kind, Time, amount, kind, object, text, time, unescaped, wrong_type};
use crate::domain::id::RunOrderId;
use crate::domain::listed::ListedOrder;
use crate::domain::money::{Amount, SCALE};
use crate::domain::outcome::Reason;

/// The largest total that is believed; no account lists more orders.
const MAX_TOTAL: u64 = 100_000_000;
/// Characters that an ID never begins with: a spreadsheet would run it, and neutralised in a CSV it would be a
/// different ID.
const FORMULA_STARTS: [char; 4] = ['=', '+', '-', '@'];

/// A page of the order list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListPage {
    /// The page's orders, in the provider's sequence.
    pub orders: Vec<ListedOrder>,
    /// The provider's own count of all orders in the list; `None` if absent or unreadable.
    pub total: Option<u64>,
    /// Items without a usable ID: something is listed there, but it is unknown what.
    pub without_id: Flaws,
    /// Fields that can't be read, including `total`. Their orders are kept without these fields.
    pub unreadable: Flaws,
}

/// Flaws of one kind in a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flaws {
    /// The number of flaws.
    pub count: u64,
    /// The first flaw.
    pub first: Option<Reason>,
}

impl Flaws {
    fn note(&mut self, reason: Reason) {
        self.count += 1;
        self.first.get_or_insert(reason);
    }

    /// Adds the flaws of a page; `page` is its number.
    pub fn add(&mut self, others: Self, page: u64) {
        self.count += others.count;
        if let (None, Some(Reason { code, detail })) = (&self.first, others.first) {
            self.first = Some(Reason { code, detail: format!("page {page}, {detail}") });
        }
    }

    /// Replaces these flaws with `others` if there are more of them.
    pub fn keep_most(&mut self, others: &Self) {
        if others.count > self.count {
            self.clone_from(others);
        }
    }
}

impl ListPage {
    /// The number of items, including those without a usable ID.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.orders.len() as u64 + self.without_id.count
    }

    /// Whether the page has no items.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The final result of requesting a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::provider) struct PageResult(pub(in crate::provider) Result<ListPage, Unavailable>);

impl From<Unavailable> for PageResult {
    fn from(unavailable: Unavailable) -> Self {
        Self(Err(unavailable))
    }
}

impl FinalAnswer for PageResult {
    fn read(data: Option<&RawValue>) -> Result<Self, Reason> {
        page(data).map(|page| Self(Ok(page)))
    }

    fn each_reason(&mut self, mut change: impl FnMut(&mut Reason)) {
        match &mut self.0 {
            Ok(page) => [&mut page.without_id.first, &mut page.unreadable.first].into_iter().flatten().for_each(change),
            Err(unavailable) => change(unavailable.reason_mut()),
        }
    }

    fn field_with(&self, is_of_that_kind: impl Fn(&str) -> bool) -> Option<String> {
        let orders = self.0.iter().flat_map(|page| &page.orders).enumerate();
        let mut texts = orders.flat_map(|(at, order)| order.texts().map(|(field, text)| (at, field, text)));
        let (at, field, _) = texts.find(|(_, _, text)| text.is_some_and(&is_of_that_kind))?;
        Some(format!("{field} of order {} on the page", at + 1))
    }
}

/// The members of a list that are read. `None` means absent; null is kept for the two lists.
#[derive(Deserialize)]
struct Members<'b> {
    #[serde(borrow, default, deserialize_with = "present")]
    items: Option<&'b RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    run_list: Option<&'b RawValue>,
    #[serde(borrow)]
    total: Option<&'b RawValue>,
}

/// Reads a member that is present, even if it is null.
fn present<'b, D: Deserializer<'b>>(member: D) -> Result<Option<&'b RawValue>, D::Error> {
    <&RawValue>::deserialize(member).map(Some)
}

/// The fields of an item that are read. `None` means absent or null.
#[derive(Deserialize)]
struct Item<'b> {
    #[serde(borrow)]
    run_order_id: Option<&'b RawValue>,
    #[serde(borrow)]
    workflow_id: Option<&'b RawValue>,
    #[serde(borrow)]
    revision_id: Option<&'b RawValue>,
    #[serde(borrow)]
    title: Option<&'b RawValue>,
    #[serde(borrow)]
    run_status: Option<&'b RawValue>,
    #[serde(borrow)]
    quote_amount: Option<&'b RawValue>,
    #[serde(borrow)]
    final_amount: Option<&'b RawValue>,
    #[serde(borrow)]
    created_at: Option<&'b RawValue>,
}

fn page(data: Option<&RawValue>) -> Result<ListPage, Reason> {
    let no_list = |what: &str| Reason::new("no-list", format!("data is {what}, expected a list of run orders"));
    let data = data.ok_or_else(|| no_list("absent or null"))?;
    if kind(data) != Kind::Object {
        return Err(no_list(kind(data).name()));
    }
    let members: Members<'_> = object(data)?;
    let mut page = match (members.items, members.run_list) {
        (Some(items), Some(others)) if kind(items) != Kind::Null && kind(others) != Kind::Null => {
            let (page, other) = (orders("items", items)?, orders("run_list", others)?);
            if page.orders != other.orders || page.without_id.count != other.without_id.count {
                let why = "items and run_list are both present and differ: it is unknown which one is the list";
                return Err(Reason::new("two-lists", why));
            }
            page
        }
        (Some(items), others) if others.is_none() || kind(items) != Kind::Null => orders("items", items)?,
        (_, Some(others)) => orders("run_list", others)?,
        (_, None) => return Err(Reason::new("no-list", "data has neither items nor run_list")),
    };
    match total(members.total) {
        Ok(total) => page.total = total,
        Err(reason) => page.unreadable.note(reason),
    }
    Ok(page)
}

/// Reads the orders of a list; null is an empty list.
fn orders(name: &str, list: &RawValue) -> Result<ListPage, Reason> {
    let items: Vec<&RawValue> = match kind(list) {
        Kind::Null => Vec::new(),
        Kind::Array => serde_json::from_str(list.get())
            .map_err(|_| Reason::new("wrong-type", format!("{name} is not an array of JSON values")))?,
        _ => return Err(wrong_type(name, list, "an array")),
    };
    let mut page = ListPage { orders: Vec::with_capacity(items.len()), ..ListPage::default() };
    for (at, item) in items.into_iter().enumerate() {
        let placed = |Reason { code, detail }| Reason { code, detail: format!("item {}: {detail}", at + 1) };
        match order(item, |reason| page.unreadable.note(placed(reason))) {
            Ok(order) => page.orders.push(order),
            Err(reason) => page.without_id.note(placed(reason)),
        }
    }
    Ok(page)
}

/// Reads one item. A field that can't be read is `None` and is passed to `flawed`.
///
/// # Errors
/// Why the item has no usable ID.
fn order(item: &RawValue, mut flawed: impl FnMut(Reason)) -> Result<ListedOrder, Reason> {
    if kind(item) != Kind::Object {
        return Err(Reason::new("wrong-type", format!("it is {}, expected an object", kind(item).name())));
    }
    let item: Item<'_> = object(item)?;
    let run_order_id = id(item.run_order_id)?;
    let mut sound =
        |text: Result<Option<Cow<'_, str>>, Reason>| text.map_err(&mut flawed).ok().flatten().map(Arc::from);
    let (workflow_id, revision_id) =
        (sound(text("workflow_id", item.workflow_id)), sound(text("revision_id", item.revision_id)));
    let (title, run_status) = (sound(text("title", item.title)), sound(text("run_status", item.run_status)));
    let mut is_unreadable = false;
    let mut exact = |amount: Result<Option<Amount>, Reason>| {
        is_unreadable |= amount.is_err();
        amount.map_err(&mut flawed).ok().flatten()
    };
    let quote_amount = exact(amount("quote_amount", item.quote_amount));
    let final_amount = exact(amount("final_amount", item.final_amount));
    let created_at = time("created_at", item.created_at).map_err(&mut flawed).ok().and_then(Time::moment);
    Ok(ListedOrder {
        run_order_id,
        workflow_id,
        revision_id,
        title,
        run_status,
        quote_amount,
        final_amount,
        created_at,
        is_unreadable,
    })
}

fn id(value: Option<&RawValue>) -> Result<Arc<str>, Reason> {
    let unusable = |why: &str| Reason::new("bad-id", format!("run_order_id: {why}"));
    let text = text("run_order_id", value)?.ok_or_else(|| unusable("absent, null or empty"))?;
    let id = RunOrderId::parse(&text).map_err(|error| unusable(&error.to_string()))?;
    if id.as_str().starts_with(FORMULA_STARTS) {
        return Err(unusable("it begins like a formula"));
    }
    Ok(id.as_str().into())
}

/// Reads the total: a whole number, as a JSON number or a text. An empty text is `None`.
fn total(value: Option<&RawValue>) -> Result<Option<u64>, Reason> {
    let Some(value) = value else {
        return Ok(None);
    };
    let text = match kind(value) {
        Kind::Number => Cow::Borrowed(value.get()),
        Kind::Text => unescaped("total", value)?,
        _ => return Err(wrong_type("total", value, "a number")),
    };
    if text.is_empty() {
        return Ok(None);
    }
    const ONE: i128 = 10_i128.pow(SCALE);
    let units = Amount::parse(&text).ok().map(Amount::units).filter(|units| units % ONE == 0);
    let whole = units.and_then(|units| u64::try_from(units / ONE).ok()).filter(|whole| *whole <= MAX_TOTAL);
    let why = format!("total is not a whole number from 0 to {MAX_TOTAL}");
    whole.map(Some).ok_or_else(|| Reason::new("bad-total", why))
}

#[cfg(test)]
mod tests;
