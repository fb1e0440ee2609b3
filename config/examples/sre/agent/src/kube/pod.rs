//! A pod: the unit that is scheduled, started and watched.

use std::collections::BTreeMap;

use super::container::{Container, HostPort, State};
use super::label::Labels;
use super::moment::Moment;
use super::place::Place;
use super::placement::Placement;
use super::resources::{Resources, effective_requests};
use super::{Condition, Key};

/// Where a pod stands in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Accepted, not all containers have been started.
    Pending,
    /// On a node, at least one container has been started.
    Running,
    /// All containers ended well.
    Succeeded,
    /// All containers ended, one of them badly, or the kubelet gave the pod up.
    Failed,
    /// The node does not answer.
    Unknown,
}

/// The controller that made an object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Owner {
    /// `ReplicaSet`, `StatefulSet`, `DaemonSet`, `Job`, `Node`, …
    pub kind: String,
    /// Its name.
    pub name: String,
}

/// A claim that a pod mounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimUse {
    /// The claim's name in the pod's namespace.
    pub claim: String,
    /// Made by Kubernetes for this pod alone?
    pub is_ephemeral: bool,
}

/// A pod with its status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pod {
    /// Namespace and name.
    pub key: Key,
    /// Other identities under which events may name it.
    pub uids: Vec<String>,
    /// Its labels.
    pub labels: Labels,
    /// The controller that made it.
    pub owner: Option<Owner>,
    /// When it was made.
    pub created: Option<Moment>,
    /// When it should be gone, if it is being deleted.
    pub deleted: Option<Moment>,
    /// What must be done before it may go.
    pub finalizers: Vec<String>,
    /// The node that it was given.
    pub node: Option<String>,
    /// The node whose lesser pods are being ended for it.
    pub nominated: Option<String>,
    /// Where it stands.
    pub phase: Phase,
    /// Why it failed, such as `Evicted`; may be empty.
    pub reason: String,
    /// The same as a sentence; may be empty.
    pub message: String,
    /// Its conditions.
    pub conditions: Vec<Condition>,
    /// Its containers.
    pub containers: Vec<Container>,
    /// Its init containers, sidecars among them.
    pub init: Vec<Container>,
    /// What it effectively asks of a node.
    pub requests: Resources,
    /// Its rules about where it may run.
    pub placement: Placement,
    /// The claims that it mounts.
    pub claims: Vec<ClaimUse>,
    /// The scheduler that is to place it.
    pub scheduler: String,
    /// Gates that keep the scheduler from looking at it.
    pub gates: Vec<String>,
    /// Conditions that must be true before it counts as ready.
    pub readiness_gates: Vec<String>,
    /// Higher goes first.
    pub priority: i64,
    /// May it push lesser pods away?
    pub may_preempt: bool,
    /// `Always`, `OnFailure` or `Never`.
    pub restart_policy: String,
    /// Does it share the node's network?
    pub is_on_host_network: bool,
}

impl Pod {
    /// Reads a pod.
    pub fn read(object: Place<'_>) -> Self {
        let (meta, spec, status) = (
            object.at("metadata"),
            object.at("spec"),
            object.at("status"),
        );
        let labels = meta.at("labels").labels();
        let containers = containers(spec.at("containers"), status.at("containerStatuses"));
        let init = containers_of_init(spec, status);
        let overhead = Resources::of(spec.at("overhead"));
        let of_the_pod = Resources::of(spec.at("resources").at("requests"));
        Self {
            key: Key {
                namespace: meta.at("namespace").string(),
                name: meta.at("name").string(),
            },
            uids: uids(meta),
            owner: owner(meta),
            created: meta.at("creationTimestamp").moment(),
            deleted: meta.at("deletionTimestamp").moment(),
            finalizers: meta.at("finalizers").strings(),
            node: spec.at("nodeName").filled(),
            nominated: status.at("nominatedNodeName").filled(),
            phase: phase(status.at("phase").text()),
            reason: status.at("reason").string(),
            message: status.at("message").string(),
            conditions: Condition::list(object),
            requests: effective_requests(&containers, &init, &overhead, &of_the_pod),
            containers,
            init,
            placement: Placement::read(spec, &labels),
            claims: claims(meta, spec),
            scheduler: spec
                .at("schedulerName")
                .filled()
                .unwrap_or_else(|| DEFAULT_SCHEDULER.to_owned()),
            gates: spec
                .at("schedulingGates")
                .list()
                .map(|g| g.at("name").string())
                .collect(),
            readiness_gates: spec
                .at("readinessGates")
                .list()
                .map(|g| g.at("conditionType").string())
                .collect(),
            priority: spec.at("priority").whole().unwrap_or(0),
            may_preempt: spec.at("preemptionPolicy").text() != Some("Never"),
            restart_policy: spec
                .at("restartPolicy")
                .filled()
                .unwrap_or_else(|| "Always".to_owned()),
            is_on_host_network: spec.at("hostNetwork").flag(),
            labels,
        }
    }

    /// Has it ended for good? Then it takes nothing of its node any more.
    pub fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Succeeded | Phase::Failed)
    }

    /// Waits for a node?
    pub fn is_unplaced(&self) -> bool {
        self.node.is_none() && self.phase == Phase::Pending && self.deleted.is_none()
    }

    /// The condition of this type.
    pub fn condition(&self, kind: &str) -> Option<&Condition> {
        self.conditions.iter().find(|c| c.kind == kind)
    }

    /// Runs, and takes traffic? Where nothing but the phase was recorded, a running pod does.
    pub fn is_ready(&self) -> bool {
        let all_ready = || {
            self.containers
                .iter()
                .all(|c| c.is_ready || c.state == State::Unknown)
        };
        self.phase == Phase::Running
            && self.deleted.is_none()
            && self
                .condition("Ready")
                .map_or_else(all_ready, |c| c.status == "True")
    }

    /// The ports on the node that it wants for itself.
    pub fn host_ports(&self) -> Vec<&HostPort> {
        let running = self
            .containers
            .iter()
            .chain(self.init.iter().filter(|c| c.is_sidecar));
        running
            .flat_map(|c| {
                c.host_ports
                    .iter()
                    .chain(c.ports.iter().filter(|_| self.is_on_host_network))
            })
            .collect()
    }

    /// All its containers, init containers first.
    pub fn all_containers(&self) -> impl Iterator<Item = &Container> {
        self.init.iter().chain(&self.containers)
    }

    /// Has the kubelet written anything about its containers?
    pub fn has_container_status(&self) -> bool {
        self.all_containers().any(|c| c.state != State::Unknown)
    }

    /// How often its containers were started again, together.
    pub fn restarts(&self) -> i64 {
        self.all_containers().map(|c| c.restarts).sum()
    }
}

/// The scheduler that places pods which name none.
pub const DEFAULT_SCHEDULER: &str = "default-scheduler";

fn phase(text: Option<&str>) -> Phase {
    match text {
        Some("Running") => Phase::Running,
        Some("Succeeded") => Phase::Succeeded,
        Some("Failed") => Phase::Failed,
        Some("Unknown") => Phase::Unknown,
        _ => Phase::Pending,
    }
}

/// A static pod's kubelet events carry the hash of its file instead of the API server's uid.
fn uids(meta: Place<'_>) -> Vec<String> {
    let annotations = meta.at("annotations");
    [
        meta.at("uid"),
        annotations.at("kubernetes.io/config.hash"),
        annotations.at("kubernetes.io/config.mirror"),
    ]
    .into_iter()
    .filter_map(Place::filled)
    .collect()
}

/// The controlling owner, else the first one.
pub fn owner(meta: Place<'_>) -> Option<Owner> {
    let owners: Vec<Place<'_>> = meta.at("ownerReferences").list().collect();
    let chosen = owners
        .iter()
        .find(|o| o.at("controller").flag())
        .or(owners.first())?;
    Some(Owner {
        kind: chosen.at("kind").filled()?,
        name: chosen.at("name").filled()?,
    })
}

fn containers(specs: Place<'_>, statuses: Place<'_>) -> Vec<Container> {
    let by_name: BTreeMap<&str, Place<'_>> = statuses
        .list()
        .filter_map(|s| Some((s.at("name").text()?, s)))
        .collect();
    specs
        .list()
        .map(|spec| {
            let status = spec.at("name").text().and_then(|n| by_name.get(n)).copied();
            Container::read(spec, status)
        })
        .collect()
}

fn containers_of_init(spec: Place<'_>, status: Place<'_>) -> Vec<Container> {
    containers(
        spec.at("initContainers"),
        status.at("initContainerStatuses"),
    )
}

fn claims(meta: Place<'_>, spec: Place<'_>) -> Vec<ClaimUse> {
    let pod = meta.at("name").string();
    spec.at("volumes")
        .list()
        .filter_map(|v| {
            if let Some(claim) = v.at("persistentVolumeClaim").at("claimName").filled() {
                return Some(ClaimUse {
                    claim,
                    is_ephemeral: false,
                });
            }
            let name = v
                .at("name")
                .filled()
                .filter(|_| v.at("ephemeral").is_present())?;
            Some(ClaimUse {
                claim: format!("{pod}-{name}"),
                is_ephemeral: true,
            })
        })
        .collect()
}
