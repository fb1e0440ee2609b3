//! Rosters through the command line: real spreadsheets, large ones, and what is none.

use std::time::Duration;

use lab::{Engine, Lab, Node, Team, root, wait_until};
use rust_xlsxwriter::{Format, Workbook};

/// The longest that a node of one may take to use the newest rules.
const NEWEST_LIMIT: Duration = Duration::from_secs(20);

/// A workbook with so many people.
fn workbook(lab: &Lab, count: u32) -> String {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    sheet.write_row(1, 0, ["用户名", "工号"]).expect("headings");
    for row in 0..count {
        let name = format!("person{row}");
        // Numbers, and numbers that are stored as text.
        sheet.write(row + 2, 0, name).expect("a name");
        if row % 2 == 0 {
            sheet.write(row + 2, 1, 10_000 + row).expect("a number");
        } else {
            let number = (10_000 + row).to_string();
            sheet.write(row + 2, 1, number).expect("a text");
        }
    }
    let path = lab.path().join("large.xlsx");
    book.save(&path).expect("the lab can be written");
    path.to_str().unwrap_or_default().to_owned()
}

#[test]
fn fifty_thousand_rows_are_one_change_of_the_people() {
    let lab = Lab::new();
    let node = Node::start(&lab, &Engine::Process);
    node.apply(&Team::of_one(&lab, "crew").yaml()).ok();
    let roster = workbook(&lab, 50_000);
    let import = ["human", "import", &roster, "--team", "crew"];
    let put = node.ask(&import);
    assert_eq!(put["created"], 50_000, "{put:#}");
    let again = node.ask(&import);
    assert_eq!(again["unchanged"], 50_000, "{again:#}");
    let last = node.ask(&["human", "show", "person49999"]);
    assert_eq!(last["employee"], "59999", "{last:#}");
}

#[test]
fn real_spreadsheets_become_accounts_and_others_are_told_what_they_are() {
    let lab = Lab::new();
    let node = Node::start(&lab, &Engine::Process);
    node.apply(&Team::of_one(&lab, "crew").yaml()).ok();
    let kept = |name: &str| {
        let path = root().join("config/tests/rosters").join(name);
        path.to_str().unwrap_or_default().to_owned()
    };
    let import = |name: &str| node.domo(&["human", "import", &kept(name), "--team", "crew"]);
    for (name, why) in [
        ("password.xlsx", "protected with a password"),
        ("old.xls", "old .xls workbook"),
        ("opendocument.ods", "OpenDocument"),
        ("unworked-formula.xlsx", "cell B2"),
        ("no-such-file.xlsx", "cannot be read"),
    ] {
        let refused = import(name).refused();
        assert!(refused.stderr.contains(why), "{refused}");
    }
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    sheet
        .write_row(0, 0, ["Login", "Staff No"])
        .expect("headings");
    let plain = Format::new();
    sheet
        .merge_range(1, 0, 2, 0, "gus", &plain)
        .expect("merged cells");
    sheet.write(1, 1, 13).expect("a number");
    sheet.write(2, 1, 14).expect("a number");
    let merged = lab.path().join("merged.xlsx");
    book.save(&merged).expect("the lab can be written");
    let merged = merged.to_str().unwrap_or_default();
    let refused = node
        .domo(&["human", "import", merged, "--team", "crew"])
        .refused();
    assert!(
        refused
            .stderr
            .contains("of merged cells only the first one"),
        "{refused}"
    );
    let humans = node.ask(&["human", "list"]);
    assert_eq!(humans["humans"], serde_json::json!([]), "nobody was added");
    import("three-sheets.xlsx").ok();
    let same = import("libreoffice.xlsx").ok();
    assert!(same.stderr.contains("4 unchanged"), "{same}");
    import("worked-formula.xlsx").ok();
    let humans = node.ask(&["human", "list"]);
    assert_eq!(
        humans["humans"].as_array().map(Vec::len),
        Some(5),
        "{humans:#}"
    );
}

#[test]
fn a_roster_is_imported_whole_or_not_at_all() {
    let lab = Lab::new();
    let node = Node::start(&lab, &Engine::Process);
    node.apply(&Team::of_one(&lab, "crew").yaml()).ok();
    let bad = lab.file("bad.csv", "username,employee id\nann,1\nann,2\n");
    let bad = bad.to_str().unwrap_or_default().to_owned();
    let refused = node
        .domo(&["human", "import", &bad, "--team", "crew"])
        .refused();
    assert!(
        refused.stderr.contains("bad.csv:3:1: username `ann`"),
        "{refused}"
    );
    let good = lab.file("good.csv", "username,employee id\nann,1\nbo,2\n");
    let good = good.to_str().unwrap_or_default().to_owned();
    let import = ["human", "import", &good, "--team", "crew"];
    let dry = node.ask(&[&import[..], &["--dry-run"]].concat());
    assert_eq!(dry["new"], serde_json::json!(["ann", "bo"]), "{dry:#}");
    let secrets = lab.path().join("tokens.csv");
    let path = secrets.to_str().unwrap_or_default().to_owned();
    node.domo(&[&import[..], &["--secrets", &path]].concat())
        .ok();
    let tokens = std::fs::read_to_string(&secrets).unwrap_or_default();
    assert_eq!(tokens.lines().count(), 2, "{tokens}");
    assert!(tokens.starts_with("ann,domo-human-"), "{tokens}");
    let again = node
        .domo(&[&import[..], &["--secrets", &path]].concat())
        .refused();
    assert!(again.stderr.contains("tokens.csv"), "{again}");
    let same = node.ask(&[&import[..], &["--dry-run"]].concat());
    assert_eq!(
        same["unchanged"],
        serde_json::json!(["ann", "bo"]),
        "{same:#}"
    );
}

/// Waits until the cluster uses the newest rules.
fn newest(node: &Node) {
    wait_until(NEWEST_LIMIT, "the newest rules are used", || {
        let status = node.ask(&["status"]);
        match status["cluster"]["rules_version"].as_u64() {
            Some(version) if version == u64::from(rules::version::NEWEST) => Ok(()),
            _ => Err(format!("{status:#}")),
        }
    });
}

/// A node of two teams, a roster of the first one, and the token of its lead, Lea.
fn led(lab: &Lab) -> (Node, String, String) {
    let node = Node::start(lab, &Engine::Process);
    node.apply(&Team::of_one(lab, "crew").yaml()).ok();
    node.apply(&Team::of_one(lab, "other").yaml()).ok();
    newest(&node);
    node.domo(&["human", "add", "lea", "--employee", "1", "--lead", "crew"])
        .ok();
    node.domo(&["human", "add", "cy", "--employee", "3", "--lead", "other"])
        .ok();
    let roster = "username,employee id\nlea,1\nbo,2\ncy,3\ndan,4\n";
    let roster = lab.file("roster.csv", roster);
    let token = lab.path().join("lea.token");
    let text = |path: &std::path::Path| path.to_str().unwrap_or_default().to_owned();
    let (roster, token) = (text(&roster), text(&token));
    node.domo(&["human", "token", "lea", "--out", &token]).ok();
    (node, roster, token)
}

#[test]
fn a_lead_imports_their_whole_team_and_every_secret_that_they_may_make_is_made() {
    let lab = Lab::new();
    let (node, roster, token) = led(&lab);
    let lea = ["--token-file", &token, "human", "import", &roster];
    let lea = [&lea[..], &["--team", "crew"]].concat();
    let dry = node.ask(&[&lea[..], &["--dry-run"]].concat());
    assert_eq!(dry["new"], serde_json::json!(["bo", "dan"]), "{dry:#}");
    assert_eq!(dry["stay_leads"], serde_json::json!(["lea"]), "{dry:#}");
    let cy = serde_json::json!([{"name": "cy", "changes": ["role in crew: none → member"]}]);
    assert_eq!(dry["changed"], cy, "{dry:#}");
    // A first run whose answer was lost: the people are there, and nobody has their secrets.
    node.ask(&lea);
    let secrets = lab.path().join("tokens.csv");
    let path = secrets.to_str().unwrap_or_default().to_owned();
    let done = node.domo(&[&lea[..], &["--secrets", &path]].concat()).ok();
    assert!(done.stderr.contains("2 tokens are in"), "{done}");
    let tokens = std::fs::read_to_string(&secrets).unwrap_or_default();
    let lines: Vec<&str> = tokens.lines().collect();
    assert!(lines[0].starts_with("lea,,\"no right to"), "{tokens}");
    assert!(lines[1].starts_with("bo,domo-human-"), "{tokens}");
    assert!(lines[2].starts_with("cy,,\"no right to"), "{tokens}");
    assert!(lines[3].starts_with("dan,domo-human-"), "{tokens}");
    // Whoever may make the rest goes on where she ended.
    let rest = lab.path().join("rest.csv");
    let path = rest.to_str().unwrap_or_default().to_owned();
    let import = ["human", "import", &roster, "--team", "crew"];
    let done = node.domo(&[&import[..], &["--secrets", &path]].concat());
    assert!(done.stderr.contains("1 tokens are in"), "{done}");
    let tokens = std::fs::read_to_string(&rest).unwrap_or_default();
    assert!(
        tokens.contains("lea,,\"lea has a token already\""),
        "{tokens}"
    );
    assert!(tokens.contains("cy,domo-human-"), "{tokens}");
    let lea = node.ask(&["human", "show", "lea"]);
    assert_eq!(lea["roles"][0]["role"], "lead", "{lea:#}");
}

#[test]
fn a_dry_run_is_refused_for_what_the_real_one_would_be() {
    let lab = Lab::new();
    let (node, roster, token) = led(&lab);
    let both = |arguments: &[&str], why: &str| {
        for more in [&["--dry-run"][..], &[]] {
            let refused = node.domo(&[arguments, more].concat()).refused();
            assert!(refused.stderr.contains(why), "{refused}");
        }
    };
    let other = ["--token-file", &token, "human", "import", &roster];
    both(
        &[&other[..], &["--team", "other"]].concat(),
        "no right to create accounts and give roles in team other",
    );
    both(
        &["human", "import", &roster, "--team", "crows"],
        "no team crows",
    );
    for (name, text, why) in [
        ("reserved.csv", "manager,7\n", "manager is nobody's name"),
        (
            "twin.csv",
            "bo,002\nlea2,0001\n",
            "employee 0001 is lea (written 1), not lea2",
        ),
    ] {
        let file = lab.file(name, format!("username,employee id\n{text}"));
        let file = file.to_str().unwrap_or_default().to_owned();
        both(&["human", "import", &file, "--team", "crew"], why);
    }
    let humans = node.ask(&["human", "list"]);
    assert_eq!(
        humans["humans"].as_array().map(Vec::len),
        Some(2),
        "nobody was added: {humans:#}"
    );
}
