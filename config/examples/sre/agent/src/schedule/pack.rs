//! How many nodes of which size would take the waiting pods: bin packing with the real filters.
//!
//! # Why
//! First fit, largest first, in several orders of "largest", is optimal for equal pods, which is
//! what a deployment has; where it stays above the bound that the sums give and the pods are few,
//! all arrangements are tried within a budget, so that a handful of unequal pods is exact too.

use crate::kube::Key;
use crate::kube::pod::Pod;
use crate::kube::quantity::Quantity;

use super::refusal::Obstacle;
use super::world::{Template, World};

/// More pods than this are not packed: the answer is then a lower bound.
pub const MAX_PACKED: usize = 400;
/// Up to so many pods, all arrangements are tried.
const MAX_EXACT: usize = 14;
/// Steps of that search.
const EXACT_BUDGET: usize = 20_000;
/// Different sizes of nodes that are tried.
const MAX_SIZES: usize = 8;

/// A pod that waits, and the recorded nodes that would take it.
#[derive(Debug, Clone)]
pub struct Waiting<'a> {
    /// The pod.
    pub pod: &'a Pod,
    /// Recorded nodes that would take it as they are.
    pub takers: Vec<usize>,
}

/// So many nodes of one size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cure {
    /// The node whose size it is.
    pub like: String,
    /// That size.
    pub size: String,
    /// The nodes of that size without the taints of that node?
    pub is_bare: bool,
    /// How many.
    pub nodes: usize,
    /// The pods that they take.
    pub placed: Vec<Key>,
    /// The pods that no node of that size takes.
    pub left: Vec<Key>,
    /// Could fewer do? Not when this is true.
    pub is_exact: bool,
    capacity: Quantity,
}

/// For each size of node that takes any of the pods, how many of them are needed; the best first:
/// it takes the most pods, with the fewest nodes, of the smallest size.
pub fn cures(world: &World<'_>, waiting: &[Waiting<'_>]) -> Vec<Cure> {
    let waiting = &waiting[..waiting.len().min(MAX_PACKED)];
    let mut cures = of_templates(world, waiting, false);
    if cures.is_empty() {
        cures = of_templates(world, waiting, true);
    }
    cures.sort_by(|a, b| {
        (a.left.len(), a.nodes, a.capacity, &a.like).cmp(&(
            b.left.len(),
            b.nodes,
            b.capacity,
            &b.like,
        ))
    });
    cures
}

fn of_templates(world: &World<'_>, waiting: &[Waiting<'_>], is_bare: bool) -> Vec<Cure> {
    let mut seen: Vec<String> = Vec::new();
    let mut cures = Vec::new();
    for slot in 0..world.slots.len() {
        let node = &world.slots[slot].node;
        let taints: Vec<String> = node
            .taints
            .iter()
            .map(super::super::kube::placement::Taint::shown)
            .collect();
        let shape = format!("{:?} {taints:?} {:?}", node.allocatable, node.zone());
        if world.slots[slot].is_new || seen.contains(&shape) {
            continue;
        }
        let template = Template { slot, is_bare };
        if is_bare && node.is_of_control_plane() {
            continue;
        }
        // A size that takes none is no size: another node of it may carry the wanted labels.
        if let Some(cure) = of_template(world, waiting, &template) {
            seen.push(shape);
            cures.push(cure);
            if cures.len() >= MAX_SIZES {
                break;
            }
        }
    }
    cures
}

fn of_template(world: &World<'_>, waiting: &[Waiting<'_>], template: &Template) -> Option<Cure> {
    let mut alone = world.clone();
    alone.add_like(template);
    let new = alone.slots.len() - 1;
    let (fitting, left): (Vec<&Waiting<'_>>, Vec<&Waiting<'_>>) =
        waiting.iter().partition(|w| alone.takes(w.pod, new, &[]));
    if fitting.is_empty() {
        return None;
    }
    let bound = lower_bound(&alone, new, &fitting);
    let mut best: Option<Packing> = None;
    for order in orders(&fitting) {
        let packing = first_fit(world, &order, template);
        if best.as_ref().is_none_or(|b| packing.rank() < b.rank()) {
            best = Some(packing);
        }
    }
    let mut best = best?;
    let mut is_exact = best.nodes <= bound;
    if best.left.is_empty() && fitting.len() <= MAX_EXACT {
        while best.nodes > bound {
            match exact(world, &fitting, template, best.nodes - 1) {
                Search::Found(fewer) => best = fewer,
                Search::Impossible => {
                    is_exact = true;
                    break;
                }
                Search::GivenUp => break,
            }
        }
        is_exact |= best.nodes <= bound;
    }
    let template_node = &world.slots[template.slot].node;
    let mut left: Vec<Key> = left.iter().map(|w| w.pod.key.clone()).collect();
    left.extend(best.left.iter().cloned());
    left.sort();
    (best.nodes > 0).then(|| Cure {
        like: template_node.name.clone(),
        size: template_node.size(),
        is_bare: template.is_bare && !template_node.taints.is_empty(),
        nodes: best.nodes,
        is_exact,
        placed: best.placed,
        left,
        capacity: template_node.allocatable.get("cpu"),
    })
}

/// What the sums alone demand, when nothing fits elsewhere.
fn lower_bound(alone: &World<'_>, new: usize, fitting: &[&Waiting<'_>]) -> usize {
    let mut bound = 1;
    if fitting.iter().any(|w| !w.takers.is_empty()) {
        return bound;
    }
    for (resource, _) in alone.slots[new].node.allocatable.iter() {
        let free = alone.slots[new].free(resource);
        let sum = fitting
            .iter()
            .fold(Quantity::ZERO, |sum, w| sum + w.pod.requests.get(resource));
        // The smallest n with n * free >= sum.
        let whole = sum.times(free).unwrap_or(0);
        let needed = whole.saturating_add(i64::from(free.many(whole) < sum));
        bound = bound.max(usize::try_from(needed).unwrap_or(usize::MAX));
    }
    bound
}

struct Packing {
    nodes: usize,
    placed: Vec<Key>,
    left: Vec<Key>,
}

impl Packing {
    fn rank(&self) -> (usize, usize) {
        (self.left.len(), self.nodes)
    }
}

/// The pods, largest first, by each of the resources that they ask for.
fn orders<'w, 'a>(waiting: &[&'w Waiting<'a>]) -> Vec<Vec<&'w Waiting<'a>>> {
    let mut resources: Vec<&str> = waiting
        .iter()
        .flat_map(|w| w.pod.requests.iter().map(|(n, _)| n))
        .collect();
    resources.sort_unstable();
    resources.dedup();
    if resources.is_empty() {
        return vec![waiting.to_vec()];
    }
    let by = |resource: &&str| {
        let mut order = waiting.to_vec();
        order.sort_by(|a, b| {
            let size = |w: &Waiting<'_>| w.pod.requests.get(resource);
            size(b)
                .cmp(&size(a))
                .then_with(|| a.pod.key.cmp(&b.pod.key))
        });
        order
    };
    resources.iter().map(by).collect()
}

fn first_fit<'a>(world: &World<'a>, order: &[&Waiting<'a>], template: &Template) -> Packing {
    let mut trial = world.clone();
    let first_new = trial.slots.len();
    let (mut placed, mut left) = (Vec::new(), Vec::new());
    for waiting in order {
        let pod = waiting.pod;
        if let Some(old) = waiting.takers.iter().find(|s| trial.takes(pod, **s, &[])) {
            trial.place(pod, *old);
            continue;
        }
        let open = (first_new..trial.slots.len()).find(|s| trial.takes(pod, *s, &[]));
        let slot = open.or_else(|| {
            trial.add_like(template);
            let new = trial.slots.len() - 1;
            trial.takes(pod, new, &[]).then_some(new)
        });
        match slot {
            Some(slot) => {
                trial.place(pod, slot);
                placed.push(pod.key.clone());
            }
            None => left.push(pod.key.clone()),
        }
    }
    // A node that was opened in vain stays empty.
    placed.sort();
    let own = |p: &&Pod| placed.binary_search(&p.key).is_ok();
    let nodes = trial.slots[first_new..]
        .iter()
        .filter(|s| s.pods.iter().any(&own))
        .count();
    Packing {
        nodes,
        placed,
        left,
    }
}

enum Search {
    Found(Packing),
    Impossible,
    GivenUp,
}

/// Tries all arrangements on `nodes` new nodes, within a budget.
fn exact<'a>(
    world: &World<'a>,
    waiting: &[&Waiting<'a>],
    template: &Template,
    nodes: usize,
) -> Search {
    let mut trial = world.clone();
    let first_new = trial.slots.len();
    for _ in 0..nodes {
        trial.add_like(template);
    }
    let Some(order) = orders(waiting).into_iter().next() else {
        return Search::Impossible;
    };
    let mut budget = EXACT_BUDGET;
    if arrange(&mut trial, &order, first_new, &mut budget) {
        let mut placed: Vec<Key> = waiting.iter().map(|w| w.pod.key.clone()).collect();
        placed.sort();
        return Search::Found(Packing {
            nodes,
            placed,
            left: Vec::new(),
        });
    }
    if budget == 0 {
        Search::GivenUp
    } else {
        Search::Impossible
    }
}

fn arrange<'a>(
    trial: &mut World<'a>,
    rest: &[&Waiting<'a>],
    first_new: usize,
    budget: &mut usize,
) -> bool {
    let Some((next, rest)) = rest.split_first() else {
        return true;
    };
    let mut tried_empty = false;
    let choices: Vec<usize> = next
        .takers
        .iter()
        .copied()
        .chain(first_new..trial.slots.len())
        .collect();
    for slot in choices {
        if *budget == 0 {
            return false;
        }
        *budget -= 1;
        // Empty nodes are all alike: one of them stands for all.
        let is_empty = slot >= first_new && trial.slots[slot].pods.iter().all(|p| p.node.is_some());
        if is_empty && std::mem::replace(&mut tried_empty, true) {
            continue;
        }
        if trial.takes(next.pod, slot, &[]) {
            trial.place(next.pod, slot);
            if arrange(trial, rest, first_new, budget) {
                return true;
            }
            trial.take_back(slot);
        }
    }
    false
}

/// Puts the pods onto recorded nodes as if reasons of the `ignored` families did not count;
/// answers the world after that and who went where.
pub fn settle<'a>(
    world: &World<'a>,
    pods: &[&'a Pod],
    ignored: &[Obstacle],
) -> (World<'a>, Vec<(Key, usize)>) {
    let mut after = world.clone();
    let recorded = after.slots.len();
    let mut settled = Vec::new();
    for pod in pods.iter().take(MAX_PACKED) {
        if let Some(slot) = (0..recorded).find(|s| after.takes(pod, *s, ignored)) {
            after.place(pod, slot);
            settled.push((pod.key.clone(), slot));
        }
    }
    (after, settled)
}
