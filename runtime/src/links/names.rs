//! What the parts of a cluster are called: clusters, nodes in certificates, authorities.

use std::fmt;
use std::str::FromStr;

use rules::id::NodeId;
use rustls::pki_types::{CertificateDer, ServerName};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::LinkError;

/// The longest name of a cluster: one label of a DNS name.
const MAX_CLUSTER_BYTES: usize = 63;

/// A cluster's unique name: 1 to 63 of `a-z`, `0-9` and `-`, with a letter or digit at both ends.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ClusterName(String);

impl ClusterName {
    /// Takes `text` as a name, or says that it is none.
    pub fn new(text: &str) -> Result<ClusterName, LinkError> {
        let is_plain = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit();
        let bytes = text.as_bytes();
        let is_name = (1..=MAX_CLUSTER_BYTES).contains(&bytes.len())
            && bytes.iter().all(|c| is_plain(*c) || *c == b'-')
            && is_plain(bytes[0])
            && is_plain(bytes[bytes.len() - 1]);
        if is_name {
            Ok(ClusterName(text.to_owned()))
        } else {
            Err(LinkError::BadName(text.chars().take(100).collect()))
        }
    }

    /// The name as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What a node is called in its certificate.
    pub fn node_name(&self, node: NodeId) -> String {
        format!("node-{}.{}.domo", node.0, self.0)
    }

    /// The same, as the one name that a certificate must be good for.
    pub(super) fn server_name(&self, node: NodeId) -> Option<ServerName<'static>> {
        ServerName::try_from(self.node_name(node)).ok()
    }
}

impl fmt::Display for ClusterName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for ClusterName {
    type Err = LinkError;

    fn from_str(text: &str) -> Result<ClusterName, LinkError> {
        ClusterName::new(text)
    }
}

/// The SHA-256 of an authority's certificate: whoever knows it can tell the cluster from all others.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Fingerprint(pub [u8; 32]);

impl Fingerprint {
    /// The fingerprint of a certificate.
    pub fn of(certificate: &CertificateDer<'_>) -> Fingerprint {
        Fingerprint(Sha256::digest(certificate.as_ref()).into())
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_is_named_by_one_label_of_a_dns_name() {
        for good in ["a", "00ff00ff00ff00ff", "team-7", &"x".repeat(63)] {
            assert!(ClusterName::new(good).is_ok(), "{good}");
        }
        for bad in ["", "-a", "a-", "A", "a.b", "ä", &"x".repeat(64)] {
            assert!(ClusterName::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_node_is_named_after_its_number_and_its_cluster() {
        let cluster = ClusterName::new("alpha").unwrap();
        assert_eq!(cluster.node_name(NodeId(3)), "node-3.alpha.domo");
        assert!(cluster.server_name(NodeId(u64::MAX)).is_some());
    }
}
