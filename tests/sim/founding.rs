//! Founding a cluster, and what everybody needs to say something to it.

use std::collections::BTreeMap;
use std::time::Duration;

use rules::id::{HumanName, NodeId, TokenName};
use rules::node::NodeFacts;
use rules::{Command, Principal, Proposal, Who};
use runtime::ledger::Ledger;

use super::cluster::Cluster;

pub fn facts(node: NodeId, incarnation: u64) -> NodeFacts {
    NodeFacts {
        node,
        name: format!("node-{node}"),
        incarnation,
        release: "0".to_owned(),
        knows: rules::version::NEWEST,
        engine: "none".to_owned(),
        cpu_milli: 64_000,
        memory_bytes: 1 << 40,
        labels: BTreeMap::new(),
        address: None,
    }
}

pub fn proposal(who: Who, command: Command) -> Proposal {
    Proposal {
        request: None,
        principal: Principal::own(who),
        wall_ms: runtime::clock::wall().0,
        command,
        decision: None,
    }
}

pub fn sam() -> Who {
    Who::Human(HumanName::new("sam").expect("it is a name"))
}

/// Founds a cluster of all nodes: the first is alone, and admits the others.
pub async fn found(cluster: Cluster) -> Result<(), String> {
    let first = NodeId(1);
    let (ledger, machine) = loop {
        if let Some(found) = cluster.net.at(first) {
            break found;
        }
        cluster.clockwork.sleep(Duration::from_millis(1)).await;
    };
    let (told, done) = tokio::sync::oneshot::channel();
    let ids = cluster.ids();
    machine.run(async move { drop(told.send(founded(&ledger, &ids).await)) });
    done.await.map_err(|_| "the first node died".to_owned())?
}

async fn founded(ledger: &Ledger, ids: &[NodeId]) -> Result<(), String> {
    let begun = ledger.init_single().await;
    begun.map_err(|error| format!("no cluster of one: {error}"))?;
    let hash = [1; 32];
    let mint = Command::MintToken {
        token: TokenName::new("crowd").expect("it is a name"),
        hash,
        valid_ms: 3_600_000,
    };
    let first = Who::Node(NodeId(1));
    let facts = facts(NodeId(1), 1);
    let mut asked = vec![(first.clone(), Command::JoinNode { facts }), (sam(), mint)];
    for id in ids.iter().skip(1) {
        let admit = Command::AdmitNode {
            hash,
            name: format!("node-{id}"),
            key: [u8::try_from(id.0).unwrap_or(0); 32],
        };
        asked.push((first.clone(), admit));
        let facts = self::facts(*id, 1);
        asked.push((Who::Node(*id), Command::JoinNode { facts }));
    }
    asked.push((sam(), super::team::described()));
    for (who, command) in asked {
        let said = ledger.propose(proposal(who, command.clone())).await;
        match said {
            Ok(Ok(_)) => {}
            other => return Err(format!("{command:?}: {other:?}")),
        }
    }
    Ok(())
}
