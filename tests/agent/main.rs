//! An agent that does what its brief says, well or badly, so that tests see how each ends.
fn main() {}
