//! Making a data folder the one of a node: of a cluster that begins with it, or of one that it joins.
//!
//! # Invariant
//! A folder belongs to a node only once its keys are in it; what fails before leaves it free.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::path::Path;

use rules::id::NodeId;
use runtime::links::{
    ClusterName, JoinError, JoinToken, Keys, KeysError, LinkError, Newcomer, ask,
};
use thiserror::Error;

use super::identity::{self, Home, IdentityError};

/// The folder of a node's keys, in its data folder.
pub(super) const KEYS: &str = "keys";

/// Why a folder does not become a node's.
#[derive(Debug, Error)]
pub enum EnrollError {
    /// The folder cannot be used.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The keys cannot be kept.
    #[error("the node's keys cannot be kept")]
    Keys(#[from] KeysError),
    /// The cluster did not let it in.
    #[error(transparent)]
    Join(#[from] JoinError),
    /// The name of the cluster is none.
    #[error(transparent)]
    Name(#[from] LinkError),
}

/// Where a node shall be found.
#[derive(Clone, Debug)]
pub struct Site {
    /// What it is called.
    pub name: String,
    /// Where it listens for other nodes.
    pub listen: SocketAddr,
    /// Where others reach it, `host:port`; found out when it is not said.
    pub advertise: Option<String>,
}

/// What a folder has become.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enrolled {
    /// The cluster.
    pub cluster: String,
    /// The node's number there.
    pub node: u64,
    /// Where others reach it.
    pub advertise: String,
}

/// Begins a cluster: the folder becomes the one of its first node.
pub fn found(data: &Path, site: Site) -> Result<Enrolled, EnrollError> {
    identity::check_empty(data)?;
    let cluster = identity::new_cluster();
    let enrolled = Enrolled {
        cluster: cluster.clone(),
        node: 1,
        advertise: site.reached_at(None),
    };
    let home = Home {
        name: site.name,
        listen: site.listen,
        advertise: enrolled.advertise.clone(),
        is_founder: true,
        peers: BTreeMap::new(),
    };
    identity::settle(data, &cluster, 1, home, || {
        let name = ClusterName::new(&cluster)?;
        Keys::found(&data.join(KEYS), &name, NodeId(1))?;
        Ok::<_, EnrollError>(())
    })?;
    Ok(enrolled)
}

/// Joins the cluster that a token is of: the folder becomes the one of its newest node.
pub async fn join(data: &Path, token: &JoinToken, site: Site) -> Result<Enrolled, EnrollError> {
    identity::check_empty(data)?;
    let towards = token.addresses().first().map(String::as_str);
    let advertise = site.reached_at(towards);
    let newcomer = Newcomer::new(&site.name, env!("CARGO_PKG_VERSION"), &advertise)?;
    let admission = ask(token, &newcomer).await?;
    let enrolled = Enrolled {
        cluster: admission.cluster.to_string(),
        node: admission.node.0,
        advertise,
    };
    let peers = admission.peers.iter();
    let home = Home {
        name: site.name,
        listen: site.listen,
        advertise: enrolled.advertise.clone(),
        is_founder: false,
        peers: peers
            .map(|(node, address)| (node.0, address.clone()))
            .collect(),
    };
    identity::settle(data, &enrolled.cluster, enrolled.node, home, || {
        Keys::keep(&data.join(KEYS), &admission)?;
        Ok::<_, EnrollError>(())
    })?;
    Ok(enrolled)
}

impl Site {
    /// Where others reach it: as was said, else where it listens, else this host's own address on
    /// the way to the others.
    pub(super) fn reached_at(&self, towards: Option<&str>) -> String {
        if let Some(advertise) = &self.advertise {
            return advertise.clone();
        }
        let ip = if self.listen.ip().is_unspecified() {
            own_ip(towards).unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST))
        } else {
            self.listen.ip()
        };
        SocketAddr::new(ip, self.listen.port()).to_string()
    }
}

/// This host's address as the way to another leaves it; nothing is sent.
fn own_ip(towards: Option<&str>) -> Option<IpAddr> {
    // Without a goal: any address outside, of a range that is kept for documentation.
    let towards = towards.unwrap_or("192.0.2.1:9");
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect(towards).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(listen: &str, advertise: Option<&str>) -> Site {
        Site {
            name: "alpha".to_owned(),
            listen: listen.parse().unwrap(),
            advertise: advertise.map(ToOwned::to_owned),
        }
    }

    #[test]
    fn a_node_is_reached_where_it_says_else_where_it_listens() {
        assert_eq!(
            site("0.0.0.0:7400", Some("a.example:1")).reached_at(None),
            "a.example:1"
        );
        assert_eq!(
            site("127.0.0.2:7400", None).reached_at(None),
            "127.0.0.2:7400"
        );
        let found = site("0.0.0.0:7400", None).reached_at(Some("127.0.0.9:1"));
        assert_eq!(found, "127.0.0.1:7400");
    }

    #[test]
    fn a_cluster_is_begun_once_in_a_folder() {
        let folder = tempfile::tempdir().unwrap();
        let begin = || found(folder.path(), site("127.0.0.1:7400", None));
        assert_eq!(begin().unwrap().node, 1);
        assert!(matches!(
            begin(),
            Err(EnrollError::Identity(IdentityError::Taken { .. }))
        ));
    }
}
