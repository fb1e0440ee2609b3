//! Faults that are made on purpose.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What is done to the Manager of the node that is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ManagerOrder {
    /// He is held dead: while this node leads, there is none.
    Hold,
    /// He may live again.
    Release,
    /// He panics, and is started again.
    Crash,
}

/// Does something to the Manager.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderManager {
    /// What.
    pub order: ManagerOrder,
}

/// The fault is made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Ordered {
    /// The node whose Manager it is.
    #[schema(example = "n-1")]
    pub node: String,
}
