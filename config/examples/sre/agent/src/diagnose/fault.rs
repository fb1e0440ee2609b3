//! A fault: one thing that is wrong, with everything that it touches.

use std::collections::BTreeSet;

use crate::kube::Key;
use crate::kube::workload::WorkloadId;
use crate::outcome::Severity;

/// The kinds of faults, those that explain others first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// A node does not work.
    NodeDown,
    /// A node runs out of memory, disk, processes, or has no network.
    NodePressure,
    /// Nodes were taken out of scheduling.
    Cordon,
    /// Not enough free room on the nodes that may take the pods.
    Shortage,
    /// More than any node has.
    TooLarge,
    /// Taints that the pods do not tolerate.
    Taint,
    /// No node has the wanted labels or name.
    Selector,
    /// Pods must stay apart.
    Apart,
    /// Pods must be spread.
    Spread,
    /// Pods must be near others.
    Near,
    /// A port of the node is taken.
    HostPort,
    /// A claim or volume is not to be had.
    Volume,
    /// A namespace's quota is used up, or creation is forbidden.
    Creation,
    /// The pod waits for somebody to open its gate.
    Gate,
    /// No scheduler looks at the pod.
    Scheduler,
    /// The image cannot be had.
    Image,
    /// A config map, secret or key is missing, or the configuration is refused.
    Config,
    /// A volume cannot be mounted or attached.
    Mount,
    /// The pod gets no network.
    Sandbox,
    /// The container cannot be started.
    Start,
    /// Killed for memory.
    OutOfMemory,
    /// Killed by its liveness or startup probe.
    Liveness,
    /// The program ends by itself.
    Crash,
    /// An init container does not finish.
    Init,
    /// Runs but does not pass its readiness probe or gate.
    Readiness,
    /// Put off its node.
    Evicted,
    /// Cannot be deleted.
    Terminating,
    /// Ended badly and nobody starts it again.
    Failed,
    /// Pending or waiting for no reason that the recording shows.
    Unexplained,
    /// Restarted often, stable now.
    Restarts,
    /// A trace of something that is over.
    History,
}

/// One fault, or one trace of an earlier one (severity info).
#[derive(Debug, Clone)]
pub struct Fault {
    /// Its kind.
    pub cause: Cause,
    /// How bad it is.
    pub severity: Severity,
    /// One line.
    pub title: String,
    /// Why, in whole sentences.
    pub explanation: String,
    /// Numbers and names.
    pub evidence: Vec<String>,
    /// What to do.
    pub cure: String,
    /// The workloads that suffer.
    pub workloads: BTreeSet<WorkloadId>,
    /// The pods that suffer.
    pub pods: BTreeSet<Key>,
    /// The nodes that are ill themselves.
    pub nodes: BTreeSet<String>,
    /// Other objects by name: claims, quotas, classes, config maps.
    pub objects: BTreeSet<String>,
    /// Ill nodes whose return would cure it.
    pub awaits_nodes: BTreeSet<String>,
    /// How sure this is, from 0.0 to 1.0.
    pub confidence: f64,
    /// The place of the fault that this one follows from.
    pub follows_from: Option<usize>,
    /// Why it follows from that one.
    pub link: String,
    /// How sure that is.
    pub link_confidence: f64,
}

impl Fault {
    /// A fault that touches nothing yet.
    pub fn new(cause: Cause, severity: Severity, title: impl Into<String>) -> Self {
        Self {
            cause,
            severity,
            title: title.into(),
            explanation: String::new(),
            evidence: Vec::new(),
            cure: String::new(),
            workloads: BTreeSet::new(),
            pods: BTreeSet::new(),
            nodes: BTreeSet::new(),
            objects: BTreeSet::new(),
            awaits_nodes: BTreeSet::new(),
            confidence: 0.9,
            follows_from: None,
            link: String::new(),
            link_confidence: 1.0,
        }
    }

    /// Is it wrong now, and not only a trace?
    pub fn is_present(&self) -> bool {
        self.severity > Severity::Info
    }
}
