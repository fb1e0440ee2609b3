//! Rosters as organisations keep them: real spreadsheets, untidy ones, hostile ones.

use std::io::{Cursor, Write};
use std::path::PathBuf;

use config::roster::{Listed, MOST_PEOPLE, Roster, parse, read};
use proptest::prelude::*;
use rust_xlsxwriter::{ExcelDateTime, Format, Formula, Workbook};
use zip::write::{SimpleFileOptions, ZipWriter};

fn kept(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "rosters", name]
        .iter()
        .collect()
}

fn listed(username: &str, employee: &str, display: Option<&str>) -> Listed {
    Listed {
        username: username.to_owned(),
        employee: employee.to_owned(),
        display: display.map(str::to_owned),
    }
}

/// What is said about bytes that are no roster.
fn complaint(name: &str, bytes: &[u8]) -> String {
    let read: Result<Roster, _> = parse(name, bytes);
    read.expect_err("it is no roster").to_string()
}

fn complaint_of(name: &str) -> String {
    let read = read(&kept(name));
    read.expect_err("it is no roster").to_string()
}

fn csv(text: &str) -> Result<Roster, String> {
    parse("r.csv", text.as_bytes()).map_err(|mistakes| mistakes.to_string())
}

#[test]
fn people_of_a_real_workbook_are_found_on_every_visible_sheet_below_its_title() {
    for name in ["three-sheets.xlsx", "libreoffice.xlsx"] {
        let roster = read(&kept(name)).unwrap();
        let wanted = [
            listed("wang.xiaoming", "10001", Some("王小明")),
            listed("lilei", "00123", Some("李雷")),
            listed("han_meimei", "10003", Some("韩梅梅")),
            listed("bob", "C-77", None),
        ];
        assert_eq!(roster.people, wanted, "{name}");
        assert_eq!(roster.read, ["人员", "Contractors"]);
        assert!(roster.left[0].starts_with("说明: no column"), "{roster:?}");
        assert!(roster.left[1].contains("it is hidden"), "{roster:?}");
    }
}

#[test]
fn a_formula_counts_by_its_stored_value_and_is_refused_without_one() {
    let wrong = complaint_of("unworked-formula.xlsx");
    assert!(
        wrong.contains("sheet Sheet, cell B2: the employee id is a formula without a stored value"),
        "{wrong}"
    );
    let roster = read(&kept("worked-formula.xlsx")).unwrap();
    assert_eq!(roster.people, [listed("ann", "2", None)]);
}

#[test]
fn what_is_no_readable_spreadsheet_is_told_what_it_is() {
    for (name, wanted) in [
        ("password.xlsx", "protected with a password"),
        ("old.xls", "old .xls workbook"),
        (
            "opendocument.ods",
            "OpenDocument file: save it as .xlsx or as CSV",
        ),
    ] {
        let wrong = complaint_of(name);
        assert!(wrong.contains(wanted), "{wrong}");
    }
    for (bytes, wanted) in [
        (&b""[..], "the file is empty"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "no spreadsheet"),
        (b"  <HTML><table><tr><td>username", "a web page"),
        (b"PK\x03\x04nonsense", "damaged"),
        (b"hello, world\n", "no column of it has a heading"),
    ] {
        let wrong = complaint("roster.xlsx", bytes);
        assert!(wrong.contains(wanted), "{wrong}");
    }
    let wrong = complaint_of("no-such-file.xlsx");
    assert!(wrong.contains("cannot be read"), "{wrong}");
}

#[test]
fn every_bad_row_is_named_by_sheet_and_cell() {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet().set_name("Team A").unwrap();
    let date = ExcelDateTime::from_ymd(2026, 5, 4).unwrap();
    let as_date = Format::new().set_num_format("yyyy-mm-dd");
    sheet
        .write_row(2, 1, ["Login", "Staff No", "Full name"])
        .unwrap();
    sheet.write_row(3, 1, ["ann", "1", "Ann"]).unwrap();
    sheet.write_row(4, 1, ["ann", "2"]).unwrap();
    sheet.write_row(5, 1, ["bea", "001"]).unwrap();
    sheet.write_row(6, 1, ["cy@example.org", "4"]).unwrap();
    sheet.write(7, 1, "dan").unwrap();
    sheet.write_row(8, 1, ["eve", ""]).unwrap();
    sheet.write_with_format(8, 2, &date, &as_date).unwrap();
    sheet.write(9, 1, "fay").unwrap().write(9, 2, 1.5).unwrap();
    sheet.write(10, 3, "Nobody").unwrap();
    sheet.write(11, 1, true).unwrap().write(11, 2, 12).unwrap();
    sheet
        .merge_range(12, 1, 13, 1, "gus", &Format::new())
        .unwrap();
    sheet.write(12, 2, 13).unwrap().write(13, 2, 14).unwrap();
    let bytes = book.save_to_buffer().unwrap();
    let wrong = complaint("r.xlsx", &bytes);
    let lines: Vec<&str> = wrong.lines().collect();
    for (line, (cell, what)) in [
        (
            "B5",
            "username `ann` (first in r.xlsx, sheet Team A, cell B4) stands twice",
        ),
        (
            "C6",
            "employee id `001` (first in r.xlsx, sheet Team A, cell C4, written `1`) stands twice",
        ),
        ("B7", "it is an address"),
        ("C8", "the employee id is missing"),
        ("C9", "is a date or a time"),
        ("C10", "no whole one"),
        ("B11", "the username is missing"),
        ("C11", "the employee id is missing"),
        ("B12", "is true or false"),
        ("B14", "of merged cells only the first one has the value"),
    ]
    .into_iter()
    .enumerate()
    {
        let place = format!("r.xlsx, sheet Team A, cell {cell}: ");
        assert!(lines[line].starts_with(&place), "{line}: {wrong}");
        assert!(lines[line].contains(what), "{line}: {wrong}");
    }
    assert_eq!(lines.len(), 10, "{wrong}");
}

#[test]
fn a_formula_may_give_the_username() {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    sheet.write_row(0, 0, ["username", "employee id"]).unwrap();
    let formula = Formula::new("=LOWER(\"ANN\")").set_result("ann");
    sheet.write(1, 0, formula).unwrap().write(1, 1, 7).unwrap();
    let roster = parse("r.xlsx", &book.save_to_buffer().unwrap()).unwrap();
    assert_eq!(roster.people, [listed("ann", "7", None)]);
}

#[test]
fn one_column_alone_or_two_of_a_kind_are_told_apart() {
    let wrong = csv("username,department\nann,sre\n").unwrap_err();
    assert!(
        wrong.contains(
            "the column of the username is there (r.csv:1:1), but none of the employee id"
        ),
        "{wrong}"
    );
    let wrong = csv("username,login,employee id\nann,a,1\n").unwrap_err();
    assert!(
        wrong.contains("r.csv:1:2: this column and column A both look like the username"),
        "{wrong}"
    );
    let wrong = csv("username,employee id\n\n").unwrap_err();
    assert!(wrong.contains("nobody below the headings"), "{wrong}");
}

#[test]
fn csv_is_read_in_the_encodings_and_with_the_delimiters_of_spreadsheet_programs() {
    let people = [listed("wang", "007", Some("王"))];
    let text = "姓名;工号;账号\r\n\"王\"; 007 ;Wang\r\n";
    let utf16: Vec<u8> = "\u{feff}姓名\t工号\t账号\n王\t007\twang\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let (gbk, _, _) = encoding_rs::GBK.encode(text);
    for bytes in [
        text.as_bytes(),
        format!("\u{feff}{text}").as_bytes(),
        &format!("sep=;\n名册\n\n{text}").into_bytes(),
        &utf16,
        &gbk,
    ] {
        let roster = parse("r.csv", bytes).unwrap();
        assert_eq!(roster.people, people);
    }
    let latin = b"username,employee id,name\nmueller,1,M\xfcller\n";
    let wrong = complaint("r.csv", latin);
    assert!(wrong.contains("is not UTF-8"), "{wrong}");
}

#[test]
fn a_number_that_was_rounded_and_a_lost_quotation_mark_are_noticed() {
    let wrong = csv("username,employee id\nann,1.23457E+14\n").unwrap_err();
    assert!(wrong.contains("r.csv:2:2"), "{wrong}");
    assert!(wrong.contains("has rounded it"), "{wrong}");
    let wrong = csv("username,employee id,name\nann,1,\"Ann\nbea,2,Bea\n").unwrap_err();
    assert!(wrong.contains("is a quotation mark missing?"), "{wrong}");
}

#[test]
fn headings_that_stand_again_and_rows_of_other_things_are_passed_over() {
    let roster =
        csv("employee no,account,team\n1,ann,x\n,,\n,,sum\nEmployee No,Account,team\n2,bea,y\n")
            .unwrap();
    assert_eq!(
        roster.people,
        [listed("ann", "1", None), listed("bea", "2", None)]
    );
}

#[test]
fn mistakes_and_people_are_bounded() {
    let rows = |count: usize, row: fn(usize) -> String| {
        let rows: Vec<String> = (0..count).map(row).collect();
        format!("username,employee id\n{}", rows.concat())
    };
    let wrong = csv(&rows(1_000, |row| format!("a b,{row}\n"))).unwrap_err();
    assert_eq!(wrong.lines().count(), 50, "{wrong}");
    let many = rows(MOST_PEOPLE + 1, |row| format!("u{row},{row}x\n"));
    let wrong = csv(&many).unwrap_err();
    assert!(
        wrong.contains("the number of people of a roster is larger than 50000"),
        "{wrong}"
    );
}

#[test]
fn fifty_thousand_people_are_read_whole() {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    sheet.write_row(0, 0, ["工号", "用户名", "部门"]).unwrap();
    for row in 1..=50_000 {
        sheet.write(row, 0, row).unwrap();
        sheet.write(row, 1, format!("user{row}")).unwrap();
        sheet.write(row, 2, "SRE").unwrap();
    }
    let roster = parse("r.xlsx", &book.save_to_buffer().unwrap()).unwrap();
    assert_eq!(roster.people.len(), 50_000);
    assert_eq!(roster.people[49_999], listed("user50000", "50000", None));
}

/// A workbook of these parts.
fn packed(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in parts {
        writer
            .start_file(*name, SimpleFileOptions::default())
            .expect("memory takes it");
        writer.write_all(bytes).expect("memory takes it");
    }
    writer.finish().expect("memory takes it").into_inner()
}

#[test]
fn a_file_that_unpacks_to_more_than_it_may_is_refused_before_it_is_read() {
    let zeros = vec![b' '; 70 << 20];
    let bytes = packed(&[
        ("xl/workbook.xml", b"<workbook/>"),
        ("a", &zeros),
        ("b", &zeros),
    ]);
    assert!(bytes.len() < 1 << 20);
    let wrong = complaint("bomb.xlsx", &bytes);
    assert!(wrong.contains("unpacked, is larger than 128MiB"), "{wrong}");
}

#[test]
fn a_file_that_promises_more_than_it_has_is_refused() {
    let bytes = packed(&[
        ("xl/workbook.xml", b"<workbook/>"),
        (
            "xl/sharedStrings.xml",
            b"<sst uniqueCount=\"1099511627776\"><si><t>a</t></si></sst>",
        ),
    ]);
    let wrong = complaint("liar.xlsx", &bytes);
    assert!(
        wrong.contains("promises more strings than it has bytes"),
        "{wrong}"
    );
}

#[test]
fn a_cell_in_the_last_corner_of_a_sheet_costs_nothing() {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    sheet.write_row(0, 0, ["username", "employee id"]).unwrap();
    sheet.write_row(1, 0, ["ann", "1"]).unwrap();
    sheet.write(1_048_575, 16_383, "far away").unwrap();
    let roster = parse("r.xlsx", &book.save_to_buffer().unwrap()).unwrap();
    assert_eq!(roster.people, [listed("ann", "1", None)]);
}

#[test]
fn what_a_file_says_cannot_write_to_the_terminal() {
    let wrong = csv("username,employee id\nan\u{1b}[2Jn,1\n").unwrap_err();
    assert!(wrong.contains("an\\u{1b}[2Jn"), "{wrong}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_bytes_make_it_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..400), kind in 0_usize..3) {
        let mark: &[u8] = [&b"PK\x03\x04"[..], b"\xd0\xcf\x11\xe0", b"username,employee id\n"][kind];
        bytes.splice(0..0, mark.iter().copied());
        drop(parse("r", &bytes));
    }

    #[test]
    fn a_damaged_workbook_is_refused_or_read(spots in prop::collection::vec((0_usize..8_000, any::<u8>()), 1..12)) {
        let mut bytes = std::fs::read(kept("three-sheets.xlsx")).unwrap();
        for (at, byte) in spots {
            let at = at % bytes.len();
            bytes[at] = byte;
        }
        drop(parse("r.xlsx", &bytes));
    }

    #[test]
    fn a_workbook_with_damaged_cells_is_refused_or_read(sheet in "(<(row|c|v|f|is|t|sheetData)( (r|t|s|ref|si)=\"[A-Z0-9:a-z]{0,6}\"){0,2}/?>|</(row|c|v|f|sheetData)>|[0-9a-z]{1,4}){0,40}") {
        let sheet = format!("<worksheet><sheetData>{sheet}</sheetData></worksheet>");
        let bytes = packed(&[
            ("xl/workbook.xml", b"<workbook xmlns:r=\"r\"><sheets><sheet name=\"a\" sheetId=\"1\" r:id=\"x\"/></sheets></workbook>"),
            ("xl/_rels/workbook.xml.rels", b"<Relationships><Relationship Id=\"x\" Type=\"worksheet\" Target=\"worksheets/a.xml\"/></Relationships>"),
            ("xl/worksheets/a.xml", sheet.as_bytes()),
        ]);
        drop(parse("r.xlsx", &bytes));
    }
}
