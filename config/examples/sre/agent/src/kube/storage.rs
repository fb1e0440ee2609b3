//! Claims, volumes and storage classes.

use super::label::{LabelSelector, Labels, NodeSelector};
use super::moment::Moment;
use super::place::Place;
use super::quantity::Quantity;
use super::{Condition, Key};

/// What a pod asks of storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Namespace and name.
    pub key: Key,
    /// Identity, for events.
    pub uid: String,
    /// `Pending`, `Bound` or `Lost`.
    pub phase: String,
    /// None: the default class; empty: no class, only volumes made by hand.
    pub class: Option<String>,
    /// The volume that it is bound to or insists on.
    pub volume: Option<String>,
    /// The size that it asks for.
    pub size: Quantity,
    /// How it wants to be mounted.
    pub access_modes: Vec<String>,
    /// `Filesystem` or `Block`.
    pub mode: String,
    /// Labels that the volume must carry, if any are demanded.
    pub selector: Option<LabelSelector>,
    /// When it was made.
    pub created: Option<Moment>,
    /// Being deleted?
    pub deleted: Option<Moment>,
    /// The node for which a volume is being made.
    pub selected_node: Option<String>,
    /// Conditions such as `Resizing`.
    pub conditions: Vec<Condition>,
}

/// Set on a claim once the scheduler has chosen a node for its first consumer.
const SELECTED_NODE: &str = "volume.kubernetes.io/selected-node";
/// How claims named their class before there was a field for it.
const CLASS_ANNOTATION: &str = "volume.beta.kubernetes.io/storage-class";

impl Claim {
    /// Reads a claim.
    pub fn read(object: Place<'_>) -> Self {
        let (meta, spec) = (object.at("metadata"), object.at("spec"));
        let annotation = meta.at("annotations").at(CLASS_ANNOTATION).text();
        let class = spec
            .at("storageClassName")
            .text()
            .or(annotation)
            .map(str::to_owned);
        Self {
            key: Key {
                namespace: meta.at("namespace").string(),
                name: meta.at("name").string(),
            },
            uid: meta.at("uid").string(),
            phase: object
                .at("status")
                .at("phase")
                .filled()
                .unwrap_or_else(|| "Pending".to_owned()),
            class,
            volume: spec.at("volumeName").filled(),
            size: size(spec.at("resources").at("requests").at("storage")),
            access_modes: spec.at("accessModes").strings(),
            mode: mode(spec),
            selector: spec
                .at("selector")
                .is_present()
                .then(|| LabelSelector::read(spec.at("selector"))),
            created: meta.at("creationTimestamp").moment(),
            deleted: meta.at("deletionTimestamp").moment(),
            selected_node: meta.at("annotations").at(SELECTED_NODE).filled(),
            conditions: Condition::list(object),
        }
    }

    /// Bound to a volume?
    pub fn is_bound(&self) -> bool {
        self.phase == "Bound"
    }
}

/// A piece of storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volume {
    /// Its name.
    pub name: String,
    /// Its labels.
    pub labels: Labels,
    /// `Available`, `Bound`, `Released`, `Failed`, `Pending`.
    pub phase: String,
    /// The class that it belongs to; empty for none.
    pub class: String,
    /// Its size.
    pub size: Quantity,
    /// How it may be mounted.
    pub access_modes: Vec<String>,
    /// `Filesystem` or `Block`.
    pub mode: String,
    /// The claim that it is given or promised to.
    pub claim: Option<Key>,
    /// The nodes from which it can be reached.
    pub nodes: Option<NodeSelector>,
    /// Why it failed, may be empty.
    pub message: String,
}

impl Volume {
    /// Reads a volume.
    pub fn read(object: Place<'_>) -> Self {
        let (meta, spec, status) = (
            object.at("metadata"),
            object.at("spec"),
            object.at("status"),
        );
        let claim = spec.at("claimRef");
        let class = spec.at("storageClassName").text();
        let annotation = meta.at("annotations").at(CLASS_ANNOTATION).text();
        Self {
            name: meta.at("name").string(),
            labels: meta.at("labels").labels(),
            phase: status.at("phase").string(),
            class: class.or(annotation).unwrap_or_default().to_owned(),
            size: size(spec.at("capacity").at("storage")),
            access_modes: spec.at("accessModes").strings(),
            mode: mode(spec),
            claim: claim.at("name").filled().map(|name| Key {
                namespace: claim.at("namespace").string(),
                name,
            }),
            nodes: NodeSelector::read(spec.at("nodeAffinity").at("required")),
            message: status.at("message").string(),
        }
    }
}

/// A way to make volumes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StorageClass {
    /// Its name.
    pub name: String,
    /// Who makes the volumes.
    pub provisioner: String,
    /// Waits for a pod before a volume is made or bound?
    pub waits_for_consumer: bool,
    /// Taken for claims that name none?
    pub is_default: bool,
    /// The nodes for which volumes can be made, if they are restricted.
    pub topologies: Vec<Vec<(String, Vec<String>)>>,
}

/// The provisioner of classes whose volumes are made by hand.
pub const NO_PROVISIONER: &str = "kubernetes.io/no-provisioner";

impl StorageClass {
    /// Reads a storage class.
    pub fn read(object: Place<'_>) -> Self {
        let annotations = object.at("metadata").at("annotations");
        let is_set = |key: &str| annotations.at(key).text() == Some("true");
        Self {
            name: object.at("metadata").at("name").string(),
            provisioner: object.at("provisioner").string(),
            waits_for_consumer: object.at("volumeBindingMode").text()
                == Some("WaitForFirstConsumer"),
            is_default: is_set("storageclass.kubernetes.io/is-default-class")
                || is_set("storageclass.beta.kubernetes.io/is-default-class"),
            topologies: object
                .at("allowedTopologies")
                .list()
                .map(|t| {
                    t.at("matchLabelExpressions")
                        .list()
                        .map(|e| (e.at("key").string(), e.at("values").strings()))
                        .collect()
                })
                .collect(),
        }
    }

    /// Can a volume of this class be made for a node with these labels?
    pub fn reaches(&self, labels: &Labels) -> bool {
        self.topologies.is_empty()
            || self.topologies.iter().any(|term| {
                term.iter()
                    .all(|(k, values)| labels.get(k).is_some_and(|v| values.contains(v)))
            })
    }
}

fn size(place: Place<'_>) -> Quantity {
    place.value().and_then(Quantity::of).unwrap_or_default()
}

fn mode(spec: Place<'_>) -> String {
    spec.at("volumeMode")
        .filled()
        .unwrap_or_else(|| "Filesystem".to_owned())
}
