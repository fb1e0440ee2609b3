//! The permission matrix as policies, and what policies can speak of; compiled in.
//!
//! # Why
//! Who may do what is text that people read, so it stands among what people write. What it means is
//! for others to say: this room hands the text on.

/// What policies can speak of.
pub const SCHEMA: &str = include_str!("../policy/matrix.cedarschema");
/// The permission matrix.
pub const MATRIX: &str = include_str!("../policy/matrix.cedar");
