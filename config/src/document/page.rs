//! One YAML document while it is read: where it stands, what it may refer to, and what was wrong with it.

use super::Known;
use super::folder::Folder;
use super::yaml::{Mark, Node, What};
use crate::mistake::{Mistakes, Place, Wrong, shown};

/// What the readers of a document's fields share.
pub(super) struct Page<'a> {
    pub(super) file: &'a str,
    pub(super) number: usize,
    pub(super) folder: &'a mut Folder,
    pub(super) known: &'a Known<'a>,
    pub(super) mistakes: &'a mut Mistakes,
}

impl Page<'_> {
    /// The place of a mark on this page.
    pub(super) fn place(&self, mark: Mark) -> Place {
        Place::Spot {
            file: self.file.to_owned(),
            document: Some(self.number),
            line: mark.line,
            column: mark.column,
        }
    }

    /// Adds a mistake.
    pub(super) fn wrong(&mut self, mark: Mark, wrong: Wrong) {
        let place = self.place(mark);
        self.mistakes.add(place, wrong);
    }

    /// Adds the mistake that a value has another type, unless it was complained about already.
    pub(super) fn mistyped(&mut self, key: &str, wanted: &str, node: &Node) {
        if !matches!(node.what, What::Spoiled) {
            let (key, wanted) = (key.to_owned(), wanted.to_owned());
            self.wrong(
                node.mark,
                Wrong::WrongType {
                    key,
                    wanted,
                    found: node.found(),
                },
            );
        }
    }

    /// Adds the mistake that a value is not taken; `allowed` says what is.
    pub(super) fn out_of_range(&mut self, key: &str, value: &str, allowed: String, mark: Mark) {
        let value = format!("`{}`", shown(value));
        self.wrong(
            mark,
            Wrong::OutOfRange {
                key: key.to_owned(),
                value,
                allowed,
            },
        );
    }
}
