//! `[node]`: who this node is and where it keeps things.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::keys::Keys;
use crate::name::Name;

/// The settings of `[node]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeSettings {
    /// What the node is called; `None`: the host's name.
    pub name: Option<Name>,
    /// The folder that holds everything the node keeps.
    pub data: PathBuf,
    /// What placement can ask for.
    pub labels: BTreeMap<Name, String>,
}

impl NodeSettings {
    pub(super) fn read(keys: &mut Keys) -> Self {
        Self {
            name: keys.name("node.name"),
            data: PathBuf::from(keys.path("node.data")),
            labels: keys.labels("node.labels"),
        }
    }
}
