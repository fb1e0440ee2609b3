//! With which program a node runs, with which settings, and what it finds in its environment.

use std::path::PathBuf;

use super::node::Node;

impl Node {
    /// The same node, whose daemon is started with that variable.
    #[must_use]
    pub fn with_variable(mut self, name: &str, value: &str) -> Node {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same node, run by another build of `domo`.
    #[must_use]
    pub fn of_program(mut self, program: PathBuf) -> Node {
        self.program = Some(program);
        self
    }

    /// Has its next daemon run with that setting.
    pub fn set(&mut self, key: &str, value: &str) {
        self.settings.retain(|(known, _)| known != key);
        self.settings.push((key.to_owned(), value.to_owned()));
    }

    /// Has its next daemon be another build of `domo`.
    pub fn run_from(&mut self, program: PathBuf) {
        self.program = Some(program);
    }
}
