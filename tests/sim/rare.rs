//! Rare states that a trial came through, counted by their names.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use super::clockwork::locked;

/// What was seen how often; clones count together.
#[derive(Clone, Default)]
pub struct Rare(Arc<Mutex<BTreeMap<&'static str, u64>>>);

impl Rare {
    /// It was seen once more.
    pub fn saw(&self, what: &'static str) {
        *locked(&self.0).entry(what).or_default() += 1;
    }

    pub fn all(&self) -> BTreeMap<&'static str, u64> {
        locked(&self.0).clone()
    }
}
