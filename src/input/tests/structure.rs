//! Lines, rows, headings, columns and the delimiter.

use super::*;

#[test]
fn a_row_has_the_line_on_which_its_record_begins() {
    let cases: [(&str, &[&str]); 14] = [
        ("run_order_id\na\nb\n", &["2 a", "3 b"]),
        ("run_order_id\r\na\r\nb", &["2 a", "3 b"]),
        ("run_order_id\ra\rb\r", &["2 a", "3 b"]),
        ("\n\nrun_order_id\n\n\na\n\nb\n\n", &["6 a", "8 b"]),
        ("\r\n\r\nrun_order_id\r\n\r\n\r\na\r\n\r\nb\r\n\r\n", &["6 a", "8 b"]),
        ("\u{feff}\nrun_order_id\n\na", &["4 a"]),
        ("\"run\norder\nid\"\na\n", &["4 a"]),
        ("run_order_id,n\na,\"1\n2\n\n\"\nb,\"\r\n\"\r\nc,\"\r\"\rd", &["2 a", "6 b", "8 c", "10 d"]),
        ("n,run_order_id\n\"\n\n\",a\n,b\n", &["2 a", "5 b"]),
        ("run_order_id\n\"\n\na\"\n b \n", &["2 a", "5 b"]),
        // Blank lines are not rows; lines with empty cells or blanks are.
        ("run_order_id\n\"\"\n   \n\t\na\n", &["2 empty-id()", "3 empty-id()", "4 empty-id()", "5 a"]),
        ("run_order_id,n\n,\n\n\"\",\"\"\n \na", &["2 empty-id()", "4 empty-id()", "5 empty-id()", "6 a"]),
        ("n,run_order_id\nx\n\n1,2,3\n", &["2 missing-cell()", "4 2"]),
        ("wfrun_1\n\nwfrun_2\nwfrun_1", &["1 wfrun_1", "3 wfrun_2", "4 wfrun_1 as 1"]),
    ];
    for (text, expected) in cases {
        assert_eq!(Case::new(text).rows(), expected, "{text:?}");
    }
}

#[test]
fn lines_are_right_wherever_a_chunk_ends() {
    // Rows of many lengths, some with quoted line breaks, so that chunks end anywhere; the test counts lines itself.
    let mut text = String::from("run_order_id,note\r\n");
    let mut expected = Vec::new();
    let mut line = 2;
    for n in 0..9_000 {
        let (note, breaks) = if n % 7 == 0 { ("\"订\r\n\n\"\"单\"", 2) } else { ("é", 0) };
        let blank = n % 5 == 0;
        text += &format!(
            "wfrun_{n},{note}{}\r\n{}",
            "x".repeat(if breaks == 0 { n % 13 } else { 0 }),
            if blank { "\r\n" } else { "" }
        );
        expected.push(format!("{line} wfrun_{n}"));
        line += 1 + breaks + u64::from(blank);
    }
    assert_eq!(Case::new(&text).rows(), expected);
    assert_eq!(Case::new(gz(&utf16(&format!("\u{feff}{text}"), u16::to_le_bytes))).rows(), expected);
}

#[test]
fn rejected_rows_show_their_cell() {
    let long = "x".repeat(129);
    let text = format!("run_order_id\nwf run\n订\u{1b}[1m单\n{long}\n\"a\nb\"\n");
    let rows = Case::new(text).rows();
    assert_eq!(rows[0], "2 bad-character(wf run)");
    assert_eq!(rows[1], "3 bad-character(订\u{fffd}[1m单)");
    assert_eq!(rows[2], format!("4 id-too-long({})", "x".repeat(128)));
    assert_eq!(rows[3], "5 bad-character(a\u{fffd}b)");
    let input = Case::new("n,run_order_id\nx\n");
    let row = input.open().unwrap().read().unwrap().next().unwrap().unwrap();
    let detail = "the row has 1 of 2 cells, but the ID belongs in cell 2; complete the row or remove it";
    let reason = Reason::new("missing-cell", detail);
    let entry = Entry::Rejected { text: String::new(), reason };
    assert_eq!(row, Row { line: 2, entry, booking: None });
}

#[test]
fn the_id_column_is_found() {
    let cases: [(Case, &[&str]); 19] = [
        (Case::new("n, RUN_Order_ID \n1,a"), &["2 a"]),
        (Case::new("order_id,run_order_id\n1,a"), &["2 a"]),
        (Case::new("订单号,订单ID,运行订单号,运行订单ID,order_id\n1,2,3,4,5"), &["2 4"]),
        (Case::new("订单号,订单ID,运行订单号,运行订单id\n1,2,3,4"), &["2 4"]),
        (Case::new("订单号,订单ID,运行订单号\n1,2,3"), &["2 3"]),
        (Case::new("订单号,订单ID\n1,2"), &["2 2"]),
        (Case::new("x,订单号\n1,2"), &["2 2"]),
        (Case::new("what ever\na\nb,c"), &["2 a", "3 b"]),
        (Case::new("whatever\na\nb,c").column("whatever"), &["2 a", "3 b"]),
        (Case::new("whatever\na\nb,c").heading(1), &["2 a", "3 b"]),
        (Case::new("x,订单,y\n1,2,3").column("2"), &["2 2"]),
        (Case::new("x,order_id,Y \n1,2,3").column(" y"), &["2 3"]),
        (Case::new("x,order_id,2\n1,2,3").column("2"), &["2 3"]),
        (Case::new("x,order_id,y\n1,2,3").column("1"), &["2 1"]),
        (Case::new("x,y,x\n1,2,3").column("3").heading(1), &["2 3"]),
        (Case::new("1,wfrun_1\n2,wfrun_2"), &["1 wfrun_1", "2 wfrun_2"]),
        (Case::new("wfrun_9,wfrun_1\n2,wfrun_2").column("2"), &["1 wfrun_1", "2 wfrun_2"]),
        (Case::new("run_order_id\na").no_header(), &["1 repeated-heading(run_order_id)", "2 a"]),
        (Case::new("x;a\ny;b").no_header().column("2"), &["1 a", "2 b"]),
    ];
    for (index, (case, expected)) in cases.iter().enumerate() {
        assert_eq!(&case.rows(), expected, "case {index}");
    }
}

#[test]
fn an_unclear_id_column_is_an_error() {
    let several = (1..=25).map(|n| format!("c{n}")).collect::<Vec<_>>().join(",");
    let cases = [
        (
            Case::new("a,\u{1b}b\n1,2"),
            "can't tell which column holds the run order IDs (the headings are `a`, `\u{fffd}b`); \
             name it with --column",
        ),
        (
            Case::new("a,b\n1,2").column("c"),
            "there is no column `c` (the headings are `a`, `b`); name one with --column",
        ),
        (
            Case::new("a,b\n1,2").column("3"),
            "there is no column `3` (the headings are `a`, `b`); name one with --column",
        ),
        (
            Case::new("a,b\n1,2").column("0"),
            "there is no column `0` (the headings are `a`, `b`); name one with --column",
        ),
        (
            Case::new("wfrun_1,b\n").column("b"),
            "line 1 (`wfrun_1 b`) could be a heading or, because of wfrun_, an order (see `b`): if it is the heading, \
             add --heading 1 and name the ID column with --column; if it is an order, add --no-header",
        ),
        (
            Case::new("1,2\n").no_header(),
            "can't tell which column holds the run order IDs (no heading, 2 cells in a row); name it with --column",
        ),
        (
            Case::new("order_id,n,Order_ID\n1,2,3"),
            "columns 1, 3 could each be the ID column (the headings are `order_id`, `n`, `Order_ID`); \
             name one by its number with --column",
        ),
        (
            Case::new("x,order_id,X\n1,2,3").column("x"),
            "columns 1, 3 could each be the ID column (the headings are `x`, `order_id`, `X`); \
             name one by its number with --column",
        ),
        (
            Case::new("wfrun_1,wfrun_2\n"),
            "columns 1, 2 could each be the ID column (no heading, 2 cells in a row); \
             name one by its number with --column",
        ),
    ];
    for (case, expected) in cases {
        assert_eq!(case.error(), expected);
    }
    assert!(Case::new(several).error().contains("`c19`, `c20` and 5 more)"));
}

#[test]
fn the_delimiter_is_the_most_frequent_outside_quotes() {
    let cases = [
        ("\"a,b,c,d\";order_id\n1;x", "x"),
        ("\"a,\"\"b,c,d\";order_id\n1;x", "x"),
        ("a\tb,c\torder_id\n1\t2\tx", "x"),
        ("a;b,order_id,c\n1,x", "x"),
        ("5\" a\tb;order_id;7\" c\n1;x", "x"),
        ("\n\r\na;order_id\n1;x,y,z", "x,y,z"),
    ];
    for (text, expected) in cases {
        let row = Case::new(text).rows().pop().unwrap();
        assert_eq!(row.split_once(' ').unwrap().1, expected, "{text:?}");
    }
    assert_eq!(Case::new("a;b\tc\nx").column("1").rows(), ["2 x"], "in a tie the comma wins, so there is one column");
    assert_eq!(Case::new("n|order_id\n1|x").delimiter(Some(b'|')).rows(), ["2 x"]);
    for byte in [b'"', b'\n', b'\r', 0, 0xe4] {
        assert!(Case::new("a").delimiter(Some(byte)).error().contains("can't separate cells"));
    }
}

#[test]
fn an_input_without_rows_is_not_an_error() {
    for text in ["", "\n", "\r\n\r\n", "\u{feff}", "run_order_id", "run_order_id\n\n", "a,run_order_id,b\r\n"] {
        assert_eq!(Case::new(text).rows(), [""; 0], "{text:?}");
        assert_eq!(Case::new(gz(text.as_bytes())).rows(), [""; 0], "{text:?}");
        assert_eq!(Case::new(zst(text.as_bytes())).rows(), [""; 0], "{text:?}");
    }
    assert_eq!(Case::new("").column("x").rows(), [""; 0]);
}

#[test]
fn the_columns_of_our_books_are_read_with_every_row() {
    let case = Case::new("run_order_id,Amount,备注\nwfrun_1,\"1,234.5\",x\nwfrun_1,2\n,３,\n")
        .book(Field::Final, "amount")
        .book(Field::RunStatus, "3");
    let input = case.open().unwrap();
    let bookings: Vec<(u64, String, String)> = input
        .read()
        .unwrap()
        .map(|row| row.unwrap().booking.unwrap())
        .map(|booking| (booking.line, booking.cells[&Field::Final].clone(), booking.cells[&Field::RunStatus].clone()))
        .collect();
    let expected = [(2, "1,234.5", "x"), (3, "2", ""), (4, "３", "")];
    assert_eq!(bookings, expected.map(|(line, amount, note)| (line, amount.to_owned(), note.to_owned())));
}

#[test]
fn a_missing_or_repeated_column_of_our_books_is_an_error() {
    let message = |text: &str, column: &str| {
        Case::new(text).book(Field::Final, column).open().expect_err("no such column").to_string()
    };
    let missing = message("run_order_id,amount\nwfrun_1,2\n", "price");
    assert!(missing.contains("--expect final_amount=price: there is no such column"), "{missing}");
    assert!(missing.contains("`amount`"), "{missing}");
    let twice = message("run_order_id,amount,Amount\nwfrun_1,2,3\n", "amount");
    assert!(twice.contains("2 columns have that heading"), "{twice}");
    assert!(message("wfrun_1,2\n", "amount").contains("no heading"));
    assert!(Case::new("wfrun_1,2\n").book(Field::Final, "2").open().is_ok());
}

#[test]
fn an_incomplete_list_of_discover_has_a_shortfall() {
    const HEADING: &str = "run_order_id,workflow_id,revision_id,title,run_status,quote_amount,final_amount,created_at";
    let row = |id: &str| format!("{id},wf_1,,,,,,");
    let of = |lines: &[&str]| {
        let case = Case::new(lines.join("\n"));
        (case.rows().len(), case.open().unwrap().shortfall())
    };
    let (a, b) = (row("wfrun_a"), row("wfrun_b"));
    let other_rows = |written, read| Some(ListShortfall::OtherRows { written, read });
    for (lines, rows, shortfall) in [
        (&[HEADING, &a, &b, "#tieout-end,2,0"][..], 2, None),
        (&[HEADING, &a, &b, "#tieout-end,2,0,,,,,"], 2, None),
        (&[HEADING, "#tieout-end,0,0"], 0, None),
        (&[HEADING], 0, Some(ListShortfall::BrokenOff)),
        (&[HEADING, &a, &b], 2, Some(ListShortfall::BrokenOff)),
        (&[HEADING, &a, "#tieout-end"], 1, Some(ListShortfall::BrokenOff)),
        (&[HEADING, &a, "#tieout-end,1,many"], 1, Some(ListShortfall::BrokenOff)),
        (&[HEADING, &a, "#tieout-end,1,unknown"], 1, Some(ListShortfall::Unknown)),
        (&[HEADING, &a, "#tieout-end,1,3"], 1, Some(ListShortfall::Missing { orders: 3 })),
        (&[HEADING, &a, "#tieout-end,2,0"], 1, other_rows(2, 1)),
        (&[HEADING, &a, "#tieout-end,1,0", &b], 2, Some(ListShortfall::BrokenOff)),
        (&[HEADING, &a, "#tieout-end,1,0", &b, "#tieout-end,1,0"], 2, None),
        (&[HEADING, &a, "#tieout-end,1,2", &b, "#tieout-end,1,0"], 2, Some(ListShortfall::Missing { orders: 2 })),
        (
            &["RUN_ORDER_ID, workflow_id ,revision_id,title,run_status,quote_amount,final_amount,created_at,ours", &a],
            1,
            Some(ListShortfall::BrokenOff),
        ),
        (&["#tieout-end,1,5", HEADING, &a], 1, Some(ListShortfall::OtherRows { written: 1, read: 0 })),
        (&["#tieout-end,0,0", "wfrun_a", "wfrun_b"], 2, Some(ListShortfall::BrokenOff)),
        // Other inputs need no end line, but if they have one, it counts.
        (&["run_order_id,note", "wfrun_a,"], 1, None),
        (&["run_order_id", "wfrun_a", "#tieout-end,1,1"], 1, Some(ListShortfall::Missing { orders: 1 })),
    ] {
        assert_eq!(of(lines), (rows, shortfall), "{lines:?}");
    }
}
