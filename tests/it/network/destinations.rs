//! The key goes to the configured address and nowhere else.

use super::job::{Job, KEY, assert_same, reference_report};
use super::server::{Act, RawServer};

/// A server that nothing should ever connect to.
fn trap() -> RawServer {
    RawServer::faultless()
}

#[test]
fn a_redirect_is_never_followed() {
    for status in
        ["301 Moved Permanently", "302 Found", "303 See Other", "307 Temporary Redirect", "308 Permanent Redirect"]
    {
        let trap = trap();
        let location = format!("{}/workflow/run/info", trap.url());
        let server = RawServer::start(move |mut connection| {
            let reply = format!("HTTP/1.1 {status}\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n");
            async move {
                while connection.request().await.is_some() {
                    connection.send(reply.as_bytes()).await;
                }
            }
        });
        let job = Job::on(0..4);
        let ended = job.run(&server.url(), &[]);
        // No reply came from the provider's API.
        assert_eq!(ended.code, 4, "{status}: {}", ended.stderr);
        assert_eq!(trap.record.connections(), 0, "{status}");
        let why = format!("HTTP status {}: redirects are never followed", &status[..3]);
        assert!(ended.stderr.contains(&why), "{why:?} is not in: {}", ended.stderr);
        assert!(!job.place.report().exists(), "{status}");
        assert_eq!(server.record.asked().len(), 4, "{status}: each was asked for once");
    }
}

#[test]
fn a_redirect_to_the_same_host_is_not_followed_either() {
    let server = RawServer::faulty(
        |order| {
            let location = format!("/api/open/v2/workflow/run/info?run_order_id={}", order.id());
            let head = format!("HTTP/1.1 307 Temporary Redirect\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n");
            vec![Act::Send(head.into_bytes())]
        },
        |order, time| order.0 == 2 && time == 1,
    );
    let job = Job::on(1..5);
    let ended = job.run(&server.url(), &[]);
    assert_eq!(ended.code, 3, "{}", ended.stderr);
    assert_eq!(job.place.report().population("reconciled"), 3);
    assert_eq!(server.record.times()[&2], 1);
}

#[test]
fn a_proxy_of_the_environment_is_not_used() {
    let (server, trap, job) = (RawServer::faultless(), trap(), Job::on(0..10));
    let mut command = job.command(&server.url(), &[]);
    for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        command.env(name, format!("http://{}", trap.address));
    }
    let ended = job.end(&command.output().expect("starts"));
    assert_eq!(ended.code, 1, "{}", ended.stderr);
    assert_same(&job.reproducible_files(), &reference_report(0..10));
    assert_eq!(trap.record.connections(), 0);
}

#[test]
fn a_proxy_that_would_read_the_key_is_not_used() {
    const PASSWORD: &str = "hunter2-of-the-proxy";
    let (server, trap) = (RawServer::faultless(), trap());
    let job = Job::on(0..3).secret(PASSWORD);
    let proxy = format!("http://user:{PASSWORD}@{}", trap.address);
    let ended = job.run(&server.url(), &["--proxy", &proxy]);
    assert_eq!(ended.code, 2, "{}", ended.stderr);
    assert!(ended.stderr.contains("a proxy would read the key"), "{}", ended.stderr);
    assert_eq!((server.record.connections(), trap.record.connections()), (0, 0));
    assert!(!job.place.path("state.sqlite").exists());
}

#[test]
fn the_key_goes_over_plain_http_to_this_machine_alone() {
    // 192.0.2.0/24 is reserved: no machine has such an address.
    let urls = [
        "http://192.0.2.1/api/open/v2",
        "http://[2001:db8::1]/api/open/v2",
        "http://127.0.0.1.tieout.invalid/api/open/v2",
        "http://localhost.tieout.invalid/api/open/v2",
        "HTTP://TIEOUT.INVALID/api/open/v2",
    ];
    for url in urls {
        let job = Job::on(0..3);
        let ended = job.run(url, &[]);
        assert_eq!(ended.code, 2, "{url}: {}", ended.stderr);
        assert!(ended.stderr.contains("must begin with https"), "{url}: {}", ended.stderr);
        assert!(!job.place.path("state.sqlite").exists(), "{url}: nothing was started");
    }
}

#[test]
fn a_url_that_holds_the_key_is_refused_and_not_repeated() {
    let server = RawServer::faultless();
    for url in [
        format!("http://user:{KEY}@{}/api/open/v2", server.address),
        format!("http://{}/api/open/v2?key={KEY}", server.address),
    ] {
        let job = Job::on(0..3);
        assert_eq!(job.run(&url, &[]).code, 2);
        assert_eq!(server.record.connections(), 0);
    }
}
