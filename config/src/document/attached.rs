//! What a document names by its path: a SOUL (one file) and a skill (a folder with `SKILL.md`).
//!
//! # Invariant
//! A skill is called like its folder, says so in the front matter of its `SKILL.md`, and says what
//! it is good for: a planning agent chooses by that sentence.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::folder::Folder;
use super::page::Page;
use super::yaml::{Node, Tree, What, grow};
use crate::intake;
use crate::measure::show_bytes;
use crate::mistake::{Mistakes, Wrong, shown};
use crate::name::Name;

/// A SOUL is read by a model in full at each attempt; a longer one is a library.
pub const LARGEST_SOUL_BYTES: u64 = 256 << 10;
/// All files of one skill; what needs more belongs into an image.
pub const LARGEST_SKILL_BYTES: u64 = 1 << 20;
/// The same as where skills come from: it is one sentence in a list of many.
const LONGEST_DESCRIPTION_BYTES: usize = 1024;
/// The file that makes a folder a skill.
const SKILL_FILE: &str = "SKILL.md";

/// Who an agent is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Soul {
    /// The path that the document gives.
    pub path: String,
    /// The text of the file.
    pub text: String,
}

/// What an agent can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skill {
    /// The name of the folder.
    pub name: Name,
    /// What the skill is good for, from its front matter.
    pub description: String,
    /// Every file of the folder by its path in it; `SKILL.md` is one of them.
    pub files: BTreeMap<String, Arc<[u8]>>,
}

/// Reads the SOUL that a field names.
pub(super) fn soul(page: &mut Page<'_>, key: &str, node: &Node) -> Option<Soul> {
    let path = super::fields::text(usize::MAX)(page, key, node)?;
    let read = page
        .folder
        .read(&path, LARGEST_SOUL_BYTES)
        .and_then(|bytes| {
            let text = intake::text(&bytes).map_err(|wrong| about(&path, &wrong))?;
            if text.trim().is_empty() {
                return Err(Wrong::Refused(format!("`{}` is empty", shown(&path))));
            }
            Ok(text.to_owned())
        });
    match read {
        Ok(text) => Some(Soul { path, text }),
        Err(wrong) => {
            page.wrong(node.mark, wrong);
            None
        }
    }
}

/// Reads the skill whose folder an item of a list names.
pub(super) fn skill(page: &mut Page<'_>, key: &str, node: &Node) -> Option<Skill> {
    let path = super::fields::text(usize::MAX)(page, key, node)?;
    match read_skill(page.folder, &path) {
        Ok(skill) => Some(skill),
        Err(wrong) => {
            page.wrong(node.mark, wrong);
            None
        }
    }
}

fn read_skill(folder: &mut Folder, path: &str) -> Result<Skill, Wrong> {
    let path = path.trim_end_matches('/');
    let called = path.rsplit('/').next().unwrap_or(path);
    let name = Name::new(called).map_err(|error| {
        Wrong::Refused(format!(
            "the skill's folder `{}` has no name: {error}",
            shown(called)
        ))
    })?;
    let mut files = BTreeMap::new();
    let mut total_bytes = 0_u64;
    for file in folder.list(path)? {
        let bytes = folder.read(&format!("{path}/{file}"), LARGEST_SKILL_BYTES)?;
        total_bytes += bytes.len() as u64;
        if total_bytes > LARGEST_SKILL_BYTES {
            let what = format!("the skill `{name}`");
            return Err(Wrong::TooLarge {
                what,
                limit: show_bytes(LARGEST_SKILL_BYTES),
            });
        }
        files.insert(file, bytes);
    }
    let Some(main) = files.get(SKILL_FILE) else {
        let sentence = format!(
            "the folder `{}` is no skill: it has no {SKILL_FILE}",
            shown(path)
        );
        return Err(Wrong::Refused(sentence));
    };
    let main_path = format!("{path}/{SKILL_FILE}");
    let main = intake::text(main).map_err(|wrong| about(&main_path, &wrong))?;
    let description = read_front_matter(&main_path, main, &name)?;
    Ok(Skill {
        name,
        description,
        files,
    })
}

/// Returns the description in the front matter, which must name the skill as its folder does.
fn read_front_matter(path: &str, main: &str, name: &Name) -> Result<String, Wrong> {
    let refuse = |sentence: &str| Err(Wrong::Refused(format!("`{}` {sentence}", shown(path))));
    let Some(front) = front_matter(main) else {
        return refuse("does not begin with a front matter: `---`, `name:`, `description:`, `---`");
    };
    let mut mistakes = Mistakes::default();
    let trees = grow(path, front, &mut mistakes);
    if let Some(mistake) = mistakes.kept().first() {
        return Err(Wrong::Refused(mistake.to_string()));
    }
    let given = |key: &str| trees.first().and_then(|tree| scalar_of(tree, key));
    match given("name") {
        Some(given) if given == name.as_str() => {}
        Some(given) => {
            let given = shown(given);
            return refuse(&format!(
                "is called `{given}` in its front matter, not `{name}`"
            ));
        }
        None => return refuse("has no `name` in its front matter"),
    }
    match given("description").map(str::trim) {
        Some(text) if text.len() > LONGEST_DESCRIPTION_BYTES => refuse(&format!(
            "has a description of more than {LONGEST_DESCRIPTION_BYTES} bytes"
        )),
        Some(text) if !text.is_empty() => Ok(text.to_owned()),
        Some(_) | None => refuse("has no `description` in its front matter"),
    }
}

/// The first line, which is `---`, and all lines before the next such line: a document for itself,
/// with the lines of the file.
fn front_matter(text: &str) -> Option<&str> {
    let rest = text.strip_prefix("---")?;
    let rest = rest
        .strip_prefix("\r\n")
        .or_else(|| rest.strip_prefix('\n'))?;
    let end = rest.match_indices("---").map(|(at, _)| at).find(|at| {
        let begins_line = *at == 0 || rest[..*at].ends_with('\n');
        begins_line
            && rest[at + 3..]
                .lines()
                .next()
                .is_none_or(|after| after.trim().is_empty())
    })?;
    Some(&text[..text.len() - rest.len() + end])
}

fn scalar_of<'t>(tree: &'t Tree, key: &str) -> Option<&'t str> {
    let What::Map(pairs) = &tree.root.what else {
        return None;
    };
    let (_, node) = pairs.iter().find(|(known, _)| known.text == key)?;
    match &node.what {
        What::Scalar { text, .. } if !node.is_null() => Some(text),
        What::Scalar { .. } | What::List(_) | What::Map(_) | What::Spoiled => None,
    }
}

fn about(path: &str, wrong: &Wrong) -> Wrong {
    Wrong::Refused(format!("`{}` {wrong}", shown(path)))
}
