//! What the account's owner can list: the run orders, the bills, the market and the balance.

use std::collections::HashMap;

use super::catalogue;
use super::die::Die;
use super::facts::{Facts, MAY, Place};
use super::json;
use super::kind::{Kind, describe};
use super::orders::order;
use super::reply::Reply;

/// How many orders the account has.
const ORDERS: usize = 500;
/// The default and the largest number of items on a page.
const PAGE_SIZES: (usize, usize) = (20, 100);

/// The parameters of a request.
pub(super) type Query = HashMap<String, String>;

/// One order of the account. The ID is the one that was asked for, whatever the order info then replies.
struct Listed {
    id: String,
    facts: Facts,
    channel: &'static str,
}

/// A fixed universe of orders, newest first.
pub(super) struct Account {
    seed: u64,
    orders: Vec<Listed>,
}

impl Account {
    /// The account under a seed: only orders whose info can be had and read.
    pub(super) fn new(seed: u64) -> Self {
        let listed = |id: String| {
            let kind = describe(&id, seed);
            let readable = matches!(kind, Kind::Clean | Kind::FailedRun | Kind::Pending | Kind::Anomalous(_));
            let channel = Die::of(seed, &["bill", &id]).pick("channel", ["1", "1", "2"]);
            readable.then(|| Listed { facts: order(&id, seed, kind), id, channel })
        };
        let ids = (0_u64..).map(|index| format!("wfrun_{}", Die::of(seed, &["universe", &index.to_string()]).hex()));
        let mut orders: Vec<Listed> = ids.filter_map(listed).take(ORDERS).collect();
        orders.sort_by(|one, other| (other.facts.created, &one.id).cmp(&(one.facts.created, &other.id)));
        Self { seed, orders }
    }

    /// `workflow/run/list`.
    pub(super) fn run_list(&self, query: &Query) -> Reply {
        let wanted = |listed: &&Listed| {
            asks_for(query, "workflow_id", &listed.facts.revision.workflow.id)
                && asks_for(query, "status", listed.facts.run_status)
        };
        let Some(page) = Page::of(query) else { return Page::refusal() };
        let (items, total) = page.cut(self.orders.iter().filter(wanted), Listed::item);
        Reply::success(&json::object([
            ("items", items),
            ("total", total),
            ("page", page.number.to_string()),
            ("page_size", page.size.to_string()),
        ]))
    }

    /// `bill/list`: what was charged for the settled orders.
    pub(super) fn bill_list(&self, query: &Query) -> Reply {
        let wanted = |listed: &&Listed| {
            listed.facts.is_settled()
                && matches!(listed.facts.places.charged, Place::Figure)
                && asks_for(query, "charge_channel", listed.channel)
                && asks_for(query, "order_number", &listed.order_number())
        };
        let Some(page) = Page::of(query) else { return Page::refusal() };
        let (bills, total) = page.cut(self.orders.iter().filter(wanted), Listed::bill);
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

impl Listed {
    /// Says what the order info says, digit for digit.
    fn item(&self) -> String {
        let told = self.facts.members();
        let say = |name| told.iter().find(|(told, _)| *told == name).cloned();
        let members = [
            Some(("run_order_id", json::text(&self.id))),
            say("workflow_id"),
            say("revision_id"),
            Some(("title", json::text(self.facts.revision.workflow.title))),
            say("run_status"),
            say("quote_amount"),
            say("final_amount"),
            say("created_at"),
        ];
        json::object(members.into_iter().flatten())
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

    /// How the provider's order numbers relate to run order IDs is unknown, so these don't.
    fn order_number(&self) -> String {
        format!(
            "CY{}{:012}",
            MAY + self.facts.updated,
            Die::of(0, &["order number", &self.id]).roll("", 1_000_000_000_000)
        )
    }
}

/// Whether a parameter is absent, empty or that value.
fn asks_for(query: &Query, name: &str, value: &str) -> bool {
    query.get(name).is_none_or(|wanted| wanted.is_empty() || wanted == value)
}

/// Which part of a list is asked for.
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

    /// The page's items and the number of all items, as JSON.
    fn cut<'l>(&self, all: impl Iterator<Item = &'l Listed>, write: impl Fn(&Listed) -> String) -> (String, String) {
        let all: Vec<&Listed> = all.collect();
        let before = (self.number - 1).saturating_mul(self.size);
        let items = json::array(all.iter().skip(before).take(self.size).map(|listed| write(listed)));
        (items, all.len().to_string())
    }
}
