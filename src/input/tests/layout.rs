//! The records above and below the rows, and what spreadsheets put around cells.

use super::*;

/// The rows, and then the number of preamble records, the heading's line and the number of footers.
fn layout(case: &Case) -> (Vec<String>, (u64, Option<u64>, u64)) {
    let rows = case.rows();
    let input = case.open().unwrap();
    let InputLayout { records, preamble, heading_line, footers, .. } = *input.layout();
    assert_eq!(records, preamble + u64::from(heading_line.is_some()) + input.rows() + footers);
    (rows, (preamble, heading_line, footers))
}

#[test]
fn a_first_row_is_never_taken_for_a_heading() {
    for (text, rows) in [
        ("=\"wfrun_b\"\nwfrun_a", vec!["1 wfrun_b", "2 wfrun_a"]),
        ("WFRUN_X\nwfrun_a", vec!["1 WFRUN_X", "2 wfrun_a"]),
        ("\u{200b}wfrun_b\nwfrun_a", vec!["1 wfrun_b", "2 wfrun_a"]),
        ("'wfrun_b\nwfrun_a", vec!["1 wfrun_b", "2 wfrun_a"]),
        ("x wfrun_b\nwfrun_a", vec!["1 bad-character(x wfrun_b)", "2 wfrun_a"]),
        ("1,wfrun_b\n2,wfrun_a", vec!["1 wfrun_b", "2 wfrun_a"]),
        ("\"\"\nwfrun_a", vec!["1 empty-id()", "2 wfrun_a"]),
    ] {
        assert_eq!(Case::new(text).rows(), rows, "{text:?}");
    }
    let is_asked = |case: Case, line: u64| {
        let error = case.error();
        assert!(error.contains(&format!("line {line} (`")) && error.contains("--no-header"), "{error}");
    };
    is_asked(Case::new("run_0001\nrun_0002"), 1);
    is_asked(Case::new("2026-05-01,run_0001\n2026-05-01,run_0002").column("2"), 1);
    is_asked(Case::new("wfrun_id,final_amount\nwfrun_a,1").book(Field::Final, "final_amount"), 1);
    is_asked(Case::new("wfrun_id,x\nwfrun_a,1"), 1);
    is_asked(Case::new("run_0001\nrun_order_id\nwfrun_a"), 1);
    assert_eq!(
        Case::new("n,order\n1,wfrun_a").column("2").rows(),
        ["2 wfrun_a"],
        "the summary names the guessed heading"
    );
    assert_eq!(
        Case::new("n,2\n1,wfrun_a").column("2").rows(),
        ["2 wfrun_a"],
        "a heading equal to --column is accepted"
    );
    is_asked(Case::new("n,run_1\n1,wfrun_a").column("2"), 1);
    assert_eq!(Case::new("run_0001\nrun_0002").no_header().rows(), ["1 run_0001", "2 run_0002"]);
    assert_eq!(Case::new("run_0001\nrun_order_id\nwfrun_a").heading(2).rows(), ["3 wfrun_a"]);
    assert_eq!(Case::new("wfrun_id,x\nwfrun_a,1").heading(1).column("wfrun_id").rows(), ["2 wfrun_a"]);
    assert!(Case::new("run_order_id\nwfrun_a").heading(7).error().contains("no record on line 7"));
}

#[test]
fn preamble_and_footers_are_not_rows() {
    let text = "辰羽账单明细\n导出时间：2026-06-01 09:00:00\n\n金额,run_order_id\n0.2,wfrun_a\n0.3,wfrun_b\n0.5,合计\n";
    assert_eq!(layout(&Case::new(text)), (vec!["5 wfrun_a".into(), "6 wfrun_b".into()], (2, Some(4), 1)));
    let bounds = |text: &str| layout(&Case::new(text)).1;
    assert_eq!(bounds("# 账单;导出\n订单;run_order_id\n1;wfrun_a\n小计;\n--------\n共1笔\n#导出\n"), (1, Some(2), 4));
    assert_eq!(bounds("run_order_id\nwfrun_a\nTotal"), (0, Some(1), 1));
    assert_eq!(bounds("run_order_id\nTotal"), (0, Some(1), 1));
    assert_eq!(bounds("日期,run_order_id,金额\n1,wfrun_a,2\n合计,,2"), (0, Some(1), 1));
    assert_eq!(bounds("run_order_id\nTotal\nwfrun_a"), (0, Some(1), 0), "with a row below it, it is a row");
    assert_eq!(Case::new("run_order_id\nTotal\nwfrun_a\n").rows(), ["2 subtotal(Total)", "3 wfrun_a"]);
    assert_eq!(bounds("wfrun_a\nwfrun_b\n合计"), (0, None, 1));
    // The heading must be one of the first 50 records.
    let above = "说明 \n".repeat(49);
    assert_eq!(bounds(&format!("{above}run_order_id\nwfrun_a")), (49, Some(50), 0));
    let (rows, found) = layout(&Case::new(format!("{above}说明 \nrun_order_id\nwfrun_a")));
    assert_eq!(
        (rows.len(), found),
        (51, (0, Some(1), 0)),
        "the first record is taken for the heading, and the rest are rows"
    );
}

#[test]
fn a_list_has_its_own_footer() {
    let heading = crate::domain::listed::LIST_COLUMNS.join(",");
    assert_eq!(layout(&Case::new(format!("{heading}\nwfrun_a,,,,,,,\n#tieout-end,1,0\n"))).1, (0, Some(1), 1));
}

#[test]
fn a_line_that_names_the_delimiter_is_not_a_row() {
    for (text, rows) in [
        ("sep=;\nn;run_order_id\n1;a,b", vec!["3 a,b"]),
        ("\"sep=,\"\nrun_order_id,n\na;b,1", vec!["3 a;b"]),
        ("sep=\t\nrun_order_id\tn\na;b,c\t1", vec!["3 a;b,c"]),
        ("sep=;\nwfrun_a;1\nwfrun_b;2", vec!["2 wfrun_a", "3 wfrun_b"]),
    ] {
        assert_eq!(layout(&Case::new(text)).0, rows, "{text:?}");
        assert_eq!(layout(&Case::new(text)).1.0, 1);
    }
    assert_eq!(Case::new("sep=;\nn;订单\n1;a").column("2").rows(), ["3 a"]);
}

#[test]
fn placeholders_and_repeated_headings_are_rejected() {
    for cell in ["NULL", "\\N", "None", "nan", "N/A", "#N/A", "#REF!", "-", "null", "", "=\"\"", "'"] {
        let rows = Case::new(format!("run_order_id\nwfrun_a\n{cell},\nwfrun_b")).rows();
        assert!(rows.len() == 3 && rows[1].starts_with("3 empty-id("), "{cell:?}: {rows:?}");
    }
    let rows = Case::new("RUN_ORDER_ID,n\nwfrun_a,1\nrun_order_id,n\nwfrun_b,2").rows();
    assert_eq!(rows, ["2 wfrun_a", "3 repeated-heading(run_order_id)", "4 wfrun_b"]);
}

#[test]
fn what_spreadsheets_put_around_an_id_is_removed() {
    let text = "\u{200b}run_order_id\u{feff},n\n\"=\"\"a\"\"\",1\n'b,2\n`c,3\n\td\t,4\n\u{feff}e\u{200b},5\n=\"a\",6\n";
    assert_eq!(Case::new(text).rows(), ["2 a", "3 b", "4 c", "5 d", "6 e", "7 a as 2"]);
}

#[test]
fn no_order_is_left_out_above_below_or_in_the_heading() {
    const A: &str = "wfrun_314ff7d8b7a5beff1388";
    const C: &str = "wfrun_2779b7552adbffeb2949";
    let is_refused = |text: String, what: &str| {
        let error = Case::new(&text).error();
        assert!(error.contains(what), "{text:?}: {error}");
    };
    for above in
        [format!("支付宝,{C},0.5"), format!("订单 {C}"), format!("编号,{C}"), format!("客户,{}", C.to_uppercase())]
    {
        is_refused(format!("{above}\nrun_order_id,amount\n{A},1\n"), "line 1 (");
    }
    let remarks: String = (0..12).map(|n| format!("说明{n} a,\n")).collect();
    is_refused(format!("{remarks}客户,{C}\nrun_order_id,amount\n{A},1\n"), "line 13 (");
    is_refused(format!("run_order_id,{C}\n{A},1\n"), "line 1 (");
    is_refused(format!("{C},订单号\n{A},{C}\n"), "line 1 (");
    for (text, line) in [(format!("{A}\n{C}\n"), 1), (format!("run_order_id,n\n{A},1\n{C},2\n{C},3\n"), 3)] {
        let error = Case::new(&text).heading(line).column("1").error();
        assert!(error.contains("holds an order"), "{text:?}: {error}");
    }
    for below in ["x,合计,{C}", "Total {C},,5", "Total Oil,#N/A,12.5", "Total Gas,,7", "# {C},,"] {
        let below = below.replace("{C}", &C.to_uppercase());
        let rows = Case::new(format!("client,run_order_id,amount\nAcme,{A},1\n{below}\n")).rows();
        assert_eq!(rows.len(), 2, "{below}: {rows:?}");
    }
    assert_eq!(Case::new(format!("run_order_id\n{A}\n---\n")).rows().len(), 2, "a placeholder is not a footer");
    assert_eq!(Case::new(format!("run_order_id\n{A}\n#----------------\n")).rows().len(), 1);
    let many = "# 注\n".repeat(51);
    assert_eq!(Case::new(format!("run_order_id\n{A}\n{many}")).rows().len(), 52, "more than 50 footers are rows");
    assert_eq!(Case::new(format!("#N/A\n{A}\n")).rows(), ["1 empty-id(#N/A)".to_owned(), format!("2 {A}")]);
    assert_eq!(Case::new(format!(",5\n{A},1\n")).column("1").rows()[0], "1 empty-id()");
    assert_eq!(Case::new(format!("ｗｆｒｕｎ＿2779\n{A}\n")).rows().len(), 2);
    is_refused(format!("run_order_id,note\n{A},\"open\n{C},x\nwfrun_1,\"\n"), "swallowing the rows between");
}

#[test]
fn the_id_column_is_the_one_that_has_ids() {
    assert_eq!(Case::new("order_id,运行订单ID\nSO-1,wfrun_a").rows(), ["2 wfrun_a"]);
    let error = Case::new("订单号,平台运行单号\n2026,wfrun_a").error();
    assert!(error.contains("column 1 (`订单号`)") && error.contains("column 2 (`平台运行单号`)"), "{error}");
    assert_eq!(Case::new("订单号,平台运行单号\n2026,wfrun_a").column("订单号").rows(), ["2 2026"]);
    assert_eq!(Case::new("订单号,备注\n2026,x").rows(), ["2 2026"], "if no cell looks like an ID, the heading decides");
}

#[test]
fn a_last_row_that_is_cut_off_is_noticed() {
    let cut = |text: &str| Case::new(text).open().unwrap().layout().cut_line;
    assert_eq!(cut("run_order_id,n,m\nwfrun_a,1,2\nwfrun_b,1"), Some(3));
    assert_eq!(cut("run_order_id,n,m\nwfrun_a,1,2\nwfrun_b,1\n"), None);
    assert_eq!(cut("run_order_id,n,m\nwfrun_a,1,2\nwfrun_b,1,2"), None);
    assert_eq!(cut("run_order_id,n,m\nwfrun_a\nwfrun_b,1,2"), None);
}

#[test]
fn files_that_are_not_tables_are_named() {
    for (text, what) in [("<html>", "HTML"), ("{\n \"code\": 500}", "JSON"), ("PK\u{3}\u{4}", "a ZIP archive")] {
        assert!(Case::new(text).error().contains(&format!("this is {what}")), "{text}");
        assert!(Case::new(gz(text.as_bytes())).error().contains(&format!("this is {what}")), "{text}");
    }
}

proptest! {
    #[test]
    fn every_record_is_accounted_for(
        records in proptest::collection::vec(
            prop_oneof![
                Just("run_order_id,金额".to_owned()), Just("合计,1".to_owned()), Just("#remark".to_owned()), Just("-----".to_owned()),
                Just("sep=,".to_owned()), Just("账单".to_owned()), Just(",".to_owned()), Just("NULL,1".to_owned()),
                "wfrun_[a-c],[0-9]{0,2}", "[ -~&&[^\"]]{1,8}",
            ], 0..12),
        heading in proptest::option::of(1_u64..4),
        no_header in any::<bool>(),
        ends in any::<bool>(),
    ) {
        let text = records.join("\n") + if ends { "\n" } else { "" };
        let mut case = Case::new(&text);
        (case.options.heading, case.options.no_header) = (heading, no_header);
        if let Ok(input) = case.open() {
            let rows = input.read().unwrap().filter(|row| row.is_ok()).count() as u64;
            let layout = input.layout();
            let all = layout.preamble + u64::from(layout.heading_line.is_some()) + rows + layout.footers;
            // Counted in a different way than the reader does.
            let lines = records.iter().filter(|record| !record.is_empty()).count() as u64;
            prop_assert_eq!((all, layout.records, input.rows()), (lines, lines, rows), "{:?}", text);
            let asked = input.read().unwrap().filter_map(|row| match row.unwrap().entry {
                Entry::Order(id) | Entry::Duplicate { id, .. } => Some(id.to_string()),
                Entry::Rejected { .. } => None,
            });
            for id in asked {
                prop_assert!(!["run_order_id", "NULL", "合计"].contains(&id.as_str()));
            }
        }
    }
}
