//! What a person meets who writes documents: what is read, and what each mistake says.

#![expect(
    clippy::unwrap_used,
    reason = "a test says what it expects by unwrapping"
)]

use config::document::{Bundle, Document, Known, Loaded, Source, Worker, load};
use config::mistake::Mistakes;

const KNOWN: Known<'_> = Known {
    kernels: &["cli", "acp"],
};

const SKILL: &str = "---\nname: disk\ndescription: Looks at disks.\n---\n# Disk\n";

/// Reads one file of documents beside a SOUL and a skill.
fn read(text: &str) -> Result<Loaded, Mistakes> {
    read_with(text, &[])
}

fn read_with(text: &str, files: &[(&str, &[u8])]) -> Result<Loaded, Mistakes> {
    let mut bundle = Bundle {
        documents: vec!["t.yaml".to_owned()],
        ..Bundle::default()
    };
    let beside: [(&str, &[u8]); 3] = [
        ("t.yaml", text.as_bytes()),
        ("souls/disk.md", b"I look at disks.\n"),
        ("skills/disk/SKILL.md", SKILL.as_bytes()),
    ];
    for (path, bytes) in beside.iter().chain(files) {
        bundle.files.insert((*path).to_owned(), (*bytes).into());
    }
    load(Source::Bundle(&bundle), &KNOWN)
}

fn complaint(text: &str) -> String {
    read(text).unwrap_err().to_string()
}

fn one_worker(text: &str) -> Worker {
    match &read(text).unwrap().documents[0].document {
        Document::Worker(worker) => worker.clone(),
        Document::Team(_) | Document::Playbook(_) => panic!("no worker: {text}"),
    }
}

const WORKER: &str = "kind: worker\nname: disk\nteam: sre\ncommand: [df]\n";

#[test]
fn the_least_of_each_kind_is_read() {
    let text = "\
kind: team
name: sre
butler: {name: sre-bot}
---
kind: worker
name: disk
team: sre
command: [df]
---
kind: playbook
name: look
team: sre
stages: [{name: a, skill: disk}]
";
    let loaded = read(text).unwrap();
    let read: Vec<String> = loaded
        .documents
        .iter()
        .map(|placed| {
            let document = &placed.document;
            format!(
                "{} {} {} {}",
                placed.place,
                document.kind(),
                document.name(),
                document.team()
            )
        })
        .collect();
    assert_eq!(
        read,
        [
            "t.yaml:1:1 (document 1) team sre sre",
            "t.yaml:5:1 (document 2) worker disk sre",
            "t.yaml:10:1 (document 3) playbook look sre",
        ]
    );
}

#[test]
fn a_worker_with_everything_is_read() {
    let worker = one_worker(
        "\
kind: worker
name: disk
team: sre
kernel: acp
command: [hermes, acp]
soul: souls/disk.md
skills: [skills/disk/]
image: registry.local:5000/hermes:1.0
parallel: 2
limits: {cpu: 0.5, memory: 256MiB, pids: 64, output: 16MiB, wall: 1h30m}
idle_after: 10m
env: {LOG_LEVEL: info, ON: yes, N: 1}
labels: {zone: a}
",
    );
    assert_eq!(worker.agent.kernel, "acp");
    assert_eq!(worker.agent.command, ["hermes", "acp"]);
    assert_eq!(worker.soul.unwrap().text, "I look at disks.\n");
    assert_eq!(worker.skills[0].name.as_str(), "disk");
    assert_eq!(worker.skills[0].description, "Looks at disks.");
    assert_eq!(worker.skills[0].files["SKILL.md"][..], *SKILL.as_bytes());
    assert_eq!(worker.parallel, 2);
    assert_eq!(worker.agent.limits.cpu_millis, Some(500));
    assert_eq!(worker.agent.limits.memory_bytes, Some(256 << 20));
    assert_eq!(worker.agent.limits.pids, Some(64));
    assert_eq!(worker.agent.limits.output_bytes, Some(16 << 20));
    assert_eq!(worker.agent.limits.wall_ms, Some(5_400_000));
    assert_eq!(worker.agent.idle_after_ms, Some(600_000));
    assert_eq!(worker.agent.env["ON"], "yes");
    assert_eq!(worker.agent.env["N"], "1");
    assert_eq!(worker.labels.values().next().unwrap(), "a");
}

#[test]
fn a_worker_that_says_little_runs_any_program_in_an_empty_image() {
    let worker = one_worker(WORKER);
    assert_eq!(worker.agent.kernel, "cli");
    assert_eq!(worker.agent.image, "scratch");
    assert_eq!(worker.parallel, 1);
    assert_eq!(
        worker.agent.limits,
        config::document::AgentLimits::default()
    );
}

#[test]
fn a_kernel_that_knows_its_program_needs_no_command() {
    assert!(read("kind: worker\nname: a\nteam: b\nkernel: acp\n").is_ok());
    assert_eq!(
        complaint("kind: worker\nname: a\nteam: b\n"),
        "t.yaml:1:1 (document 1): `command` is missing in worker `a`"
    );
}

#[test]
fn a_butler_has_an_agent_only_where_it_says_so() {
    let butler = |text: &str| {
        let text = format!("kind: team\nname: sre\nbutler: {{name: bot{text}}}\n");
        match &read(&text).unwrap().documents[0].document {
            Document::Team(team) => team.butler.clone(),
            Document::Worker(_) | Document::Playbook(_) => panic!("no team"),
        }
    };
    assert_eq!(butler("").agent, None);
    assert_eq!(butler(", command: [plan]").agent.unwrap().command, ["plan"]);
    let message = complaint("kind: team\nname: sre\nbutler: {name: bot, image: x}\n");
    assert!(
        message.ends_with("`command` is missing in butler"),
        "{message}"
    );
}

#[test]
fn an_unknown_key_names_the_nearest_known_one_with_its_place() {
    assert_eq!(
        complaint(&format!("---\n{WORKER}---\n{WORKER}  \nskils: [x]\n").replacen("disk", "d2", 1)),
        "t.yaml:12:1 (document 2): unknown key `skils` in worker `disk`; did you mean `skills`?"
    );
    assert_eq!(
        complaint("kind: team\nname: sre\nbutler: {nam: x}\n"),
        "t.yaml:3:9 (document 1): `name` is missing in butler\n\
         t.yaml:3:10 (document 1): unknown key `nam` in butler; did you mean `name`?"
    );
    assert_eq!(
        complaint(&format!("{WORKER}limits: {{mem: 1GiB}}\n")),
        "t.yaml:5:10 (document 1): unknown key `mem` in limits; did you mean `memory`?"
    );
}

#[test]
fn an_unknown_word_names_the_nearest_known_one() {
    assert_eq!(
        complaint("kind: worke\nname: x\n"),
        "t.yaml:1:7 (document 1): `kind` is `worke`; \
         allowed: team, worker, playbook; did you mean `worker`?"
    );
    let message = complaint(&format!("{WORKER}kernel: ckli\n"));
    assert!(
        message.contains("allowed: cli, acp; did you mean `cli`?"),
        "{message}"
    );
}

#[test]
fn kinds_of_a_later_release_are_refused_by_their_names() {
    for kind in ["human", "schedule"] {
        let message = complaint(&format!("kind: {kind}\nname: x\n"));
        assert!(
            message.ends_with(&format!("this release does not know `kind: {kind}` yet")),
            "{message}"
        );
    }
}

#[test]
fn names_are_checked() {
    assert_eq!(
        complaint("kind: worker\nname: Disk One\nteam: sre\ncommand: [df]\n"),
        "t.yaml:2:7 (document 1): `name` is `Disk One`; \
         a name has lower-case letters, digits and `-`, not `D`"
    );
}

#[test]
fn measures_without_unit_and_out_of_range_are_refused() {
    let message = complaint(&format!("{WORKER}limits: {{memory: 512}}\n"));
    assert!(
        message.contains("`memory` is `512`; the unit is missing"),
        "{message}"
    );
    let message = complaint(&format!("{WORKER}limits: {{wall: 30d}}\n"));
    assert!(
        message.contains("`wall` is `30d`; allowed: 1s to 7d"),
        "{message}"
    );
    let message = complaint(&format!("{WORKER}parallel: \"2\"\n"));
    assert!(
        message.contains("must be a whole number, not the text \"2\""),
        "{message}"
    );
    let message = complaint(&format!("{WORKER}parallel: 0\n"));
    assert!(
        message.contains("`parallel` is `0`; allowed: 1 to 10000"),
        "{message}"
    );
}

#[test]
fn a_value_of_another_type_is_named() {
    let message = complaint("kind: team\nname: sre\nbutler: bot\n");
    assert!(
        message.contains("`butler` must be a map of keys and values, not `bot`"),
        "{message}"
    );
    let message = complaint("kind: worker\nname: [a]\nteam: sre\ncommand: df -h\n");
    assert!(
        message.contains("`name` must be a name, not a list"),
        "{message}"
    );
    assert!(
        message.contains("`command` must be a list, not `df -h`"),
        "{message}"
    );
    let message = complaint("- kind: worker\n");
    assert!(
        message.contains("`the document` must be a map"),
        "{message}"
    );
}

#[test]
fn a_key_without_a_value_is_asked_for_one() {
    let message = complaint(&format!("{WORKER}soul:\nenv: ~\n"));
    assert!(
        message.contains("`soul` is empty: give a value or remove the key"),
        "{message}"
    );
    assert!(message.contains("`env` is empty"), "{message}");
}

#[test]
fn variables_of_majordomo_itself_are_refused() {
    let message = complaint(&format!("{WORKER}env: {{DOMO_X: a, \"A B\": c}}\n"));
    assert!(
        message.contains("variables that begin with DOMO_ are majordomo's own"),
        "{message}"
    );
    assert!(
        message.contains("a variable is called like LOG_LEVEL"),
        "{message}"
    );
}

#[test]
fn the_same_document_twice_is_refused() {
    let message = complaint(&format!("{WORKER}---\n{WORKER}"));
    assert!(
        message.ends_with("(document 2): the worker `disk` of team `sre` stands twice"),
        "{message}"
    );
}

#[test]
fn all_mistakes_of_a_run_are_told_and_bounded() {
    let mistakes = read("kind: team\nname: A\nbutler: 1\nx: 1\n---\nkind: x\n").unwrap_err();
    assert_eq!(mistakes.kept().len(), 4, "{mistakes}");
    let many = "kind: x\n---\n".repeat(1000);
    let mistakes = read(&many).unwrap_err();
    assert_eq!(mistakes.kept().len(), config::mistake::MOST_MISTAKES);
}

#[test]
fn an_image_that_could_be_a_flag_is_refused() {
    let message = complaint(&format!("{WORKER}image: --privileged\n"));
    assert!(
        message.contains("an image is written like registry/path/name:tag"),
        "{message}"
    );
}

#[test]
fn what_the_header_of_each_kind_shows_is_read() {
    let skill = |name: &str| format!("---\nname: {name}\ndescription: What it does.\n---\n");
    let (butler, worker) = (skill("sre-bot"), skill("instance-status"));
    let files: [(&str, &[u8]); 4] = [
        ("souls/sre-bot.md", b"x"),
        ("skills/sre-bot/SKILL.md", butler.as_bytes()),
        ("souls/instance-status.md", b"x"),
        ("skills/instance-status/SKILL.md", worker.as_bytes()),
    ];
    for source in [
        include_str!("../src/document/team.rs"),
        include_str!("../src/document/worker.rs"),
        include_str!("../src/document/playbook.rs"),
    ] {
        let text = yaml_of_header(source).replace("[other-stage]", "[]");
        let loaded = read_with(&text, &files);
        assert_eq!(loaded.map(|loaded| loaded.documents.len()), Ok(1), "{text}");
    }
}

/// The YAML in the header of a kind's file.
fn yaml_of_header(source: &str) -> String {
    let lines = source
        .lines()
        .skip_while(|line| *line != "//! ```yaml")
        .skip(1);
    let lines = lines.take_while(|line| *line != "//! ```");
    let lines: Vec<&str> = lines
        .map(|line| line.strip_prefix("//! ").unwrap_or_default())
        .collect();
    lines.join("\n")
}
