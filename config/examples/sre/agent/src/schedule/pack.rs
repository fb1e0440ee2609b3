//! How many nodes of which size would take the waiting pods: bin packing with the real filters.
//!
//! # Why
//! First fit, largest first, in several orders of "largest", is optimal for equal pods, which is
//! what a deployment has; where it stays above the bound that the sums give and the pods are few,
//! all arrangements are tried within a budget, so that a handful of unequal pods is exact too.

use std::collections::BTreeSet;

use crate::kube::Key;
use crate::kube::placement::Taint;
use crate::kube::pod::Pod;
use crate::kube::quantity::Quantity;

use super::asking::Asking;
use super::refusal::Obstacle;
use super::world::{Template, World};

/// More pods than this are not packed: the answer is then a lower bound.
pub const MAX_PACKED: usize = 400;
/// More waiting pods than this are not put anywhere.
const MAX_SETTLED: usize = 5000;
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
pub fn cures<'a>(world: &mut World<'a>, waiting: &[Waiting<'a>]) -> Vec<Cure> {
    let waiting = &waiting[..waiting.len().min(MAX_PACKED)];
    let mut cures = of_templates(world, waiting, false);
    if cures.is_empty() {
        cures = of_templates(world, waiting, true);
    }
    cures.sort_by(|a, b| {
        let rank = |c: &Cure| (c.left.len(), c.nodes, c.capacity);
        rank(a).cmp(&rank(b)).then_with(|| a.like.cmp(&b.like))
    });
    cures
}

fn of_templates<'a>(world: &mut World<'a>, waiting: &[Waiting<'a>], is_bare: bool) -> Vec<Cure> {
    // Where a node stands matters only to pods that look at it.
    let by_place = waiting.iter().any(|w| {
        let rules = &w.pod.placement;
        let neighbours =
            !rules.spread.is_empty() || !rules.near.is_empty() || !rules.apart.is_empty();
        neighbours || !w.pod.claims.is_empty()
    });
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let mut cures = Vec::new();
    let recorded = world.slots.len();
    for slot in 0..recorded {
        let node = &world.slots[slot].node;
        let taints: Vec<String> = node.taints.iter().map(Taint::shown).collect();
        let place = node.zone().filter(|_| by_place);
        let shape = format!("{:?} {taints:?} {place:?}", node.allocatable);
        if seen.contains(&shape) || (is_bare && node.is_of_control_plane()) {
            continue;
        }
        let template = Template { slot, is_bare };
        // A size that takes none is no size: another node of it may carry the wanted labels.
        if let Some(cure) = of_template(world, waiting, &template) {
            seen.insert(shape);
            cures.push(cure);
            if cures.len() >= MAX_SIZES {
                break;
            }
        }
    }
    cures
}

fn of_template<'a>(
    world: &mut World<'a>,
    waiting: &[Waiting<'a>],
    template: &Template,
) -> Option<Cure> {
    let mark = world.mark();
    world.add_like(template);
    let new = world.slots.len() - 1;
    let (fitting, left): (Vec<&Waiting<'a>>, Vec<&Waiting<'a>>) = waiting
        .iter()
        .partition(|w| Asking::of(world, w.pod).is_taken(new, &[]));
    let bound = lower_bound(world, new, &fitting);
    world.restore(mark, &[]);
    if fitting.is_empty() {
        return None;
    }
    let packings = orders(&fitting)
        .into_iter()
        .map(|order| first_fit(world, &order, template));
    let mut best = packings.min_by_key(Packing::rank)?;
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
    let like = &world.slots[template.slot].node;
    let mut left: Vec<Key> = left.iter().map(|w| w.pod.key.clone()).collect();
    left.extend(best.left.iter().cloned());
    left.sort();
    (best.nodes > 0).then(|| Cure {
        like: like.name.clone(),
        size: like.size(),
        is_bare: template.is_bare && !like.taints.is_empty(),
        nodes: best.nodes,
        is_exact,
        placed: best.placed,
        left,
        capacity: like.allocatable.get("cpu"),
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
        // Pods of more than half a node cannot share one.
        let needs = |w: &&&Waiting<'_>| w.pod.requests.get(resource).many(2) > free;
        bound = bound.max(fitting.iter().filter(needs).count());
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

fn first_fit<'a>(world: &mut World<'a>, order: &[&Waiting<'a>], template: &Template) -> Packing {
    let mark = world.mark();
    let first_new = world.slots.len();
    let (mut used, mut placed, mut left) = (Vec::new(), Vec::new(), Vec::new());
    for waiting in order {
        let pod = waiting.pod;
        let asking = Asking::of(world, pod);
        let slots = waiting
            .takers
            .iter()
            .copied()
            .chain(first_new..world.slots.len());
        let slot = asking.taker(slots, &[]).or_else(|| {
            world.add_like(template);
            let new = world.slots.len() - 1;
            Asking::of(world, pod).is_taken(new, &[]).then_some(new)
        });
        let Some(slot) = slot else {
            left.push(pod.key.clone());
            continue;
        };
        world.place(pod, slot);
        used.push(slot);
        if slot >= first_new {
            placed.push(pod.key.clone());
        }
    }
    // A node that was opened in vain stays empty.
    let nodes = used
        .iter()
        .filter(|s| **s >= first_new)
        .collect::<BTreeSet<_>>()
        .len();
    world.restore(mark, &used);
    placed.sort();
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
    world: &mut World<'a>,
    waiting: &[&Waiting<'a>],
    template: &Template,
    nodes: usize,
) -> Search {
    let Some(order) = orders(waiting).into_iter().next() else {
        return Search::Impossible;
    };
    let mark = world.mark();
    let first_new = world.slots.len();
    for _ in 0..nodes {
        world.add_like(template);
    }
    let mut budget = EXACT_BUDGET;
    let mut used = Vec::new();
    let found = arrange(world, &order, first_new, &mut used, &mut budget);
    world.restore(mark, &used);
    if found {
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
    used: &mut Vec<usize>,
    budget: &mut usize,
) -> bool {
    let Some((next, rest)) = rest.split_first() else {
        return true;
    };
    let mut tried_empty = false;
    let new = first_new..trial.slots.len();
    let choices: Vec<usize> = next.takers.iter().copied().chain(new).collect();
    for slot in choices {
        if *budget == 0 {
            return false;
        }
        *budget -= 1;
        // Empty nodes are all alike: one of them stands for all.
        let is_empty = slot >= first_new && !used.contains(&slot);
        if is_empty && std::mem::replace(&mut tried_empty, true) {
            continue;
        }
        if Asking::of(trial, next.pod).is_taken(slot, &[]) {
            trial.place(next.pod, slot);
            used.push(slot);
            if arrange(trial, rest, first_new, used, budget) {
                return true;
            }
            used.pop();
            trial.take_back(slot);
        }
    }
    false
}

/// Puts the pods onto recorded nodes as if reasons of the `ignored` families did not count;
/// answers who went where.
pub fn settle<'a>(
    world: &mut World<'a>,
    pods: &[&'a Pod],
    ignored: &[Obstacle],
) -> Vec<(Key, usize)> {
    let recorded = world.slots.len();
    let mut settled = Vec::new();
    for pod in pods.iter().take(MAX_SETTLED) {
        if let Some(slot) = Asking::of(world, pod).taker(0..recorded, ignored) {
            world.place(pod, slot);
            settled.push((pod.key.clone(), slot));
        }
    }
    settled
}

/// The same, but only as a thought: the world stays as it is.
pub fn would_settle<'a>(
    world: &mut World<'a>,
    pods: &[&'a Pod],
    ignored: &[Obstacle],
) -> Vec<(Key, usize)> {
    let mark = world.mark();
    let settled = settle(world, pods, ignored);
    let used: Vec<usize> = settled.iter().map(|(_, slot)| *slot).collect();
    world.restore(mark, &used);
    settled
}
