//! Reading one input more than once.

use super::*;

#[cfg(unix)]
#[test]
fn a_pipe_is_copied_and_can_be_read_again() {
    let mut case = Case::new("");
    let fifo = case.path.with_file_name("fifo");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    case.options.source = Source::File(fifo.clone());
    let writer = std::thread::spawn(move || fs::write(fifo, "run_order_id\nwfrun_1\nwfrun_2\n").unwrap());
    let input = case.open().unwrap();
    writer.join().unwrap();
    assert_eq!((input.name(), input.rows(), input.bytes()), ("fifo", 2, 29));
    for _ in 0..2 {
        let rows: Vec<String> = input.read().unwrap().map(|row| brief(row.unwrap())).collect();
        assert_eq!(rows, ["2 wfrun_1", "3 wfrun_2"]);
    }
}

#[test]
fn a_file_that_changes_between_readings_ends_in_an_error() {
    let before = "run_order_id\nwfrun_1\nwfrun_2\n";
    let changes = [
        "run_order_id\nwfrun_1\nwfrun_3\n",
        "run_order_id\nwfrun_1\nwfrun_2\nwfrun_3\n",
        "run_order_id\nwfrun_1\n",
        "run_order_id\nwfrun_1\nwfrun_2\n\n",
        "",
    ];
    for after in changes {
        let case = Case::new(before);
        let input = case.open().unwrap();
        fs::write(&case.path, after).unwrap();
        let rows: Vec<_> = input.read().unwrap().collect();
        let (last, others) = rows.split_last().unwrap();
        assert!(matches!(last, Err(InputError::Changed { .. })), "{after:?}");
        assert!(others.iter().all(Result::is_ok));
        // Never more rows than were counted: new records may be footers.
        assert_eq!(others.len(), after.lines().skip(1).filter(|line| !line.is_empty()).count().min(2));
        fs::write(&case.path, before).unwrap();
        assert!(input.read().unwrap().all(|row| row.is_ok()), "an unchanged file is not an error");
    }
    // Rows in a file that had none; bytes that are no longer text.
    let case = Case::new("");
    let input = case.open().unwrap();
    fs::write(&case.path, before).unwrap();
    let rows: Vec<_> = input.read().unwrap().collect();
    assert!(matches!(rows.as_slice(), [Err(InputError::Changed { .. })]));
    let input = case.open().unwrap();
    fs::write(&case.path, b"run_order_id\n\xff\n").unwrap();
    let rows: Vec<_> = input.read().unwrap().collect();
    assert!(matches!(rows.as_slice(), [Err(InputError::Malformed { line: 2, .. })]));
}

#[test]
fn rows_can_be_read_on_another_thread() {
    fn is_send<T: Send + 'static>(value: T) -> T {
        value
    }
    let rows = is_send(Case::new("run_order_id\na\n").open().unwrap().read().unwrap());
    let rows: Vec<String> = std::thread::spawn(|| rows.map(|row| brief(row.unwrap())).collect()).join().unwrap();
    assert_eq!(rows, ["2 a"]);
}
