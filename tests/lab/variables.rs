//! What a node's daemon finds in its environment, beside what every process does.

use super::node::Node;

impl Node {
    /// The same node, whose daemon is started with that variable.
    #[must_use]
    pub fn with_variable(mut self, name: &str, value: &str) -> Node {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }
}
