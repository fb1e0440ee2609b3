//! The example that is compiled in: whole, readable, and the same from the folder.

#![expect(
    clippy::unwrap_used,
    reason = "a test says what it expects by unwrapping"
)]

use std::path::{Path, PathBuf};

use config::document::{Document, Doer, Known, Loaded, Source, load};
use config::examples::{SRE_ATTACHMENT, sre, sre_bundle};

const KNOWN: Known<'_> = Known { kernels: &["cli"] };

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/sre")
}

fn documents(loaded: &Loaded) -> Vec<Document> {
    loaded
        .documents
        .iter()
        .map(|placed| placed.document.clone())
        .collect()
}

#[test]
fn the_compiled_in_example_is_read_like_the_one_in_the_folder() {
    let bundle = sre_bundle();
    let compiled_in = load(Source::Bundle(&bundle), &KNOWN).unwrap();
    let on_disk = load(Source::Path(&folder()), &KNOWN).unwrap();
    assert_eq!(documents(&compiled_in), documents(&on_disk));
}

#[test]
fn root_cause_waits_for_both_other_stages_which_wait_for_nothing() {
    let bundle = sre_bundle();
    let loaded = load(Source::Bundle(&bundle), &KNOWN).unwrap();
    let mut stages = Vec::new();
    let mut workers = Vec::new();
    for document in documents(&loaded) {
        match document {
            Document::Playbook(playbook) => stages = playbook.stages,
            Document::Worker(worker) => workers.push(worker),
            Document::Team(team) => assert_eq!(team.playbook.unwrap().as_str(), "diagnose"),
        }
    }
    let after = |stage: usize| -> Vec<&str> {
        stages[stage]
            .after
            .iter()
            .map(config::name::Name::as_str)
            .collect()
    };
    assert_eq!(after(0), Vec::<&str>::new());
    assert_eq!(after(1), Vec::<&str>::new());
    assert_eq!(after(2), ["instance-status", "resource-bottleneck"]);
    for stage in &stages {
        let has_a_doer = workers.iter().any(|worker| match &stage.doer {
            Doer::Worker(name) => worker.name == *name,
            Doer::Skill(name) => worker.skills.iter().any(|skill| skill.name == *name),
        });
        assert!(has_a_doer, "nobody can do stage {}", stage.name);
    }
}

#[test]
fn each_file_of_the_example_is_compiled_in_but_its_program_and_the_other_clusters() {
    let mut found = Vec::new();
    list(&folder(), Path::new(""), &mut found);
    found.retain(|path| {
        let is_other_cluster = path.starts_with("clusters/") && path != SRE_ATTACHMENT;
        !path.starts_with("agent/") && !is_other_cluster
    });
    found.sort();
    let compiled_in: Vec<&str> = sre().iter().map(|(path, _)| *path).collect();
    assert_eq!(compiled_in, found);
}

fn list(root: &Path, below: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(root.join(below)).unwrap() {
        let path = below.join(entry.unwrap().file_name());
        if root.join(&path).is_dir() {
            list(root, &path, found);
        } else {
            found.push(path.to_str().unwrap().to_owned());
        }
    }
}
