//! How far a long form is: kept where a soak wants it, so that it goes on there when begun again.

use std::fs;
use std::path::PathBuf;

/// The numbers of a form's tries, from the first that is not done.
#[derive(Debug)]
pub struct Tries {
    next: usize,
    count: usize,
    kept_in: Option<PathBuf>,
}

impl Tries {
    /// So many tries of the form of this name.
    ///
    /// # Panics
    /// When the soak's folder cannot be made.
    pub fn of(name: &str, count: usize) -> Tries {
        let kept_in = std::env::var_os("DOMO_TEST_PROGRESS").map(|folder| {
            fs::create_dir_all(&folder).expect("the soak's folder can be made");
            PathBuf::from(folder).join(name)
        });
        let kept = kept_in.as_ref().map(fs::read_to_string);
        let next = kept.and_then(|kept| kept.ok()?.trim().parse().ok());
        Tries {
            next: next.unwrap_or(0),
            count,
            kept_in,
        }
    }
}

impl Iterator for Tries {
    type Item = usize;

    /// The next one; those before it are done.
    fn next(&mut self) -> Option<usize> {
        if let Some(path) = &self.kept_in {
            let new = path.with_extension("new");
            let kept = fs::write(&new, self.next.to_string());
            let kept = kept.and_then(|()| fs::rename(&new, path));
            kept.expect("the soak's folder can be written");
        }
        let number = self.next;
        self.next += 1;
        (number < self.count).then_some(number)
    }
}
