//! `[cluster]`: where this node is among the others, where that differs from what it joined with.

use core::net::SocketAddr;

use super::keys::Keys;

/// The settings of `[cluster]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterSettings {
    /// Addresses at which nodes are looked for that are not where they were.
    pub seeds: Vec<String>,
    /// Where the node listens for others; `None`: as it was founded or joined.
    pub listen: Option<SocketAddr>,
    /// Where others reach it; `None`: as it was founded or joined.
    pub advertise: Option<String>,
    /// The newest version of the rules that the node says it knows; `None`: what its release knows.
    pub rules_at_most: Option<u32>,
}

impl ClusterSettings {
    pub(super) fn read(keys: &mut Keys) -> Self {
        let listen = keys.address("cluster.listen");
        let parsed = listen.as_deref().map(str::parse::<SocketAddr>);
        if let (Some(text), Some(Err(_))) = (&listen, &parsed) {
            let sentence = format!(
                "`cluster.listen` is `{text}`, not an IP address and a port like 0.0.0.0:7400"
            );
            keys.refuse("cluster.listen", sentence);
        }
        Self {
            seeds: keys.addresses("cluster.seeds"),
            listen: parsed.and_then(Result::ok),
            advertise: keys.address("cluster.advertise"),
            rules_at_most: Some(keys.count("cluster.rules_at_most", 0..=1_000_000))
                .filter(|at_most| *at_most > 0),
        }
    }
}
