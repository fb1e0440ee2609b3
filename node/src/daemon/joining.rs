//! Saying to the cluster what this node is and has, at each of its starts.

use config::settings::Settings;
use rules::id::NodeId;
use rules::node::NodeFacts;
use rules::version::NEWEST;
use rules::{Command, Principal, Proposal, Who};
use runtime::clock;
use runtime::ledger::{Ledger, ProposeError};
use std::time::Duration;
use tokio::task::JoinHandle;

use super::identity::Identity;
use super::{DaemonError, capacity};

/// Wait before it is said again where nobody took it.
const SAY_AGAIN: Duration = Duration::from_millis(250);

/// A node that is joining.
pub(super) struct Joining {
    saying: Option<JoinHandle<Result<(), DaemonError>>>,
}

impl Joining {
    /// Begins to say it, until it is taken or refused; a cluster of one without links waits for that.
    pub(super) async fn begin(
        settings: &Settings,
        ledger: &Ledger,
        identity: &Identity,
        engine: String,
    ) -> Result<Self, DaemonError> {
        let mut facts = facts(settings, identity, engine);
        // A node keeps its name: its host may have been called otherwise since.
        let known = ledger.read(|state| {
            let node = state.nodes.get(&facts.node)?;
            node.has_joined().then(|| node.facts.name.clone())
        });
        if let (Some(known), None) = (known, &settings.node.name) {
            facts.name = known;
        }
        let saying = tokio::spawn(say(ledger.clone(), facts));
        let mut joining = Self {
            saying: Some(saying),
        };
        if identity.home.is_none() {
            joining.done().await?;
        }
        Ok(joining)
    }

    /// Returns when it is taken.
    async fn done(&mut self) -> Result<(), DaemonError> {
        match self.saying.take() {
            Some(saying) => match saying.await {
                Ok(said) => said,
                Err(error) => Err(DaemonError::Personas(error.to_string())),
            },
            None => Ok(()),
        }
    }

    /// Returns only when it is refused, and why.
    pub(super) async fn refused(&mut self) -> DaemonError {
        match self.done().await {
            Err(error) => error,
            Ok(()) => std::future::pending().await,
        }
    }
}

async fn say(ledger: Ledger, facts: NodeFacts) -> Result<(), DaemonError> {
    loop {
        let proposal = Proposal {
            request: None,
            principal: Principal::own(Who::Node(facts.node)),
            wall_ms: clock::wall().0,
            command: Command::JoinNode {
                facts: facts.clone(),
            },
            decision: None,
        };
        match ledger.propose(proposal).await {
            Ok(verdict) => {
                verdict?;
                tracing::info!(node = %facts.node, "the cluster knows this node");
                return Ok(());
            }
            Err(ProposeError::Stopped) => return Err(ProposeError::Stopped.into()),
            Err(error) => tracing::debug!(%error, "the cluster does not hear this node yet"),
        }
        tokio::time::sleep(SAY_AGAIN).await;
    }
}

fn facts(settings: &Settings, identity: &Identity, engine: String) -> NodeFacts {
    let (cpu_milli, memory_bytes) = capacity::of_this_host();
    let labels = settings.node.labels.iter();
    NodeFacts {
        node: NodeId(identity.node),
        name: node_name(settings, identity),
        incarnation: identity.incarnation,
        release: env!("CARGO_PKG_VERSION").to_owned(),
        knows: settings
            .cluster
            .rules_at_most
            .map_or(NEWEST, |most| most.min(NEWEST)),
        engine,
        address: identity.home.as_ref().map(|home| home.advertise.clone()),
        cpu_milli,
        memory_bytes,
        labels: labels
            .map(|(key, value)| (key.to_string(), value.clone()))
            .collect(),
    }
}

/// What a node is called: as it joined, else as the settings say, else as its host.
pub(super) fn node_name(settings: &Settings, identity: &Identity) -> String {
    if let Some(home) = &identity.home {
        return home.name.clone();
    }
    match &settings.node.name {
        Some(name) => name.to_string(),
        None => host_name().unwrap_or_else(|| format!("node-{}", identity.node)),
    }
}

/// What this host is called.
pub fn host_name() -> Option<String> {
    let host = nix::sys::utsname::uname().ok()?;
    host.nodename().to_str().map(ToOwned::to_owned)
}
