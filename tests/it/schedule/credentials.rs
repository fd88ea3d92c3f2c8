//! The API key from the credentials of a service.

use std::fs::{Permissions, set_permissions};
use std::os::unix::fs::PermissionsExt;
use std::process::Output;

use tieout::sandbox::{KEY, Options};

use crate::support::{Place, Server, code, stderr};

/// A job whose service has these credentials; its environment may have a key too.
fn job(place: &Place, server: &Server, variable: Option<&str>) -> Output {
    let ids = place.file("ids.csv", "run_order_id\nwfrun_314ff7d8b7a5beff1388\n");
    let mut command = place.reconcile(ids);
    command.args(["--api-url", &server.url]).env("CREDENTIALS_DIRECTORY", place.path("credentials"));
    variable.map(|key| command.env("CHENYU_API_KEY", key));
    command.output().expect("starts")
}

#[test]
fn the_key_is_read_from_the_credentials_of_a_service() {
    let (place, server) = (Place::new(), Server::start(Options::default()));
    std::fs::create_dir(place.path("credentials")).expect("writable");
    let none = job(&place, &server, None);
    assert_eq!(code(&none), 2, "{}", stderr(&none));
    assert!(stderr(&none).contains("no API key"), "{}", stderr(&none));

    let file = place.file("credentials/chenyu-api-key", format!("{KEY}\n"));
    // systemd lets the service's user read it by an access control list, which shows as the group's right.
    set_permissions(&file, Permissions::from_mode(0o440)).expect("ours");
    let run = job(&place, &server, None);
    assert_eq!(code(&run), 0, "{}", stderr(&run));
    assert!(!stderr(&run).contains("chmod"), "its mode is not the user's affair: {}", stderr(&run));
}

#[test]
fn the_environments_key_wins_over_the_credential() {
    let (place, server) = (Place::new(), Server::start(Options::default()));
    std::fs::create_dir(place.path("credentials")).expect("writable");
    place.file("credentials/chenyu-api-key", "cy_rotten\u{1}key");
    assert_eq!(code(&job(&place, &server, Some(KEY))), 0);

    let rotten = job(&place, &server, None);
    let found = stderr(&rotten);
    assert_eq!(code(&rotten), 2, "{found}");
    assert!(found.contains("credential ") && found.contains("chenyu-api-key: "), "{found}");
    assert!(!found.contains("rotten") && !found.contains("settings file"), "{found}");

    std::fs::remove_file(place.path("credentials/chenyu-api-key")).expect("there");
    std::fs::create_dir(place.path("credentials/chenyu-api-key")).expect("writable");
    let folder = job(&place, &server, None);
    assert_eq!(code(&folder), 2, "{}", stderr(&folder));
    assert!(stderr(&folder).contains("chenyu-api-key: it is not a regular file"), "{}", stderr(&folder));
}
