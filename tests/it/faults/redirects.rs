//! A provider that redirects us to another address: no request, and so no key, is ever sent there.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, TcpListener};

use super::raw::{RawServer, reply};
use super::{Reference, Trial, all_are, clean, exceptions, in_parallel, run};
use crate::support::{Place, code, stderr};

/// A listener that must get no connection; it notices any, accepted or not.
struct UntouchedServer(TcpListener);

impl UntouchedServer {
    fn listen() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        listener.set_nonblocking(true).expect("a socket");
        Self(listener)
    }

    fn url(&self) -> String {
        format!("http://{}/api/open/v2/workflow/run/info", self.0.local_addr().expect("an address"))
    }

    fn assert_untouched(&self, name: &str) {
        let error = self.0.accept().map(|(_, from)| from).expect_err("no connection may come");
        assert_eq!(error.kind(), ErrorKind::WouldBlock, "{name}");
    }
}

#[test]
fn a_redirect_to_another_address_is_not_followed() {
    let elsewhere = UntouchedServer::listen();
    let ids = clean(12);
    let struck = ids[3].clone();
    let reference = Reference::of(&ids.iter().filter(|id| **id != struck).cloned().collect::<Vec<_>>());
    let trial = Trial::new(&ids, [format!("redirect={},ids={struck}", elsewhere.url())]);
    let run = trial.run(&[]);
    elsewhere.assert_untouched("302");
    assert_eq!(code(&run), 3, "{}", stderr(&run));
    let report = trial.report();
    assert_eq!(exceptions(&report), all_are(&[struck], "unfetched", "redirect"));
    assert!(report.rows("exceptions.csv")[0]["detail"].contains("never followed"));
    assert_eq!(report.population("reconciled"), 11);
    trial.assert_asked("redirect", |_| 1);
    assert!(
        report.bytes("spend_by_workflow.csv") == reference.files["spend_by_workflow.csv"],
        "the others' money alone"
    );
}

#[test]
fn nor_is_one_to_the_provider_itself() {
    let ids = clean(3);
    // On the same server, where a followed redirect would be answered.
    let trial = Trial::new(&ids, [r"redirect=/api/open/v2/balance/info,times=1"]);
    let run = trial.run(&[]);
    assert_eq!(code(&run), 3, "{}", stderr(&run));
    assert_eq!(exceptions(&trial.report()), all_are(&ids, "unfetched", "redirect"));
    assert_eq!(trial.server.journal.arrivals().len(), 3);
}

#[test]
fn no_status_and_no_header_leads_elsewhere() {
    let statuses = ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent", "300 Choices"];
    in_parallel(&statuses, |status| {
        let elsewhere = UntouchedServer::listen();
        let (status, url) = ((*status).to_owned(), elsewhere.url());
        let headers =
            format!("Location: {url}\r\nRefresh: 0; url={url}\r\nContent-Location: {url}\r\nAlt-Svc: clear\r\n");
        let server = RawServer::start({
            let status = status.clone();
            move |_| reply(&status, &headers, "{\"code\":0,\"data\":{}}")
        });
        let place = Place::new();
        let ids = clean(5);
        place.file("ids.csv", format!("run_order_id\n{}\n", ids.join("\n")));
        let run = run(&place, &server.url, &[]);
        elsewhere.assert_untouched(&status);
        assert_eq!(code(&run), 3, "{status}: {}", stderr(&run));
        assert_eq!(exceptions(&place.report()), all_are(&ids, "unfetched", "redirect"), "{status}");
        assert_eq!(server.requests(), 5, "{status}: each order was asked for once");
    });
}
