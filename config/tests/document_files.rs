//! The files that documents name: SOULs and skills beside them, on disk or in a bundle, and nothing else.

#![expect(
    clippy::unwrap_used,
    reason = "a test says what it expects by unwrapping"
)]

use std::path::Path;

use config::document::{Bundle, Document, Known, Loaded, Source, load};
use config::mistake::Mistakes;

const KNOWN: Known<'_> = Known { kernels: &["cli"] };

const SKILL: &str = "---\nname: disk\ndescription: Looks at disks.\n---\n# Disk\n";

const WORKER: &str = "kind: worker\nname: disk\nteam: sre\ncommand: [df]\n";

/// Reads one file of documents beside a SOUL, a skill and other files.
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
    read_with(text, &[]).unwrap_err().to_string()
}

#[test]
fn a_missing_soul_names_the_nearest_file() {
    let message = complaint(&format!("{WORKER}soul: souls/dusk.md\n"));
    assert_eq!(
        message,
        "t.yaml:5:7 (document 1): the path `souls/dusk.md` is not known; \
         did you mean `souls/disk.md`?"
    );
}

#[test]
fn a_soul_that_is_no_text_or_empty_or_too_large_is_refused() {
    let with = |bytes: &[u8]| {
        let text = format!("{WORKER}soul: s.md\n");
        read_with(&text, &[("s.md", bytes)])
            .unwrap_err()
            .to_string()
    };
    let message = with(b"a\xff");
    assert!(
        message.contains("`s.md` is not UTF-8: the byte at offset 1"),
        "{message}"
    );
    assert!(with(b" \n").contains("`s.md` is empty"));
    assert!(with(&vec![b'a'; (256 << 10) + 1]).contains("`s.md` is larger than 256KiB"));
}

#[test]
fn a_skill_without_its_file_or_with_another_name_is_refused() {
    let with = |path: &str, text: &str| {
        let document = format!("{WORKER}skills: [skills/net]\n");
        read_with(&document, &[(path, text.as_bytes())])
            .unwrap_err()
            .to_string()
    };
    assert!(with("skills/net/x.md", "").contains("it has no SKILL.md"));
    assert!(with("skills/net/SKILL.md", "# Net\n").contains("does not begin with a front matter"));
    let message = with("skills/net/SKILL.md", SKILL);
    assert!(
        message.contains("is called `disk` in its front matter, not `net`"),
        "{message}"
    );
    let message = with("skills/net/SKILL.md", "---\nname: net\n---\n");
    assert!(message.contains("has no `description`"), "{message}");
    let message = with("skills/net/SKILL.md", "---\nname: [\n---\n");
    assert!(message.contains("SKILL.md:2:"), "{message}");
}

#[test]
fn a_skill_larger_than_its_limit_is_refused() {
    let text = format!("{WORKER}skills: [skills/disk]\n");
    let half = vec![b'x'; 600 << 10];
    let files: [(&str, &[u8]); 2] = [("skills/disk/a", &half), ("skills/disk/b", &half)];
    let message = read_with(&text, &files).unwrap_err().to_string();
    assert!(
        message.contains("the skill `disk` is larger than 1MiB"),
        "{message}"
    );
}

#[test]
fn a_path_that_leaves_the_folder_is_refused() {
    for path in ["../x", "/etc/passwd", "souls/../../x", "souls/./../x"] {
        let message = complaint(&format!("{WORKER}soul: {path}\n"));
        assert!(
            message.contains("leads outside of the document's folder"),
            "{path}: {message}"
        );
    }
    let message = complaint(&format!("{WORKER}soul: .\n"));
    assert!(
        message.contains("names no file beside the document"),
        "{message}"
    );
}

#[test]
fn a_bundle_cannot_smuggle_a_path_into_a_skill() {
    let text = format!("{WORKER}skills: [skills/disk]\n");
    for path in [
        "skills/disk/../../etc/x",
        "skills/disk//x",
        "skills/disk/./x",
        "skills/disk/SKILL.md/x",
        "skills/disk/a/b/c/d/e/f/g/h/i/x",
    ] {
        let message = read_with(&text, &[(path, b"x")]).unwrap_err().to_string();
        assert!(
            message.contains("leads outside of the document's folder"),
            "{path}: {message}"
        );
    }
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("in/souls")).unwrap();
    std::fs::create_dir_all(folder.path().join("in/skills/disk/scripts")).unwrap();
    write(folder.path(), "in/t.yaml", WORKER.as_bytes());
    write(folder.path(), "in/souls/disk.md", b"I look.");
    write(folder.path(), "in/skills/disk/SKILL.md", SKILL.as_bytes());
    write(folder.path(), "in/skills/disk/scripts/df.sh", b"df");
    write(folder.path(), "in/skills/disk/.hidden", b"x");
    write(folder.path(), "outside.md", b"secret");
    folder
}

fn write(root: &Path, path: &str, bytes: &[u8]) {
    std::fs::write(root.join(path), bytes).unwrap();
}

fn load_path(path: &Path) -> Result<Loaded, Mistakes> {
    load(Source::Path(path), &KNOWN)
}

#[test]
fn a_file_with_its_soul_and_skill_is_read() {
    let folder = folder();
    let text = format!("{WORKER}soul: souls/disk.md\nskills: [skills/disk]\n");
    write(folder.path(), "in/t.yaml", text.as_bytes());
    let loaded = load_path(&folder.path().join("in/t.yaml")).unwrap();
    let Document::Worker(worker) = &loaded.documents[0].document else {
        panic!("no worker")
    };
    let files: Vec<&String> = worker.skills[0].files.keys().collect();
    assert_eq!(files, ["SKILL.md", "scripts/df.sh"]);
}

#[test]
fn what_was_read_can_be_read_again_from_its_bundle() {
    let folder = folder();
    let text = format!("{WORKER}soul: souls/disk.md\nskills: [skills/disk]\n");
    write(folder.path(), "in/t.yaml", text.as_bytes());
    let first = load_path(&folder.path().join("in")).unwrap();
    let again = load(Source::Bundle(&first.bundle), &KNOWN).unwrap();
    let documents = |loaded: &Loaded| {
        loaded
            .documents
            .iter()
            .map(|placed| placed.document.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(documents(&first), documents(&again));
    assert_eq!(first.bundle, again.bundle);
}

#[test]
fn a_folder_is_read_file_by_file_in_their_order() {
    let folder = folder();
    write(
        folder.path(),
        "in/b.yml",
        WORKER.replace("disk", "b").as_bytes(),
    );
    write(
        folder.path(),
        "in/a.yaml",
        WORKER.replace("disk", "a").as_bytes(),
    );
    write(folder.path(), "in/readme.txt", b"not a document");
    let loaded = load_path(&folder.path().join("in")).unwrap();
    let names: Vec<&str> = loaded
        .documents
        .iter()
        .map(|placed| placed.document.name().as_str())
        .collect();
    assert_eq!(names, ["a", "b", "disk"]);
}

#[test]
fn documents_from_standard_input_find_their_files_in_the_given_folder() {
    let folder = folder();
    let bytes = format!("{WORKER}soul: souls/disk.md\n");
    let source = Source::Bytes {
        bytes: bytes.as_bytes(),
        folder: &folder.path().join("in"),
    };
    let loaded = load(source, &KNOWN).unwrap();
    assert_eq!(
        loaded.documents[0].place.to_string(),
        "stdin:1:1 (document 1)"
    );
    assert!(load(Source::Bundle(&loaded.bundle), &KNOWN).is_ok());
}

#[test]
fn a_link_that_leads_outside_is_refused_and_one_that_stays_is_followed() {
    let folder = folder();
    let link = |target: &str, name: &str| {
        std::os::unix::fs::symlink(target, folder.path().join(name)).unwrap();
    };
    link("../../outside.md", "in/souls/out.md");
    link("disk.md", "in/souls/same.md");
    link("../../../outside.md", "in/skills/disk/out");
    let with = |field: &str| {
        write(
            folder.path(),
            "in/t.yaml",
            format!("{WORKER}{field}\n").as_bytes(),
        );
        load_path(&folder.path().join("in/t.yaml"))
    };
    assert!(with("soul: souls/same.md").is_ok());
    for field in ["soul: souls/out.md", "skills: [skills/disk]"] {
        let message = with(field).unwrap_err().to_string();
        assert!(
            message.contains("leads outside of the document's folder"),
            "{message}"
        );
    }
}

#[test]
fn a_circle_of_links_ends() {
    let folder = folder();
    std::os::unix::fs::symlink(".", folder.path().join("in/skills/disk/again")).unwrap();
    let text = format!("{WORKER}skills: [skills/disk]\n");
    write(folder.path(), "in/t.yaml", text.as_bytes());
    let message = load_path(&folder.path().join("in/t.yaml"))
        .unwrap_err()
        .to_string();
    assert!(message.contains("folders deep"), "{message}");
}

#[test]
fn what_is_no_file_is_not_opened() {
    let folder = folder();
    let socket = folder.path().join("in/souls/sock");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    for path in ["souls/sock", "souls"] {
        let text = format!("{WORKER}soul: {path}\n");
        write(folder.path(), "in/t.yaml", text.as_bytes());
        let message = load_path(&folder.path().join("in/t.yaml"))
            .unwrap_err()
            .to_string();
        assert!(message.contains("is no file"), "{message}");
    }
}

#[test]
fn a_missing_path_and_an_empty_folder_are_refused() {
    let folder = folder();
    let message = load_path(&folder.path().join("none.yaml"))
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("none.yaml: cannot be read: No such file"),
        "{message}"
    );
    let message = load_path(&folder.path().join("in/souls"))
        .unwrap_err()
        .to_string();
    assert!(
        message.ends_with("the folder holds no `*.yaml` and no `*.yml`"),
        "{message}"
    );
}

#[test]
fn a_missing_soul_names_its_neighbour() {
    let folder = folder();
    let text = format!("{WORKER}soul: souls/dsik.md\n");
    write(folder.path(), "in/t.yaml", text.as_bytes());
    let message = load_path(&folder.path().join("in/t.yaml"))
        .unwrap_err()
        .to_string();
    assert!(
        message.ends_with("did you mean `souls/disk.md`?"),
        "{message}"
    );
}

#[test]
fn a_skill_of_too_many_files_is_refused() {
    let folder = folder();
    for number in 0..300 {
        write(folder.path(), &format!("in/skills/disk/f{number}"), b"x");
    }
    let text = format!("{WORKER}skills: [skills/disk]\n");
    write(folder.path(), "in/t.yaml", text.as_bytes());
    let message = load_path(&folder.path().join("in/t.yaml"))
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("the folder `skills/disk` is larger than 256 files"),
        "{message}"
    );
}
