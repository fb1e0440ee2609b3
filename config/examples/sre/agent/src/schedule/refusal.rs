//! Why one node refuses one pod.

use std::borrow::Cow;

use crate::kube::placement::Taint;
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
///
/// It is put into words only where somebody asks: large clusters have hundreds of thousands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Its family.
    pub obstacle: Obstacle,
    what: What,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum What {
    Taint(Box<Taint>),
    Short(Box<Shortfall>),
    Said {
        label: &'static str,
        detail: Cow<'static, str>,
    },
}

impl Refusal {
    /// A reason in words: those of the scheduler, as they stand after the number of nodes, and
    /// what exactly is in the way.
    pub fn new(
        obstacle: Obstacle,
        label: &'static str,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            obstacle,
            what: What::Said {
                label,
                detail: detail.into(),
            },
        }
    }

    /// A taint that is not tolerated.
    pub fn taint(obstacle: Obstacle, taint: &Taint) -> Self {
        Self {
            obstacle,
            what: What::Taint(Box::new(taint.clone())),
        }
    }

    /// Too little room.
    pub fn short(shortfall: Shortfall) -> Self {
        Self {
            obstacle: Obstacle::Room,
            what: What::Short(Box::new(shortfall)),
        }
    }

    /// The numbers, where room is short.
    pub fn shortfall(&self) -> Option<&Shortfall> {
        match &self.what {
            What::Short(shortfall) => Some(shortfall),
            What::Taint(_) | What::Said { .. } => None,
        }
    }

    /// The words of the scheduler, as they stand after the number of nodes.
    pub fn label(&self) -> Cow<'static, str> {
        match &self.what {
            What::Said { label, .. } => Cow::Borrowed(label),
            What::Taint(taint) => {
                let (key, value) = (&taint.key, &taint.value);
                Cow::Owned(format!("node(s) had untolerated taint {{{key}: {value}}}"))
            }
            What::Short(short) if short.resource == "pods" => Cow::Borrowed("Too many pods"),
            What::Short(short) => Cow::Owned(format!("Insufficient {}", short.resource)),
        }
    }

    /// What exactly is in the way.
    pub fn detail(&self) -> Cow<'_, str> {
        match &self.what {
            What::Said { detail, .. } => Cow::Borrowed(detail),
            What::Taint(taint) => Cow::Owned(format!("taint {} is not tolerated", taint.shown())),
            What::Short(short) => {
                let Shortfall {
                    resource,
                    needs,
                    free,
                    allocatable,
                } = short.as_ref();
                let all = allocatable.shown(resource);
                Cow::Owned(if resource == "pods" {
                    format!("all {all} places for pods are taken")
                } else {
                    let (needs, free) = (needs.shown(resource), free.shown(resource));
                    format!("{resource}: needs {needs}, free {free} of {all}")
                })
            }
        }
    }
}
