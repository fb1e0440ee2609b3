//! A shortage of room in numbers: who lacks what on which node, and how many nodes would do.

use std::collections::{BTreeMap, BTreeSet};

use crate::kube::pod::Pod;
use crate::kube::quantity::Quantity;
use crate::kube::resources::Resources;
use crate::phrase;
use crate::schedule::pack::{self, Cure, MAX_PACKED, Waiting};
use crate::schedule::refusal::Obstacle;
use crate::schedule::verdict::Answer;
use crate::schedule::world::{Slot, World};

use super::groups::Group;

/// Nodes that are described one by one.
const MAX_NODE_LINES: usize = 12;
/// Other sizes that are offered beside the best.
const MAX_ALTERNATIVES: usize = 3;

/// What added nodes would do for a group.
#[derive(Debug, Clone)]
pub struct Remedy {
    /// For each size, the best first.
    pub cures: Vec<Cure>,
    /// The pods of all groups that wait for the same room.
    pub waiting: usize,
    /// How many groups these are.
    pub groups: usize,
}

/// For each group (by its place) that waits for room: how many nodes would do, packed together
/// with all other groups that wait for room on the same nodes.
pub fn cures<'a>(world: &mut World<'a>, groups: &[Group<'a>]) -> BTreeMap<usize, Remedy> {
    // Anti-affinity and spread are cured by nodes as well.
    let curable = |a: &Answer| {
        a.refusals.iter().all(|r| {
            matches!(
                r.obstacle,
                Obstacle::Room | Obstacle::Apart | Obstacle::Spread | Obstacle::Port
            )
        })
    };
    let mut pools: Vec<(BTreeSet<usize>, Vec<usize>)> = Vec::new();
    for (index, group) in groups.iter().enumerate() {
        let nodes: BTreeSet<usize> = group
            .verdict
            .answers
            .iter()
            .filter(|a| curable(a))
            .map(|a| a.slot)
            .collect();
        let (joined, apart): (Vec<_>, Vec<_>) = pools
            .into_iter()
            .partition(|(pool, _)| !pool.is_disjoint(&nodes));
        let mut pool = (nodes, vec![index]);
        for (nodes, members) in joined {
            pool.0.extend(nodes);
            pool.1.extend(members);
        }
        pools = apart;
        pools.push(pool);
    }
    let mut remedies = BTreeMap::new();
    for (_, members) in pools {
        let waiting: Vec<Waiting<'a>> = members
            .iter()
            .flat_map(|m| {
                groups[*m].pods.iter().map(|pod| Waiting {
                    pod,
                    takers: Vec::new(),
                })
            })
            .collect();
        let cures = pack::cures(world, &waiting);
        for member in &members {
            remedies.insert(
                *member,
                Remedy {
                    cures: cures.clone(),
                    waiting: waiting.len(),
                    groups: members.len(),
                },
            );
        }
    }
    remedies
}

/// `Add 2 nodes of the size of work-a (cpu 3920m, memory 7413.7Mi): they take all 4 pods.`
pub fn advice(group: &Group<'_>, remedy: &Remedy) -> Option<String> {
    let own = |cure: &Cure| {
        group
            .pods
            .iter()
            .filter(|p| cure.placed.contains(&p.key))
            .count()
    };
    let cure = remedy.cures.iter().find(|c| own(c) > 0)?;
    let all = if cure.left.is_empty() && remedy.waiting <= MAX_PACKED {
        match (remedy.groups, remedy.waiting) {
            (1, 1) => "take the pod".to_owned(),
            (1, n) => format!("take all {n} pods"),
            (g, n) => format!("take all {n} pods of the {g} workloads that wait for room there"),
        }
    } else {
        format!("take {} of {} pods", cure.placed.len(), remedy.waiting)
    };
    let nodes = phrase::count(cure.nodes, "node");
    let exactness = if cure.is_exact { "" } else { " or fewer" };
    let bare = if cure.is_bare {
        " but without its taints"
    } else {
        ""
    };
    let they = if cure.nodes == 1 {
        format!("it {}", all.replacen("take", "takes", 1))
    } else {
        format!("they {all}")
    };
    Some(format!(
        "Add {nodes}{exactness} of the size of {} ({}){bare}: {they}.",
        cure.like, cure.size
    ))
}

/// The other sizes of nodes that would do as well.
pub fn alternatives(remedy: &Remedy) -> Vec<String> {
    let others = remedy.cures.iter().skip(1).take(MAX_ALTERNATIVES);
    others
        .map(|c| {
            format!(
                "instead: {} of the size of {} ({}) for {} of {} pods",
                phrase::count(c.nodes, "node"),
                c.like,
                c.size,
                c.placed.len(),
                remedy.waiting
            )
        })
        .collect()
}

/// One line for each node, the first ones in full, the rest counted.
pub fn node_lines(world: &World<'_>, group: &Group<'_>) -> Vec<String> {
    let resources = asked(group.pods[0]);
    let mut lines: Vec<String> = group
        .verdict
        .answers
        .iter()
        .take(MAX_NODE_LINES)
        .map(|answer| {
            let slot = &world.slots[answer.slot];
            let why = if answer.refusals.is_empty() {
                "would take it".to_owned()
            } else {
                answer.shown()
            };
            format!("{}: {why} [{}]", slot.node.name, load(slot, &resources))
        })
        .collect();
    let rest = group.verdict.answers.len().saturating_sub(MAX_NODE_LINES);
    if rest > 0 {
        lines.push(format!(
            "and {}, counted above",
            phrase::count(rest, "more node")
        ));
    }
    lines
}

/// The resources that a pod asks for, CPU and memory always among them.
fn asked(pod: &Pod) -> Vec<String> {
    let mut names: Vec<String> = vec!["cpu".to_owned(), "memory".to_owned()];
    let others = pod
        .requests
        .iter()
        .filter(|(n, a)| a.is_positive() && !names.contains(&(*n).to_owned()));
    let others: Vec<String> = others.map(|(n, _)| n.to_owned()).collect();
    names.extend(others);
    names
}

/// `cpu 2580m of 3920m requested, free 1340m; …; pods 8 of 110`.
pub fn load(slot: &Slot<'_>, resources: &[String]) -> String {
    let mut parts: Vec<String> = resources
        .iter()
        .map(|r| {
            format!(
                "{r} requested {} of {}, free {}",
                slot.used.get(r).shown(r),
                slot.node.allocatable.get(r).shown(r),
                slot.free(r).shown(r)
            )
        })
        .collect();
    if slot.node.allocatable.has("pods") {
        let places = slot.node.allocatable.get("pods").shown("pods");
        parts.push(format!("pods {} of {places}", slot.pods.len()));
    }
    parts.join("; ")
}

/// `work-a lacks cpu, work-b lacks memory`: what each node that could take the pods is short of.
pub fn lacks(world: &World<'_>, group: &Group<'_>) -> String {
    /// A sentence with more names is not read; the evidence has a line for each node.
    const MAX_NODES: usize = 6;
    let lines = group
        .verdict
        .answers
        .iter()
        .filter(|a| a.has(Obstacle::Room))
        .map(|a| {
            let short: Vec<String> = a
                .refusals
                .iter()
                .filter_map(|r| r.shortfall())
                .map(|s| format!("{} (free {})", s.resource, s.free.shown(&s.resource)))
                .collect();
            format!(
                "{} lacks {}",
                world.slots[a.slot].node.name,
                short.join(" and ")
            )
        });
    phrase::names(lines, MAX_NODES)
}

/// The names of the resources that are short, `cpu and memory`: on the nodes that lack nothing
/// else, where there are such.
pub fn short_resources(group: &Group<'_>) -> String {
    let only = group.verdict.only(Obstacle::Room);
    let all: Vec<&Answer> = group.verdict.answers.iter().collect();
    let looked = if only.is_empty() { all } else { only };
    let short: BTreeSet<&str> = looked
        .into_iter()
        .flat_map(|a| a.refusals.iter().filter_map(|r| r.shortfall()))
        .map(|s| {
            if s.resource == "pods" {
                "places for pods"
            } else {
                s.resource.as_str()
            }
        })
        .collect();
    phrase::names(short, 4)
}

/// What a node would have for a pod if only its own pods (daemon sets and static ones) ran on it.
fn empty_room(slot: &Slot<'_>, pod: &Pod) -> Resources {
    let mut room = slot.node.allocatable.clone();
    for other in &slot.pods {
        let own = other
            .owner
            .as_ref()
            .is_some_and(|o| o.kind == "DaemonSet" || o.kind == "Node");
        if own && other.owner != pod.owner {
            room.remove(&other.requests);
        }
    }
    room
}

/// More than any node that the pod chooses could ever give.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TooLarge {
    /// The resource.
    pub resource: String,
    /// What the pod asks for.
    pub needs: Quantity,
    /// The largest amount that a node could give, beside what runs on every node.
    pub largest: Quantity,
    /// That node.
    pub on: String,
    /// A node that is large enough but that the pod does not choose or stand.
    pub elsewhere: Option<String>,
}

/// Is the pod larger than every node that it may choose, even if that were empty?
pub fn too_large(world: &World<'_>, group: &Group<'_>) -> Option<TooLarge> {
    let pod = group.pods[0];
    let fits = |slot: usize| {
        let room = empty_room(&world.slots[slot], pod);
        pod.requests
            .iter()
            .all(|(r, needs)| needs <= room.get(r) || !needs.is_positive())
    };
    let barred = |a: &&Answer| {
        a.has(Obstacle::Selector) || a.has(Obstacle::ControlPlane) || a.has(Obstacle::Taint)
    };
    let (other, chosen): (Vec<&Answer>, Vec<&Answer>) =
        group.verdict.answers.iter().partition(barred);
    if chosen.is_empty() || chosen.iter().any(|a| fits(a.slot)) {
        return None;
    }
    let (resource, needs, slot, largest) = pod
        .requests
        .iter()
        .filter(|(_, needs)| needs.is_positive())
        .filter_map(|(resource, needs)| {
            let room = |a: &&&Answer| empty_room(&world.slots[a.slot], pod).get(resource);
            let best = chosen.iter().max_by_key(room)?;
            Some((resource, needs, best.slot, room(&best)))
        })
        .max_by_key(|(_, needs, _, largest)| {
            needs
                .percent_of(*largest)
                .max(i64::from(needs > largest) * 100)
        })?;
    let elsewhere = other.iter().find(|a| fits(a.slot));
    Some(TooLarge {
        resource: resource.to_owned(),
        needs,
        largest,
        on: world.slots[slot].node.name.clone(),
        elsewhere: elsewhere.map(|a| {
            format!(
                "{} is large enough, but {}",
                world.slots[a.slot].node.name,
                a.shown()
            )
        }),
    })
}
