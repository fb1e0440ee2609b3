//! The long forms: how often a thing is tried, and how far that is.
//!
//! `DOMO_TEST_SCALE` times as often as in a landing; `DOMO_TEST_ROUND` makes the tries of a round
//! others than those of the one before; in the folder `DOMO_TEST_PROGRESS` each form keeps how far
//! it is, and goes on there when it is begun again.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::str::FromStr;

use crate::model::Dice;

/// The tries of one form, in their order; a failure in one prints its number.
pub struct Long {
    next: u64,
    count: u64,
    kept_in: Option<PathBuf>,
}

/// One try.
pub struct Try {
    pub number: u64,
    pub dice: Dice,
}

impl Long {
    /// The tries of the form of that name, of which a landing makes `slice`.
    pub fn of(name: &str, slice: u64) -> Self {
        let kept_in = env::var_os("DOMO_TEST_PROGRESS").map(|folder| {
            fs::create_dir_all(&folder).unwrap();
            PathBuf::from(folder).join(name)
        });
        let kept = kept_in.as_ref().map(fs::read_to_string);
        let next = kept.and_then(Result::ok).map_or(0, |kept| number(&kept));
        Self {
            next,
            count: slice * variable("DOMO_TEST_SCALE", 1),
            kept_in,
        }
    }

    /// How many tries there are in all.
    pub fn all(&self) -> u64 {
        self.count
    }

    fn keep(&self) {
        if let Some(path) = &self.kept_in {
            let new = path.with_extension("new");
            fs::write(&new, format!("{} of {}\n", self.next, self.count)).unwrap();
            fs::rename(&new, path).unwrap();
        }
    }
}

impl Iterator for Long {
    type Item = Try;

    /// The next one; those before it are done.
    fn next(&mut self) -> Option<Try> {
        self.keep();
        if self.next >= self.count {
            return None;
        }
        let round: u64 = variable("DOMO_TEST_ROUND", 0);
        let number = self.next;
        self.next += 1;
        Some(Try {
            number,
            dice: Dice(number ^ round << 40),
        })
    }
}

fn variable<T: FromStr>(name: &str, otherwise: T) -> T {
    let Ok(text) = env::var(name) else {
        return otherwise;
    };
    let read = text.parse();
    read.unwrap_or_else(|_| panic!("{name}={text} is no whole number"))
}

fn number(kept: &str) -> u64 {
    let (done, _) = kept.split_once(' ').unwrap_or_default();
    done.parse().unwrap_or(0)
}
