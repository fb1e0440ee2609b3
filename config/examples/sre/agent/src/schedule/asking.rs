//! One pod asks the nodes of a world, as it is at this moment.
//!
//! # Why
//! What the pods of the whole cluster mean for one pod (who is near whom, how they are spread) is
//! the same for each node that it asks: it is found out once.

use crate::kube::pod::Pod;

use super::neighbours::Neighbourhood;
use super::refusal::{Obstacle, Refusal};
use super::world::World;
use super::{filters, storage};

/// A pod and what the world means for it.
pub struct Asking<'w, 'a> {
    world: &'w World<'a>,
    pod: &'w Pod,
    neighbourhood: Neighbourhood<'w>,
}

impl<'w, 'a> Asking<'w, 'a> {
    /// Finds out what the world means for this pod.
    pub fn of(world: &'w World<'a>, pod: &'w Pod) -> Self {
        Self {
            world,
            pod,
            neighbourhood: Neighbourhood::of(world, pod),
        }
    }

    /// Every reason for which the node refuses the pod, in the scheduler's order.
    pub fn refusals(&self, slot: usize) -> Vec<Refusal> {
        let (pod, here) = (self.pod, &self.world.slots[slot]);
        let mut refusals = Vec::new();
        filters::on_node(pod, &here.node, &mut refusals);
        filters::ports(pod, here, &mut refusals);
        filters::room(pod, here, &mut refusals);
        storage::on_node(self.world.cluster, pod, &here.node, &mut refusals);
        self.neighbourhood.on_node(&here.node, &mut refusals);
        refusals
    }

    /// Does the node take the pod, if the reasons of the `ignored` families do not count?
    pub fn is_taken(&self, slot: usize, ignored: &[Obstacle]) -> bool {
        !filters::refuses_at_once(self.pod, &self.world.slots[slot], ignored)
            && self
                .refusals(slot)
                .iter()
                .all(|r| ignored.contains(&r.obstacle))
    }

    /// The first of these nodes that takes the pod.
    pub fn taker(
        &self,
        slots: impl IntoIterator<Item = usize>,
        ignored: &[Obstacle],
    ) -> Option<usize> {
        slots.into_iter().find(|slot| self.is_taken(*slot, ignored))
    }
}
