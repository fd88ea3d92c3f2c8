//! The sandbox's orders, checked with plain integers on the JSON as served.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};

use serde_json::Value;

use super::orders::order;
use super::*;

const SEED: u64 = 1;

fn ids(count: u64) -> impl Iterator<Item = String> {
    (0..count).map(|number| format!("wfrun_{number:020x}"))
}

/// Units of 10⁻⁸ from a decimal text.
fn units(value: &Value) -> i128 {
    let text = value.as_str().expect("a text");
    let (whole, fraction) = text.trim_start_matches('-').split_once('.').expect("a point");
    assert_eq!(fraction.len(), 8, "{text}");
    let size: i128 = format!("{whole}{fraction}").parse().expect("digits");
    if text.starts_with('-') { -size } else { size }
}

#[test]
fn the_documented_order_is_served_as_documented() {
    let order: Value =
        serde_json::from_str(&order("wfrun_314ff7d8b7a5beff1388", 7).expect("there").json()).expect("JSON");
    let expected = serde_json::json!({
        "run_order_id": "wfrun_314ff7d8b7a5beff1388", "workflow_id": "wf_861ef31e94dcfb10e6e7",
        "revision_id": "wfr_f9f2a2dcb99d73b0c3aa", "quote_amount": "0.03000000", "quote_currency": "CNY",
        "freeze_status": "released", "submission_status": "submitted", "run_status": "succeeded",
        "settlement_status": "settled", "compute_cost": "0.00028780", "external_model_cost": "0.00000000",
        "total_cost": "0.00028780", "final_amount": "0.00028780", "released_amount": "0.02971220",
        "error_code": "", "error_message": "", "created_at": "2026-05-08T10:00:00Z", "updated_at": "2026-05-08T10:01:00Z",
    });
    for (name, value) in expected.as_object().expect("an object") {
        assert_eq!(order[name], *value, "{name}");
    }
}

#[test]
fn every_kind_turns_up_and_anomalies_are_about_one_in_twelve() {
    let mut counts: BTreeMap<Kind, u64> = BTreeMap::new();
    for id in ids(20_000) {
        *counts.entry(describe(&id, SEED)).or_default() += 1;
    }
    let usual =
        [Kind::Clean, Kind::FailedRun, Kind::Pending, Kind::Unknown, Kind::RefusedByStatus, Kind::RefusedByCode];
    for kind in Kind::ANOMALIES.iter().chain(&Kind::MALFORMED).chain(&usual) {
        assert!(counts.contains_key(kind), "{kind:?}");
    }
    let anomalies: u64 = Kind::ANOMALIES.iter().map(|kind| counts[kind]).sum();
    let settled = anomalies + counts[&Kind::Clean] + counts[&Kind::FailedRun];
    assert!((settled / 16..settled / 9).contains(&anomalies), "{anomalies} of {settled}");
}

#[test]
fn clean_orders_tie_out_in_plain_integers() {
    let mut checked = 0;
    for id in ids(2_000).filter(|id| matches!(describe(id, SEED), Kind::Clean | Kind::FailedRun)) {
        let order: Value = serde_json::from_str(&order(&id, SEED).expect("there").json()).expect("JSON");
        if !order["quote_amount"].is_string() {
            continue;
        }
        let of = |name: &str| units(&order[name]);
        assert_eq!(of("quote_amount"), of("final_amount") + of("released_amount"), "{id}");
        assert_eq!(of("total_cost"), of("compute_cost") + of("external_model_cost"), "{id}");
        assert!(of("released_amount") >= 0 && of("quote_amount") > 0, "{id}");
        checked += 1;
    }
    assert!(checked > 1_000, "{checked}");
}

#[test]
fn the_same_id_and_seed_give_the_same_bytes() {
    for id in ids(300) {
        let json = |seed| order(&id, seed).map(|order| order.json());
        assert_eq!(json(SEED), json(SEED));
    }
    assert_ne!(universe(1), universe(2));
}

#[tokio::test]
async fn the_routes_answer_as_the_reference_says() {
    let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let options = Options { rate_limit: Some(10), ..Options::default() };
    let sandbox = Sandbox::start(anywhere, options).await.expect("a free port");
    let base = sandbox.base_url();
    tokio::spawn(sandbox.wait());
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let get = |path: String, key: &'static str| {
        let request = client.get(format!("{base}/{path}")).bearer_auth(key);
        async move {
            let response = request.send().await.expect("an answer");
            let (status, headers) = (response.status().as_u16(), response.headers().clone());
            let body = response.bytes().await.expect("a body");
            (status, headers, serde_json::from_slice::<Value>(&body).expect("JSON"))
        }
    };
    let documented = "workflow/run/info?run_order_id=wfrun_314ff7d8b7a5beff1388".to_owned();
    let clean = get(documented.clone(), KEY).await;
    assert_eq!((clean.0, &clean.2["data"]["quote_amount"]), (200, &Value::from("0.03000000")));
    let cases = [
        (documented.clone(), "cy_other", 401),
        ("workflow/run/info".into(), KEY, 400),
        ("workflow/run/info?run_order_id=nonsense".into(), KEY, 404),
        ("nowhere".into(), KEY, 404),
        ("balance/info".into(), KEY, 200),
    ];
    for (path, key, status) in cases {
        let (found, _, body) = get(path.clone(), key).await;
        assert_eq!(found, status, "{path}");
        assert_eq!(body["code"].as_i64().expect("a number") == 0, status == 200, "{path}");
    }
    let (_, _, page) = get("workflow/run/list?page=2&page_size=7".into(), KEY).await;
    let items = page["data"]["items"].as_array().expect("items");
    assert_eq!((items.len(), &page["data"]["page"]), (7, &Value::from(2)));
    assert!(page["data"]["total"].as_u64().expect("a number") > 400);
    let listed = items[0]["run_order_id"].as_str().expect("an ID");
    assert_eq!(listed, universe(Options::default().seed)[7]);
    let (_, _, bills) = get("bill/list?page=1&page_size=3&charge_channel=1".into(), KEY).await;
    let bills = bills["data"]["order_list"].as_array().expect("bills");
    assert!(bills.len() == 3 && bills.iter().all(|bill| bill["amount"].is_number() && bill["charge_channel"] == 1));

    let mut limited = 0;
    for _ in 0..12 {
        let (status, headers, _) = get(documented.clone(), KEY).await;
        if status == 429 {
            assert_eq!(headers["retry-after"], "1");
            limited += 1;
        }
    }
    assert!(limited > 0, "more than 10 in a second");
}
