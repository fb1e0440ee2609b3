//! An attempt's folders, filled by hand, and the answer of an agent to them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use agent::contract::Progress;
use agent::outcome::{Finding, Outcome, Severity};
use serde_json::Value;

/// An input and an output folder that are removed with the desk.
pub struct Desk {
    root: PathBuf,
}

impl Desk {
    /// An empty desk.
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let root = std::env::temp_dir().join(format!("sre-desk-{}-{number}", std::process::id()));
        fs::create_dir_all(root.join("in/attachments")).unwrap();
        fs::create_dir_all(root.join("out")).unwrap();
        Self { root }
    }

    /// The input folder.
    pub fn input(&self) -> PathBuf {
        self.root.join("in")
    }

    /// The output folder.
    pub fn output(&self) -> PathBuf {
        self.root.join("out")
    }

    /// Puts a file into the input folder.
    pub fn put(&self, path: &str, bytes: impl AsRef<[u8]>) -> &Self {
        let path = self.input().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
        self
    }

    /// Puts a brief and a list of objects.
    pub fn with(brief: &str, items: &[Value]) -> Self {
        let desk = Self::new();
        desk.put("brief.md", brief);
        let list = serde_json::json!({"apiVersion": "v1", "kind": "List", "items": items});
        desk.put("attachments/all.json", list.to_string());
        desk
    }

    /// Attaches a recorded cluster of the example.
    pub fn recorded(name: &str, brief: &str) -> Self {
        let desk = Self::new();
        desk.put("brief.md", brief);
        let clusters = Path::new(env!("CARGO_MANIFEST_DIR")).join("../clusters");
        copy(&clusters.join(name), &desk.input().join("attachments"));
        desk
    }

    /// The answer of a skill.
    pub fn ask(&self, skill: &str) -> Answer {
        Answer(agent::diagnose(skill, &self.input(), &mut Progress::silent()).unwrap())
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        // A folder that is left behind harms nobody.
        let _ = fs::remove_dir_all(&self.root);
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}

/// The root cause of a cluster that was made for one question.
pub fn cause(brief: &str, items: &[Value]) -> Answer {
    Desk::with(brief, items).ask("k8s-root-cause")
}

/// What an agent said.
pub struct Answer(pub Outcome);

impl Answer {
    /// The whole answer as text.
    pub fn text(&self) -> String {
        String::from_utf8(self.0.json()).unwrap()
    }

    /// The root cause; empty when none was named.
    pub fn root(&self) -> &str {
        self.0.root_cause.as_deref().unwrap_or_default()
    }

    /// The recommendation; empty when none was given.
    pub fn advice(&self) -> &str {
        self.0.recommendation.as_deref().unwrap_or_default()
    }

    /// The faults that are present.
    pub fn faults(&self) -> Vec<&Finding> {
        self.0
            .findings
            .iter()
            .filter(|f| f.severity > Severity::Info)
            .collect()
    }

    /// Panics with the whole answer unless `text` has all of `words`.
    #[track_caller]
    pub fn has(&self, text: &str, words: &[&str]) -> &Self {
        for word in words {
            assert!(
                text.contains(word),
                "`{word}` is missing in the answer:\n{}",
                self.text()
            );
        }
        self
    }

    /// The root cause has all of these words.
    #[track_caller]
    pub fn because(&self, words: &[&str]) -> &Self {
        self.has(self.root(), words)
    }

    /// The recommendation has all of these words.
    #[track_caller]
    pub fn advises(&self, words: &[&str]) -> &Self {
        self.has(self.advice(), words)
    }

    /// No fault was found.
    #[track_caller]
    pub fn is_healthy(&self) -> &Self {
        assert!(self.0.summary.contains("o fault found"), "{}", self.text());
        assert!(
            self.faults().is_empty() && self.0.root_cause.is_none(),
            "{}",
            self.text()
        );
        self
    }
}
