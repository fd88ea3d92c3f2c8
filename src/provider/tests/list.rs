//! Pages of the list are fetched by the same rules as single orders.

use super::*;

const PAGE: &str = r#"{"code":0,"data":{"items":[{"run_order_id":"wfrun_1","title":"a fox"}],"total":1}}"#;

fn page() -> Script {
    reply("200 OK", "", PAGE)
}

async fn list(provider: &Provider) -> Result<ListPage, ListError> {
    provider.list(&ListQuery::default(), 1).await
}

fn is_page(page: &Result<ListPage, ListError>) -> bool {
    matches!(page, Ok(page) if page.total == Some(1) && &*page.orders[0].run_order_id == "wfrun_1")
}

fn unavailable(page: Result<ListPage, ListError>) -> Unavailable {
    match page {
        Err(ListError::Unavailable(unavailable)) => unavailable,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_request_is_what_the_provider_documents() {
    let server = Server::start(vec![page()]).await;
    let provider = server.provider();
    let query = ListQuery { workflow_id: Some("wf_1&page=7".into()), status: Some("失败".into()) };
    assert!(is_page(&provider.list(&query, 12).await));
    assert!(is_page(&list(&provider).await));
    let heads = server.heads.lock().expect("the log").clone();
    let targets: Vec<&str> = heads.iter().filter_map(|(_, head)| head.lines().next()).collect();
    let expected = [
        "GET /api/workflow/run/list?workflow_id=wf_1%26page%3D7&status=%E5%A4%B1%E8%B4%A5&page=12&page_size=100 HTTP/1.1",
        "GET /api/workflow/run/list?page=1&page_size=100 HTTP/1.1",
    ];
    assert_eq!(targets, expected);
    assert!(heads.iter().all(|(_, head)| head.to_ascii_lowercase().contains(&format!("authorization: bearer {KEY}"))));
}

#[tokio::test]
async fn a_failed_attempt_is_retried_and_a_429_costs_none() {
    for first in [reply("502 Bad Gateway", "", "<html>"), reply("200 OK", "", "<html>"), Script::Send(String::new())] {
        let server = Server::start(vec![first, page()]).await;
        let provider = server.provider();
        assert!(is_page(&list(&provider).await));
        assert_eq!((provider.activity().requests, provider.activity().retries), (2, 1));
    }
    let server = Server::start(vec![reply("429 Too Many Requests", "Retry-After: 1\r\n", ""), page()]).await;
    let provider = provider(Options { retries: 0, ..server.options() });
    let start = Instant::now();
    assert!(is_page(&list(&provider).await));
    assert!(start.elapsed() >= Duration::from_secs(1), "{:?}", start.elapsed());
    assert_eq!((provider.activity().requests, provider.activity().throttled), (2, 1));
}

#[tokio::test]
async fn an_unavailable_page_says_why() {
    let body = format!(r#"{{"code":9,"msg":"no {KEY}\n"}}"#);
    let no = |code: &str| Reason::new(code, "no [key]");
    let cases = [
        (reply("404 Not Found", "", &body), Unavailable::NotFound(no("http-404")), 1),
        (reply("400 Bad Request", "", &body), Unavailable::Refused(no("http-400")), 1),
        (reply("200 OK", "", &body), Unavailable::Refused(no("code-9")), 1),
        (reply("503 Service Unavailable", "", &body), Unavailable::Unfetched(no("http-503")), 2),
    ];
    for (script, expected, requests) in cases {
        let server = Server::start(vec![script]).await;
        assert_eq!(unavailable(list(&server.provider()).await), expected);
        assert_eq!(server.requests(), requests, "{expected}");
    }
    let server = Server::start(vec![reply("200 OK", "", GOOD)]).await;
    assert_eq!(unavailable(list(&server.provider()).await).reason().code, "no-list", "one order is not a list");
}

#[tokio::test]
async fn a_page_that_repeats_the_key_is_not_kept() {
    for field in ["run_order_id", "workflow_id", "revision_id", "title", "run_status"] {
        let item =
            format!(r#""run_order_id":"wfrun_1","{field}":"x{KEY}""#).replace(r#""wfrun_1","run_order_id":"#, "");
        let body = format!(r#"{{"code":0,"data":{{"items":[{{{item}}}],"total":1}}}}"#);
        let server = Server::start(vec![reply("200 OK", "", &body)]).await;
        let Unavailable::Malformed(reason) = unavailable(list(&server.provider()).await) else { panic!("{field}") };
        assert_eq!(reason.code, "holds-key");
        assert!(reason.detail.starts_with(&format!("{field} of order 1 on the page")), "{}", reason.detail);
        assert!(!reason.detail.contains("secret"));
    }
}

#[tokio::test]
async fn a_rejected_key_and_a_stop_end_pages_and_orders_alike() {
    let server = Server::start(vec![reply("401 Unauthorized", "", "")]).await;
    let provider = server.provider();
    let Err(ListError::Stop(stop)) = list(&provider).await else { panic!("no stop") };
    assert!(matches!(stop, Stop::KeyRejected { .. }));
    assert_eq!(evidence(provider.fetch(&id("wfrun_1"))).await, Err(stop));
    assert_eq!(server.requests(), 1);
    let provider = server.provider();
    provider.stop();
    assert_eq!(list(&provider).await, Err(ListError::Stop(Stop::Called)));
    assert_eq!(server.requests(), 1);
}

#[tokio::test]
async fn pages_and_orders_keep_one_rate() {
    let server = Server::start(vec![page()]).await;
    let provider = provider(Options { rate: 10, ..server.options() });
    let start = Instant::now();
    for _ in 0..6 {
        assert!(is_page(&list(&provider).await));
        // The reply is a page instead of an order; only the time of the request matters here.
        evidence(provider.fetch(&id("wfrun_1"))).await.expect("some evidence");
    }
    // Eleven slots of 100.5 ms, less the three that may be caught up at half the spacing.
    assert!(start.elapsed() >= Duration::from_millis(900), "{:?}", start.elapsed());
}
