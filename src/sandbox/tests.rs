//! Checks the replies with plain integers read digit for digit from their JSON, and the server over a socket.

use std::collections::{BTreeSet, HashMap, HashSet};

use serde_json::value::RawValue;

use super::kind::DOCUMENTED_ID;
use super::reply::run_info;
use super::*;

type Members = HashMap<String, Box<RawValue>>;

const SEED: u64 = 1;
const IDS: u64 = 20_000;
const AMOUNTS: [&str; 6] =
    ["quote_amount", "final_amount", "released_amount", "compute_cost", "external_model_cost", "total_cost"];

fn ids() -> impl Iterator<Item = String> {
    (0..IDS).map(|index| format!("wfrun_{:020x}", index * 0x9e37_79b9_7f4a))
}

fn client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::new()
}

fn parse(json: &str) -> Members {
    serde_json::from_str(json).unwrap_or_else(|error| panic!("{error}: {json}"))
}

/// The order's members in a successful reply.
fn data(id: &str) -> Members {
    let reply = run_info(id, SEED);
    let envelope = parse(&reply.body);
    assert_eq!(reply.status, 200);
    assert!(["0", "\"0\""].contains(&envelope["code"].get()));
    parse(envelope["data"].get())
}

fn word(members: &Members, name: &str) -> Option<String> {
    members.get(name).map(|raw| serde_json::from_str(raw.get()).expect("a string or null"))
}

/// Units of 10⁻⁸, read digit for digit; `None` for absent, null and empty.
fn units(members: &Members, name: &str) -> Option<i128> {
    let text = members.get(name)?.get().trim_matches('"');
    if text.is_empty() || text == "null" {
        return None;
    }
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits: i128 = format!("{whole}{fraction}").parse().expect("digits");
    let shift = 8 + exponent.parse::<i32>().expect("exponent") - i32::try_from(fraction.len()).expect("short");
    Some(digits * 10_i128.pow(u32::try_from(shift).expect("at most 8 decimals")))
}

/// The checks that an order fails, after the product's table but without the check that depends on the clock.
fn failed_checks(asked: &str, order: &Members) -> BTreeSet<&'static str> {
    let status = |name| word(order, name).expect("a status");
    let (freeze, run, settlement) = (status("freeze_status"), status("run_status"), status("settlement_status"));
    let ended = ["succeeded", "failed", "cancelled"].contains(&run.as_str());
    let settled = settlement == "settled" || (freeze == "released" && ended && settlement != "pending");
    let mut failed = BTreeSet::new();
    if word(order, "run_order_id").as_deref() != Some(asked) {
        return BTreeSet::from(["identity-mismatch"]);
    }
    let [q, f, r, c, e, t] = AMOUNTS.map(|name| units(order, name));
    let mut fails = |check, failing: bool| {
        if failing {
            failed.insert(check);
        }
    };
    fails("quote-split", settled && q.zip(f).zip(r).is_some_and(|((q, f), r)| q != f + r));
    fails("cost-sum", c.zip(e).zip(t).is_some_and(|((c, e), t)| t != c + e));
    fails("missing-amount", q.is_none() || settled && [f, r, c, e, t].contains(&None));
    fails("negative-amount", [q, f, r, c, e, t].into_iter().flatten().any(|amount| amount < 0));
    fails("currency", word(order, "quote_currency").as_deref() != Some("CNY"));
    fails("charge-equals-cost", settled && run != "failed" && f.zip(t).is_some_and(|(f, t)| f != t));
    fails("charge-exceeds-quote", settled && f.zip(q).is_some_and(|(f, q)| f > q));
    fails("failed-run-charged", settled && run == "failed" && f.is_some_and(|f| f != 0));
    let going = run == "queued" || run == "running";
    let charged_early = run == "queued" && f.is_some_and(|f| f > 0);
    fails("status-conflict", settled && (freeze == "frozen" || going) || charged_early);
    fails("timestamp-order", word(order, "updated_at") < word(order, "created_at"));
    let known_run = ["queued", "running", "succeeded", "failed"].contains(&run.as_str());
    fails("unknown-status", !known_run || (ended && settlement != "settled"));
    failed
}

/// The cause of a failed check, after the product's table; the first match wins.
fn cause(order: &Members, check: &str) -> Option<&'static str> {
    let [q, f, r, c, e, t] = AMOUNTS.map(|name| units(order, name).unwrap_or_default());
    let scaled = |part: i128, rest: i128, whole: i128| {
        (1..=8).any(|k| {
            let power = 10_i128.pow(k);
            part * power + rest == whole || part + rest * power == whole * power
        })
    };
    let rounds = |exact: i128, rounded: i128| {
        (exact - rounded).abs() == 1
            || [1_000_000, 10_000, 100]
                .iter()
                .any(|grain| rounded % grain == 0 && (exact - rounded).abs() * 2 <= *grain)
    };
    let causes: Vec<(&str, bool)> = match check {
        "quote-split" => vec![
            ("overage", f > q && r == 0),
            ("not-released", r == 0 && f < q),
            ("released-in-full", r == q && f > 0),
            ("released-twice", 2 * f + r == 2 * q && r > 0),
            ("sign-flipped", (f - r == q && r < 0) || (r - f == q && f < 0)),
            ("scale", scaled(f, r, q) || scaled(r, f, q)),
            ("rounding", rounds(f + r, q)),
        ],
        "cost-sum" => vec![
            ("external-left-out", t == c && e != 0),
            ("compute-left-out", t == e && c != 0),
            ("external-counted-twice", t == c + 2 * e),
            ("compute-counted-twice", t == 2 * c + e),
            ("sign-flipped", t == c - e || t == e - c),
            ("scale", scaled(t, 0, c + e)),
            ("rounding", rounds(c + e, t)),
        ],
        _ => return None,
    };
    Some(causes.into_iter().find(|(_, proven)| *proven).map_or("unexplained", |(cause, _)| cause))
}

/// Other checks that an anomaly fails inevitably.
fn unavoidable(anomaly: Anomaly) -> &'static [&'static str] {
    match anomaly {
        Anomaly::Overage => &["charge-exceeds-quote"],
        Anomaly::ReleasedSignFlipped | Anomaly::ShortfallAsNegativeRelease => &["negative-amount"],
        _ => &[],
    }
}

#[test]
fn the_documented_order_matches_the_reference() {
    for seed in [0, 1, u64::MAX] {
        let body = run_info(DOCUMENTED_ID, seed).body;
        assert!(body.starts_with(r#"{"code":0,"msg":"success","data":{"run_order_id":"wfrun_314ff7d8b7a5beff1388","#));
        for member in [
            r#","workflow_id":"wf_861ef31e94dcfb10e6e7","revision_id":"wfr_f9f2a2dcb99d73b0c3aa","#,
            r#","quote_amount":"0.03000000","quote_currency":"CNY","freeze_status":"released","#,
            r#","submission_status":"submitted","run_status":"succeeded","settlement_status":"settled","#,
            r#","compute_cost":"0.00028780","external_model_cost":"0.00000000","total_cost":"0.00028780","#,
            r#","final_amount":"0.00028780","released_amount":"0.02971220","error_code":"","error_message":"","#,
            r#","created_at":"2026-05-08T10:00:00Z","updated_at":"2026-05-08T10:01:00Z"}}"#,
        ] {
            assert!(body.contains(member), "{member} is not in {body}");
        }
        assert!(body.contains(r#""inputs":{"prompt":"PRIVATE PROMPT"#));
    }
}

#[test]
fn every_order_matches_its_kind() {
    for id in ids() {
        let kind = describe(&id, SEED);
        match kind {
            Kind::Clean => {
                let order = data(&id);
                assert_eq!(failed_checks(&id, &order), BTreeSet::new(), "{id}");
                let [q, f, r, c, e, t] = AMOUNTS.map(|name| units(&order, name).expect("every amount"));
                assert_eq!((q, t, f), (f + r, c + e, t), "{id}");
                assert!((1_000_000..=500_000_000).contains(&q) && q % 10_000 == 0 && c > 0 && e >= 0 && r >= 0, "{id}");
            }
            Kind::FailedRun => {
                let order = data(&id);
                assert_eq!(failed_checks(&id, &order), BTreeSet::new(), "{id}");
                assert_eq!((units(&order, "final_amount"), units(&order, "total_cost")), (Some(0), Some(0)));
                assert!(word(&order, "error_message").is_some_and(|message| message.contains("PRIVATE PROMPT")));
            }
            Kind::Pending => {
                let order = data(&id);
                assert_eq!(failed_checks(&id, &order), BTreeSet::new(), "{id}");
                assert_eq!(word(&order, "settlement_status").as_deref(), Some("pending"));
                assert!(units(&order, "final_amount").is_none_or(|amount| amount == 0), "{id}");
            }
            Kind::Anomalous(anomaly) => {
                let order = data(&id);
                let (check, expected) = anomaly.planted_for();
                let planted: BTreeSet<_> = unavoidable(anomaly).iter().copied().chain([check]).collect();
                assert_eq!(failed_checks(&id, &order), planted, "{anomaly:?} {id}");
                assert_eq!(cause(&order, check), expected, "{anomaly:?} {id}");
            }
            Kind::Documented => panic!("the documented order is not among them"),
            Kind::NotFound | Kind::Refused | Kind::RefusedInBody | Kind::Malformed(_) => {}
        }
    }
}

#[test]
fn replies_without_an_order_match_their_kind() {
    let mut seen = HashSet::new();
    for id in ids() {
        let kind = describe(&id, SEED);
        let reply = run_info(&id, SEED);
        let beginning = match kind {
            Kind::NotFound => (404, r#"{"code":404,"msg":"run order not found","data":null}"#),
            Kind::Refused => (403, r#"{"code":403,"msg":"not your order","data":null}"#),
            Kind::RefusedInBody => (200, r#"{"code":10403,"msg":"not your order","data":null}"#),
            Kind::Malformed(Malformation::DataIsNull) => (200, r#""msg":"success","data":null}"#),
            Kind::Malformed(Malformation::DataIsArray) => (200, r#""data":[{"run_order_id":"wfrun_"#),
            Kind::Malformed(Malformation::AmountIsArray) => (200, r#"":["0.01000000"],"#),
            Kind::Malformed(Malformation::AmountIsBool) => (200, r#"":true,"#),
            Kind::Malformed(Malformation::NineDecimals) => (200, r#""data":{"run_order_id":"wfrun_"#),
            _ => continue,
        };
        assert_eq!(reply.status, beginning.0, "{id}");
        assert!(reply.body.contains(beginning.1), "{kind:?} {}", reply.body);
        if kind == Kind::Malformed(Malformation::NineDecimals) {
            assert!(["0.123456789", "1e-9"].iter().any(|digits| reply.body.contains(digits)), "{}", reply.body);
        }
        seen.insert(kind);
    }
    assert_eq!(seen.len(), 3 + Malformation::ALL.len());
    for id in ["", "wfrun_", "wfrun_314FF7D8B7A5BEFF1388", "wfrun_314ff7d8b7a5beff13888", "order"] {
        assert_eq!(describe(id, SEED), Kind::NotFound, "{id}");
        assert_eq!(run_info(id, SEED).status, 404, "{id}");
    }
}

#[test]
fn every_kind_occurs_and_anomalies_are_one_in_twelve() {
    let kinds: Vec<Kind> = ids().map(|id| describe(&id, SEED)).collect();
    for anomaly in Anomaly::ALL {
        assert!(kinds.contains(&Kind::Anomalous(anomaly)), "{anomaly:?}");
    }
    let count = |wanted: fn(&Kind) -> bool| kinds.iter().filter(|kind| wanted(kind)).count();
    let anomalous = count(|kind| matches!(kind, Kind::Anomalous(_)));
    let settled = anomalous + count(|kind| matches!(kind, Kind::Clean | Kind::FailedRun));
    assert!(anomalous * 16 > settled && anomalous * 9 < settled, "{anomalous} of {settled}");
    assert!((500..900).contains(&count(|kind| *kind == Kind::Pending)));
    assert!((600..1000).contains(&count(|kind| *kind == Kind::FailedRun)));
    assert!((350..650).contains(&count(|kind| *kind == Kind::NotFound)));
}

#[test]
fn the_same_id_and_seed_give_the_same_bytes() {
    let id = "wfrun_00000000000000000000";
    assert_eq!(run_info(id, 7).body, run_info(id, 7).body);
    let bodies: HashSet<String> = (0..50).map(|seed| run_info(id, seed).body).collect();
    assert!(bodies.len() > 40);
}

async fn get(sandbox: &Sandbox, path: &str, key: Option<&str>) -> (u16, String) {
    let request = client().get(format!("{}{path}", sandbox.base_url()));
    let request = key.map_or(request.try_clone().expect("no body"), |key| request.bearer_auth(key));
    let response = request.send().await.expect("an answer");
    (response.status().as_u16(), response.text().await.expect("a text"))
}

fn raw(json: &RawValue) -> Members {
    parse(json.get())
}

#[tokio::test]
async fn answers_over_a_socket() {
    let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
    let sandbox = Sandbox::start(anywhere, Options::default()).await.expect("a free port");
    let info = format!("/workflow/run/info?run_order_id={DOCUMENTED_ID}");
    let refusal = (401, r#"{"code":401,"msg":"invalid api key","data":null}"#.to_owned());
    assert_eq!(get(&sandbox, &info, None).await, refusal);
    assert_eq!(get(&sandbox, "/nothing", Some("cy_other")).await, refusal);
    assert_eq!(get(&sandbox, "/nothing", Some(KEY)).await.0, 404);
    assert_eq!(get(&sandbox, "/workflow/run/info", Some(KEY)).await.0, 400);
    assert_eq!(get(&sandbox, "/workflow/run/info?run_order_id=x", Some(KEY)).await.0, 404);
    assert_eq!(get(&sandbox, &info, Some(KEY)).await, (200, run_info(DOCUMENTED_ID, SEED).body));
    assert_eq!(get(&sandbox, "/balance/info", Some(KEY)).await.0, 200);
    let posted = client().post(sandbox.base_url() + &info).bearer_auth(KEY).send().await.expect("answer");
    assert_eq!(posted.status().as_u16(), 405);

    let taken = Sandbox::start(sandbox.addr(), Options::default()).await.expect_err("the port is taken");
    assert!(matches!(taken, SandboxError::AddressInUse(addr) if addr == sandbox.addr()));
    let addr = sandbox.addr();
    sandbox.stop().await;
    Sandbox::start(addr, Options::default()).await.expect("the port is free again").stop().await;
}

#[tokio::test]
async fn limits_the_rate_after_the_key_and_before_the_parameters() {
    let options = Options { rate_limit: Some(2), log_requests: true, ..Options::default() };
    let sandbox = Sandbox::start(SocketAddr::from(([127, 0, 0, 1], 0)), options).await.expect("a free port");
    let url = sandbox.base_url() + "/workflow/run/info";
    let client = client();
    let mut limited = None;
    let mut statuses = Vec::new();
    for _ in 0..5 {
        let response = client.get(&url).bearer_auth(KEY).send().await.expect("an answer");
        statuses.push(response.status().as_u16());
        if response.status().as_u16() == 429 {
            limited = Some(response);
        }
    }
    assert!(statuses.starts_with(&[400, 400, 429]), "{statuses:?}");
    let limited = limited.expect("a limited one");
    assert_eq!(limited.headers()["retry-after"], "1");
    assert!(limited.text().await.expect("a text").starts_with(r#"{"code":429,"#));
    assert_eq!(client.get(&url).send().await.expect("an answer").status().as_u16(), 401);
    sandbox.stop().await;
}

#[tokio::test]
async fn list_items_equal_the_order_infos() {
    let sandbox = Sandbox::start(SocketAddr::from(([127, 0, 0, 1], 0)), Options::default()).await.expect("a port");
    let mut listed: Vec<Members> = Vec::new();
    for page in 1..=5 {
        let (_, body) = get(&sandbox, &format!("/workflow/run/list?page={page}&page_size=100"), Some(KEY)).await;
        let list = raw(&parse(&body)["data"]);
        assert_eq!(list["total"].get(), "500");
        listed.extend(serde_json::from_str::<Vec<Members>>(list["items"].get()).expect("items"));
    }
    assert_eq!(listed.len(), 500);
    let ids: HashSet<String> = listed.iter().filter_map(|item| word(item, "run_order_id")).collect();
    assert_eq!(ids.len(), 500);
    assert!(listed.windows(2).all(|pair| word(&pair[0], "created_at") >= word(&pair[1], "created_at")));
    for item in &listed {
        let order = data(&word(item, "run_order_id").expect("an ID"));
        for name in ["workflow_id", "revision_id", "run_status", "quote_amount", "final_amount", "created_at"] {
            assert_eq!(item.get(name).map(|raw| raw.get()), order.get(name).map(|raw| raw.get()), "{name}");
        }
    }
    let workflow = word(&listed[0], "workflow_id").expect("a workflow");
    let of_it = listed.iter().filter(|item| word(item, "workflow_id").as_ref() == Some(&workflow));
    let failed = of_it.filter(|item| word(item, "run_status").as_deref() == Some("failed")).count();
    let path = format!("/workflow/run/list?workflow_id={workflow}&status=failed&page_size=1");
    let list = raw(&parse(&get(&sandbox, &path, Some(KEY)).await.1)["data"]);
    assert_eq!(list["total"].get(), failed.to_string());
    assert_eq!(get(&sandbox, "/workflow/run/list?page_size=101", Some(KEY)).await.0, 400);

    let (status, market) = get(&sandbox, &format!("/workflow/market/info?workflow_id={workflow}"), Some(KEY)).await;
    assert!(status == 200 && market.contains("may_incur_external_model_cost"));
    assert_eq!(get(&sandbox, "/workflow/market/info?workflow_id=wf_0", Some(KEY)).await.0, 404);

    let total = async |filter: &str| -> u64 {
        let list = raw(&parse(&get(&sandbox, &format!("/bill/list?{filter}"), Some(KEY)).await.1)["data"]);
        assert_eq!(list["page"].get(), "\"1\"");
        list["total"].get().parse().expect("a number")
    };
    let (all, balance, card) = (total("").await, total("charge_channel=1").await, total("charge_channel=2").await);
    assert!(all == balance + card && card > 0 && balance > card && (440..500).contains(&all), "{all} {balance} {card}");
    sandbox.stop().await;
}

#[test]
fn the_sample_matches_its_readme() {
    let sample = include_str!("../../sample_data/ids.csv");
    let ids: Vec<&str> = sample.lines().skip(1).filter_map(|line| line.split(',').next()).collect();
    assert_eq!((ids.len(), ids.first(), ids[142]), (200, Some(&DOCUMENTED_ID), ""));
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), 199);
    let (mut discrepant, mut pending, mut not_found) = (0, 0, 0);
    let mut checks = BTreeSet::new();
    for id in ids.iter().filter(|id| !id.is_empty()) {
        match describe(id, Options::default().seed) {
            Kind::Anomalous(anomaly) => {
                let (check, _) = anomaly.planted_for();
                let errors =
                    ["quote-split", "cost-sum", "missing-amount", "negative-amount", "identity-mismatch", "currency"];
                // USD is wrong only where CNY is expected.
                if errors.contains(&check) && anomaly != Anomaly::ForeignCurrency {
                    discrepant += 1;
                }
                checks.insert(check);
            }
            Kind::Pending => pending += 1,
            Kind::NotFound => not_found += 1,
            Kind::Documented | Kind::Clean | Kind::FailedRun => {}
            Kind::Refused | Kind::RefusedInBody | Kind::Malformed(_) => panic!("{id} must not be in the sample"),
        }
    }
    assert_eq!((discrepant, pending, not_found, checks.len()), (16, 7, 1, 9));
}
