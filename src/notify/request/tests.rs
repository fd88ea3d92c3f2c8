//! What is sent to each service, and what counts as its yes.

use super::*;

const URL: &str = "https://example.com/hook?access_token=t";
const NOW: i64 = 1_577_262_236_757;

fn message(text: &str) -> Message {
    Message { text: text.to_owned(), json: json!({ "event": "worse", "text": text }) }
}

/// The URL, the body, and the signature in the header.
fn sent(kind: Kind, secret: Option<&str>, text: &str) -> (String, Value, Option<String>) {
    let url = Url::parse(URL).expect("a URL");
    let secret = secret.map(SecretString::from);
    let request = request(kind, url, secret.as_ref(), &message(text), "… cut", NOW);
    let body = request.body().and_then(|body| body.as_bytes()).expect("a body");
    let signature = request.headers().get(SIGNATURE).and_then(|value| value.to_str().ok()).map(str::to_owned);
    (request.url().to_string(), serde_json::from_slice(body).expect("JSON"), signature)
}

#[test]
fn each_service_gets_its_own_form() {
    let plain = |kind| sent(kind, None, "a <b> & c");
    let url = || URL.to_owned();
    assert_eq!(plain(Kind::Feishu), (url(), json!({ "msg_type": "text", "content": { "text": "a ＜b> & c" } }), None));
    assert_eq!(plain(Kind::DingTalk), (url(), json!({ "msgtype": "text", "text": { "content": "a ＜b> & c" } }), None));
    assert_eq!(plain(Kind::WeCom), (url(), json!({ "msgtype": "text", "text": { "content": "a ＜b> & c" } }), None));
    assert_eq!(plain(Kind::Slack), (url(), json!({ "text": "a &lt;b&gt; &amp; c" }), None));
    assert_eq!(plain(Kind::Webhook), (url(), json!({ "event": "worse", "text": "a <b> & c" }), None));
}

// The signatures are from Python's `hmac`, `hashlib`, `base64` and `urllib.parse.quote_plus`.
#[test]
fn messages_are_signed_where_there_is_a_secret() {
    let (_, body, _) = sent(Kind::Feishu, Some("demo"), "x");
    assert_eq!(
        (body["timestamp"].as_str(), body["sign"].as_str()),
        (Some("1577262236"), Some("NhEUcImkhzrPPAz/8BTpTROjbUbL6U5AmjY55fe0tgI="))
    );
    let (url, ..) = sent(Kind::DingTalk, Some("this is secret"), "x");
    assert_eq!(url, format!("{URL}&timestamp=1577262236757&sign=hmPWwU%2B7lVdm3ZZz0r9tSfx0L4Q26jWOZr9%2BGs6EZQM%3D"));
    let (.., signature) = sent(Kind::Webhook, Some("demo"), "x");
    assert_eq!(signature.as_deref(), Some("sha256=fbda1ac34ca9b0ac79c8f9d09be4e882fa4daa8d8e69758ace91e44a58766b4e"));
}

#[test]
fn texts_are_cut_to_what_each_service_takes() {
    let long = "元<".repeat(10_000);
    let text = |kind: Kind, path: &str| {
        sent(kind, None, &long).1.pointer(path).and_then(Value::as_str).expect("a text").to_owned()
    };
    let wecom = text(Kind::WeCom, "/text/content");
    assert!(wecom.len() <= 2_048 && wecom.len() > 2_040 && wecom.ends_with("… cut"), "{}", wecom.len());
    for kind in [Kind::Feishu, Kind::DingTalk] {
        let quotes = message(&"\"\\\n".repeat(10_000));
        let request = request(kind, Url::parse(URL).expect("a URL"), None, &quotes, "… cut", NOW);
        let size = request.body().and_then(|body| body.as_bytes()).expect("a body").len();
        assert!(size <= 20_000 && size > 17_000, "{kind:?}: {size}");
    }
    let slack = text(Kind::Slack, "/text");
    assert!(slack.replace("&lt;", "<").chars().count() == 4_000 && slack.chars().count() < 40_000);
    assert_eq!(sent(Kind::Webhook, None, &long).1["text"], long);
}

#[test]
fn a_reply_is_judged_as_each_service_means_it() {
    let yes: [(Kind, &str); 7] = [
        (Kind::Feishu, r#"{"StatusCode":0,"StatusMessage":"success","code":0,"data":{},"msg":"success"}"#),
        (Kind::Feishu, r#"{"StatusCode":0,"StatusMessage":"success"}"#),
        (Kind::DingTalk, r#"{"errcode":0,"errmsg":"ok"}"#),
        (Kind::WeCom, r#"{"errcode":0,"errmsg":"ok"}"#),
        (Kind::Slack, "ok"),
        (Kind::Webhook, "anything"),
        (Kind::Healthchecks, "OK"),
    ];
    for (kind, body) in yes {
        assert_eq!(arrived(kind, 200, body.as_bytes()), Ok(()), "{kind:?} {body}");
    }
    let no: [(Kind, u16, &str, &str); 9] = [
        (
            Kind::Feishu,
            200,
            r#"{"code":19021,"msg":"sign match fail"}"#,
            "it answered with code 19021: sign match fail",
        ),
        (
            Kind::DingTalk,
            200,
            r#"{"errcode":310000,"errmsg":"sign not match"}"#,
            "it answered with code 310000: sign not match",
        ),
        (Kind::WeCom, 200, r#"{"errcode":93000}"#, "it answered with code 93000: it does not say why"),
        (Kind::WeCom, 200, "<html>", "its answer is not that of wecom"),
        (Kind::Slack, 200, "no", "it did not answer ok: no"),
        (Kind::Slack, 403, "invalid_token", "HTTP 403: invalid_token"),
        (Kind::Webhook, 500, "", "HTTP 500"),
        (Kind::Webhook, 302, "x", "HTTP 302: redirects are not followed; give the final URL"),
        (Kind::Healthchecks, 404, "", "HTTP 404"),
    ];
    for (kind, status, body, expected) in no {
        assert_eq!(arrived(kind, status, body.as_bytes()), Err(expected.to_owned()), "{kind:?} {body}");
    }
}

#[test]
fn pings_are_added_to_the_path() {
    let url =
        |ping: Ping| ping.request(Url::parse("https://hc.example/ping/uuid/?a=1").expect("a URL")).url().to_string();
    assert_eq!(url(Ping::Start), "https://hc.example/ping/uuid/start?a=1");
    assert_eq!(url(Ping::Success), "https://hc.example/ping/uuid?a=1");
    assert_eq!(url(Ping::Fail), "https://hc.example/ping/uuid/fail?a=1");
    assert_eq!(
        [0, 1, 2, 3, 4, 130].map(Ping::of_exit).map(|ping| ping == Ping::Success),
        [true, true, false, false, false, false]
    );
}
