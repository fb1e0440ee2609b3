//! Why one node refuses one pod.

use crate::kube::quantity::Quantity;

/// The families of reasons, in the order in which they are worth curing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Obstacle {
    /// The node is not ready or under pressure.
    Health,
    /// The node is cordoned.
    Cordon,
    /// The node has too little room.
    Room,
    /// A taint that somebody set on purpose.
    Taint,
    /// A port of the node is taken.
    Port,
    /// Pods that must not be near are near.
    Apart,
    /// The pods would be spread too unevenly.
    Spread,
    /// Pods that must be near are not.
    Near,
    /// A volume cannot be reached from the node.
    Volume,
    /// The pod chooses other nodes by label or name.
    Selector,
    /// The node belongs to the control plane.
    ControlPlane,
}

/// Too little of one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shortfall {
    /// `cpu`, `memory`, `pods`, …
    pub resource: String,
    /// What the pod asks for.
    pub needs: Quantity,
    /// What is free.
    pub free: Quantity,
    /// What the node has in all.
    pub allocatable: Quantity,
}

/// One reason of one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Its family.
    pub obstacle: Obstacle,
    /// The words of the scheduler, as they stand after the number of nodes.
    pub label: String,
    /// What exactly is in the way.
    pub detail: String,
    /// The numbers, where room is short.
    pub shortfall: Option<Shortfall>,
}

impl Refusal {
    /// A reason without numbers.
    pub fn new(obstacle: Obstacle, label: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            obstacle,
            label: label.into(),
            detail: detail.into(),
            shortfall: None,
        }
    }

    /// Too little room.
    pub fn short(shortfall: Shortfall) -> Self {
        let Shortfall {
            resource,
            needs,
            free,
            allocatable,
        } = &shortfall;
        let (label, detail) = if resource == "pods" {
            (
                "Too many pods".to_owned(),
                format!(
                    "all {} places for pods are taken",
                    allocatable.shown(resource)
                ),
            )
        } else {
            let detail = format!(
                "{resource}: needs {}, free {} of {}",
                needs.shown(resource),
                free.shown(resource),
                allocatable.shown(resource)
            );
            (format!("Insufficient {resource}"), detail)
        };
        Self {
            obstacle: Obstacle::Room,
            label,
            detail,
            shortfall: Some(shortfall),
        }
    }
}
