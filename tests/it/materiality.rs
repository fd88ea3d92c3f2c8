//! Material discrepancies are shown first, and fail the run with `--fail-on material`.

use crate::support::{Place, code, stderr, stdout, tieout};

/// An order with one warning: it was charged 0.05158919 less than it cost.
const WARNED: &str = "wfrun_aa1e117a9cb739e8c877";

#[test]
fn a_material_warning_fails_the_run_on_request() {
    let place = Place::new();
    let ids = place.file("ids.csv", format!("run_order_id\n{WARNED}\nwfrun_314ff7d8b7a5beff1388\n"));
    for (arguments, exit, material) in [
        (&["--material", "0.05158919"][..], 0, 1),
        (&["--material", "0.05158919", "--fail-on", "material"], 1, 1),
        (&["--material", "0.05158920", "--fail-on", "material"], 0, 0),
    ] {
        let run = place.reconcile(&ids).arg("--sandbox").args(arguments).output().expect("starts");
        assert_eq!((code(&run), place.report().verdict().as_str()), (exit, "warnings"), "{}", stderr(&run));
        let summary = place.report().json("summary.json");
        assert_eq!((&summary["material"], &summary["exit_code"]), (&material.into(), &exit.into()));
        let shown = stdout(&run).contains(&format!("({material} of {material} shown, 1 in all)"));
        assert!(shown, "{}", stdout(&run));
        let verify = tieout().arg("verify").arg(place.path("report")).arg("--files-only").output().expect("starts");
        assert_eq!(code(&verify), 0, "{}", stdout(&verify));
    }
    for arguments in [&["--fail-on", "material"][..], &["--material", "0.01", "--fail-on", "material"]] {
        let mut audit = tieout();
        audit.arg("audit").arg(place.path("report")).arg("--out").arg(place.path("audit")).args(arguments);
        // Only the last run has a different materiality.
        let exit = i32::from(arguments.contains(&"0.01"));
        assert_eq!(code(&audit.output().expect("starts")), exit, "{arguments:?}");
    }
}
