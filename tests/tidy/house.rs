//! The files of the workspace, read once for each rule, and what a rule says about them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::source::{self, Line};

/// The rooms, inner before outer: the folder, and the folders that its crate may depend on.
pub const ROOMS: [(&str, &[&str]); 7] = [
    ("runtime/rules", &[]),
    ("config", &[]),
    ("config/examples/sre/agent", &[]),
    ("runtime", &["runtime/rules"]),
    ("actors", &["config", "runtime", "runtime/rules"]),
    (
        "node",
        &[
            "actors",
            "config",
            "config/examples/sre/agent",
            "runtime",
            "runtime/rules",
        ],
    ),
    (
        "tests",
        &[
            "actors",
            "config",
            "config/examples/sre/agent",
            "node",
            "runtime",
            "runtime/rules",
        ],
    ),
];

/// A file that people read.
pub struct TextFile {
    /// Relative to the workspace, with `/`.
    pub path: String,
    /// The whole text.
    pub text: String,
}

/// A Rust file.
pub struct RustFile {
    /// Relative to the workspace, with `/`.
    pub path: String,
    /// The whole text.
    pub text: String,
    /// Its lines.
    pub lines: Vec<Line>,
}

impl RustFile {
    /// The folder of the crate that it belongs to.
    pub fn room(&self) -> &'static str {
        room_of(&self.path)
    }

    /// Is the whole file built for tests only?
    pub fn is_test(&self) -> bool {
        self.path.starts_with("tests/") || self.path.contains("/tests/")
    }
}

/// The workspace.
pub struct House {
    /// Its Rust files, by path.
    pub rust: Vec<RustFile>,
    /// All its text files, the Rust ones too, by path.
    pub texts: Vec<TextFile>,
    /// The names in its top folder.
    pub top: Vec<String>,
}

impl House {
    /// Reads the workspace.
    pub fn read() -> House {
        let root = root();
        let mut paths = Vec::new();
        walk(&root, &root, &ignored(&root), &mut paths);
        paths.sort();
        let mut top: Vec<String> = paths
            .iter()
            .filter_map(|path| path.split('/').next().map(str::to_owned))
            .collect();
        top.dedup();
        let (mut rust, mut texts) = (Vec::new(), Vec::new());
        for path in paths {
            let Ok(text) = std::fs::read_to_string(root.join(&path)) else {
                continue;
            };
            if Path::new(&path)
                .extension()
                .is_some_and(|ending| ending == "rs")
            {
                rust.push(RustFile {
                    lines: source::scan(&text),
                    path: path.clone(),
                    text: text.clone(),
                });
            }
            texts.push(TextFile { path, text });
        }
        assert!(
            rust.len() > 50,
            "the workspace was not found at {}",
            root.display()
        );
        House { rust, texts, top }
    }

    /// The text of one file; empty when it is not there.
    pub fn text(&self, path: &str) -> &str {
        let found = self.texts.iter().find(|file| file.path == path);
        found.map_or("", |file| file.text.as_str())
    }

    /// Does a rule hold? If not, says each place where it does not, and what to do instead.
    pub fn holds(&self, rule: impl Fn(&House) -> Vec<Wrong>) {
        let wrongs = rule(self);
        let mut said = String::new();
        for wrong in &wrongs {
            writeln!(said, "  {wrong}").expect("a String takes everything");
        }
        assert!(wrongs.is_empty(), "{} untidy:\n{said}", wrongs.len());
    }
}

/// One place that is not as it should be.
pub struct Wrong {
    /// The file.
    pub path: String,
    /// The line from 1; 0 is the file as a whole.
    pub line: usize,
    /// What is wrong, and what to do instead.
    pub what: String,
}

impl Wrong {
    /// Something is wrong with a whole file.
    pub fn file(path: &str, what: impl Into<String>) -> Wrong {
        Wrong::at(path, 0, what)
    }

    /// Something is wrong in a line.
    pub fn at(path: &str, line: usize, what: impl Into<String>) -> Wrong {
        Wrong {
            path: path.to_owned(),
            line,
            what: what.into(),
        }
    }
}

impl std::fmt::Display for Wrong {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            0 => write!(out, "{}: {}", self.path, self.what),
            line => write!(out, "{}:{line}: {}", self.path, self.what),
        }
    }
}

/// The folder of the workspace.
pub fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests
        .parent()
        .expect("the crate stands in a workspace")
        .to_owned()
}

/// The folder of the crate that a path belongs to: the longest that fits.
pub fn room_of(path: &str) -> &'static str {
    let fits = |room: &&str| {
        path.strip_prefix(room)
            .is_some_and(|rest| rest.starts_with('/'))
    };
    let rooms = ROOMS.iter().map(|(room, _)| *room);
    rooms
        .filter(|room| fits(room))
        .max_by_key(|room| room.len())
        .unwrap_or("")
}

/// The dependencies that a crate's `Cargo.toml` names, with the line of each; those for tests last.
pub fn dependencies(manifest: &str) -> BTreeMap<(bool, String), usize> {
    let mut found = BTreeMap::new();
    let mut section = String::new();
    for (at, line) in manifest.lines().enumerate() {
        let line = line.trim();
        if line.starts_with('[') {
            line.trim_matches(|c| c == '[' || c == ']')
                .clone_into(&mut section);
        } else if section.ends_with("dependencies") && !line.starts_with('#') {
            let end = line.find(|c: char| !c.is_alphanumeric() && c != '-' && c != '_');
            let name = &line[..end.unwrap_or(line.len())];
            if !name.is_empty() {
                let is_for_tests = section.ends_with("dev-dependencies");
                found.insert((is_for_tests, name.to_owned()), at + 1);
            }
        }
    }
    found
}

/// What `.gitignore` leaves out at the top, and what is git's own.
fn ignored(root: &Path) -> Vec<String> {
    let rules = std::fs::read_to_string(root.join(".gitignore")).unwrap_or_default();
    let named = rules.lines().filter_map(|line| line.strip_prefix('/'));
    named
        .chain([".git"])
        .map(|name| name.trim_end_matches('/').to_owned())
        .collect()
}

fn walk(root: &Path, folder: &Path, ignored: &[String], into: &mut Vec<String>) {
    let entries = std::fs::read_dir(folder).expect("a folder of the workspace can be read");
    for entry in entries {
        let entry = entry.expect("a folder of the workspace can be read");
        let path = entry.path();
        let below = path
            .strip_prefix(root)
            .expect("it was found below the root");
        let below = below.to_string_lossy().into_owned();
        if ignored.contains(&below) {
            continue;
        }
        let kind = entry.file_type().expect("an entry has a kind");
        if kind.is_dir() {
            walk(root, &path, ignored, into);
        } else {
            into.push(below);
        }
    }
}
