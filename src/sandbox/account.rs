//! The endpoints about the account and the market: run orders, bills, workflows and balance.

use std::collections::HashMap;

use super::catalogue;
use super::die::Die;
use super::facts::{AmountForm, Facts, MAY};
use super::json;
use super::kind::{Kind, describe};
use super::orders::order;
use super::reply::Reply;

/// The number of orders in the account.
const ORDERS: usize = 500;
/// The default and the maximum page size.
const PAGE_SIZES: (usize, usize) = (20, 100);

/// A request's query parameters.
pub(super) type Query = HashMap<String, String>;

/// One order of the account. `id` is the ID to request it by, even if the order info names a different one.
struct AccountOrder {
    id: String,
    facts: Facts,
    channel: &'static str,
}

/// The account's fixed set of orders, newest first.
pub(super) struct Account {
    seed: u64,
    orders: Vec<AccountOrder>,
}

impl Account {
    /// The account under a seed. It has only orders whose info can be fetched and read.
    pub(super) fn new(seed: u64) -> Self {
        let listed = |id: String| {
            let kind = describe(&id, seed);
            let readable = matches!(kind, Kind::Clean | Kind::FailedRun | Kind::Pending | Kind::Anomalous(_));
            let channel = Die::of(seed, &["bill", &id]).pick("channel", ["1", "1", "2"]);
            readable.then(|| AccountOrder { facts: order(&id, seed, kind), id, channel })
        };
        let ids = (0_u64..).map(|index| format!("wfrun_{}", Die::of(seed, &["universe", &index.to_string()]).hex()));
        let mut orders: Vec<AccountOrder> = ids.filter_map(listed).take(ORDERS).collect();
        orders.sort_by(|one, other| (other.facts.created, &one.id).cmp(&(one.facts.created, &other.id)));
        Self { seed, orders }
    }

    /// `workflow/run/list`.
    pub(super) fn run_list(&self, query: &Query) -> Reply {
        let wanted = |listed: &&AccountOrder| {
            asks_for(query, "workflow_id", &listed.facts.revision.workflow.id)
                && asks_for(query, "status", listed.facts.run_status)
        };
        let Some(page) = Page::of(query) else { return Page::refusal() };
        let (items, total) = page.cut(self.orders.iter().filter(wanted), AccountOrder::item);
        Reply::success(&json::object([
            ("items", items),
            ("total", total),
            ("page", page.number.to_string()),
            ("page_size", page.size.to_string()),
        ]))
    }

    /// `bill/list`: the charges of the settled orders.
    pub(super) fn bill_list(&self, query: &Query) -> Reply {
        let wanted = |listed: &&AccountOrder| {
            listed.facts.is_settled()
                && matches!(listed.facts.forms.charged, AmountForm::Figure)
                && asks_for(query, "charge_channel", listed.channel)
                && asks_for(query, "order_number", &listed.order_number())
        };
        let Some(page) = Page::of(query) else { return Page::refusal() };
        let (bills, total) = page.cut(self.orders.iter().filter(wanted), AccountOrder::bill);
        Reply::success(&json::object([
            ("order_list", bills),
            ("total", total),
            ("page", json::text(&page.number.to_string())),
            ("page_size", json::text(&page.size.to_string())),
        ]))
    }

    /// `workflow/market/info`.
    pub(super) fn market_info(&self, query: &Query) -> Reply {
        let Some(id) = query.get("workflow_id") else {
            return Reply::failure(400, "workflow_id is required");
        };
        let Some(workflow) = catalogue::workflows(self.seed).find(|workflow| workflow.id == *id) else {
            return Reply::failure(404, "workflow not found");
        };
        Reply::success(&json::object([
            ("workflow_id", json::text(&workflow.id)),
            ("title", json::text(workflow.title)),
            ("quote_amount", json::decimal_string(workflow.price)),
            ("quote_currency", json::text("CNY")),
            ("may_incur_external_model_cost", workflow.external.to_string()),
        ]))
    }
}

/// `balance/info`.
pub(super) fn balance_info() -> Reply {
    Reply::success(r#"{"balance":1234.56,"card_balance":78.9}"#)
}

impl AccountOrder {
    /// The order as a list item; its values equal those of the order info, digit for digit.
    fn item(&self) -> String {
        let members = self.facts.members();
        let member = |name| members.iter().find(|(known, _)| *known == name).cloned();
        let item = [
            Some(("run_order_id", json::text(&self.id))),
            member("workflow_id"),
            member("revision_id"),
            Some(("title", json::text(self.facts.revision.workflow.title))),
            member("run_status"),
            member("quote_amount"),
            member("final_amount"),
            member("created_at"),
        ];
        json::object(item.into_iter().flatten())
    }

    fn bill(&self) -> String {
        json::object([
            ("amount", json::plain_number(self.facts.figures.charged)),
            ("charge_channel", self.channel.to_owned()),
            ("order_number", json::text(&self.order_number())),
            ("order_time", (MAY + self.facts.updated).to_string()),
            ("settle_start_time", (MAY + self.facts.created).to_string()),
            ("settle_end_time", (MAY + self.facts.updated).to_string()),
            ("remark", json::text(self.facts.revision.workflow.title)),
        ])
    }

    /// The bill's order number. How the provider's order numbers relate to run order IDs is unknown, so these don't.
    fn order_number(&self) -> String {
        format!(
            "CY{}{:012}",
            MAY + self.facts.updated,
            Die::of(0, &["order number", &self.id]).roll("", 1_000_000_000_000)
        )
    }
}

/// Whether a filter parameter admits `value`: it is absent, empty or equal.
fn asks_for(query: &Query, name: &str, value: &str) -> bool {
    query.get(name).is_none_or(|wanted| wanted.is_empty() || wanted == value)
}

/// The requested page of a list.
struct Page {
    number: usize,
    size: usize,
}

impl Page {
    fn of(query: &Query) -> Option<Self> {
        let (usual, largest) = PAGE_SIZES;
        let parameter = |name: &str, usual| query.get(name).map_or(Some(usual), |text| text.parse::<usize>().ok());
        let (number, size) = (parameter("page", 1)?, parameter("page_size", usual)?);
        (number >= 1 && (1..=largest).contains(&size)).then_some(Self { number, size })
    }

    fn refusal() -> Reply {
        Reply::failure(400, "page counts from 1, page_size is 1 to 100")
    }

    /// The items of the page and the number of all items, both as JSON.
    fn cut<'l>(
        &self,
        all: impl Iterator<Item = &'l AccountOrder>,
        write: impl Fn(&AccountOrder) -> String,
    ) -> (String, String) {
        let all: Vec<&AccountOrder> = all.collect();
        let before = (self.number - 1).saturating_mul(self.size);
        let items = json::array(all.iter().skip(before).take(self.size).map(|listed| write(listed)));
        (items, all.len().to_string())
    }
}
