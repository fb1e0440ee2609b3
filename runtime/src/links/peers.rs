//! What is known of the other nodes: where they are, who is refused, which links live, how they do.
//!
//! # Invariant
//! At most one link with a peer: a newer one ends the older. A start of a node is never followed by
//! an earlier one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rules::id::NodeId;
use tokio::sync::watch;

use super::link::Link;
use super::refusal::Refusal;
use crate::clock::{self, BootMs};

/// How the link with a peer does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkStatus {
    /// Are calls carried?
    pub is_up: bool,
    /// Since when that is so.
    pub since: BootMs,
    /// Why there was no link the last time that there was none; for people.
    pub last_error: Option<String>,
    /// Why it refuses this node, or this node it, as the last try showed.
    pub refusal: Option<Refusal>,
    /// How long the last heartbeat took there and back, in microseconds.
    pub round_trip_us: Option<u64>,
    /// Which start of its daemon was linked last.
    pub incarnation: Option<u64>,
    /// Which release it runs, as it said when it was linked last.
    pub release: Option<String>,
    /// Calls of it that came too late and were dropped, since this node was started.
    pub late_calls: u64,
}

impl LinkStatus {
    fn down() -> LinkStatus {
        LinkStatus {
            is_up: false,
            since: clock::boot(),
            last_error: None,
            refusal: None,
            round_trip_us: None,
            incarnation: None,
            release: None,
            late_calls: 0,
        }
    }
}

/// All peers, as they are known here.
#[derive(Debug)]
pub(super) struct Peers {
    table: Mutex<Table>,
    status: watch::Sender<BTreeMap<NodeId, LinkStatus>>,
}

#[derive(Debug, Default)]
struct Table {
    known: BTreeMap<NodeId, Known>,
    removed: BTreeSet<NodeId>,
    /// The latest start of each that was heard of; as many as the authority signed names.
    seen: BTreeMap<NodeId, u64>,
    /// The latest link with each, be it up or on its way.
    links: BTreeMap<NodeId, Arc<Link>>,
    /// All that live, by the ticket that calls over them carry. A peer may call as soon as its end
    /// is up, which may be before this one is.
    tickets: BTreeMap<u64, Arc<Link>>,
    /// Those that are up, by ticket.
    up: BTreeSet<u64>,
}

#[derive(Debug)]
struct Known {
    address: String,
    leave: watch::Sender<bool>,
}

/// Somebody to be linked with from now on; it ends when its watch says so or is gone.
pub(super) type Newly = (NodeId, watch::Receiver<bool>);

impl Peers {
    pub fn new() -> Peers {
        Peers {
            table: Mutex::default(),
            status: watch::Sender::new(BTreeMap::new()),
        }
    }

    pub fn status(&self) -> watch::Receiver<BTreeMap<NodeId, LinkStatus>> {
        self.status.subscribe()
    }

    /// Takes notice of whom to be linked with: says who is new, and who is not one any more.
    pub fn know(&self, wanted: BTreeMap<NodeId, String>) -> (Vec<Newly>, Vec<NodeId>) {
        let mut table = self.table();
        let is_gone = |peer: &NodeId| !wanted.contains_key(peer);
        let gone: Vec<NodeId> = table.known.keys().copied().filter(is_gone).collect();
        for peer in &gone {
            table.known.remove(peer);
        }
        let mut newly = Vec::new();
        for (peer, address) in wanted {
            if let Some(known) = table.known.get_mut(&peer) {
                known.address = address;
            } else {
                let leave = watch::Sender::new(false);
                newly.push((peer, leave.subscribe()));
                table.known.insert(peer, Known { address, leave });
            }
        }
        drop(table);
        self.status.send_if_modified(|status| {
            for (peer, _) in &newly {
                status.entry(*peer).or_insert_with(LinkStatus::down);
            }
            for peer in &gone {
                status.remove(peer);
            }
            !(newly.is_empty() && gone.is_empty())
        });
        (newly, gone)
    }

    /// Refuses these from now on, and no others.
    pub fn refuse(&self, removed: BTreeSet<NodeId>) {
        self.table().removed = removed;
    }

    /// Ends all that is done to be linked with whom is known.
    pub fn leave_all(&self) {
        for known in self.table().known.values() {
            known.leave.send_replace(true);
        }
    }

    pub fn is_removed(&self, peer: NodeId) -> bool {
        self.table().removed.contains(&peer)
    }

    pub fn address(&self, peer: NodeId) -> Option<String> {
        self.table()
            .known
            .get(&peer)
            .map(|known| known.address.clone())
    }

    /// Whether a peer is known to be there.
    pub fn is_at(&self, address: &str) -> bool {
        let table = self.table();
        let mut known = table.known.values();
        known.any(|known| known.address == address)
    }

    /// May this start of that node speak here? From now on, no earlier one may.
    pub fn admit(&self, peer: NodeId, incarnation: u64) -> Result<(), Refusal> {
        let mut table = self.table();
        if table.removed.contains(&peer) {
            return Err(Refusal::Removed);
        }
        let seen = table.seen.entry(peer).or_insert(incarnation);
        if incarnation < *seen {
            return Err(Refusal::OldIncarnation);
        }
        *seen = incarnation;
        Ok(())
    }

    /// A link is on its way: the one before it ends.
    pub fn begin(&self, link: &Arc<Link>) {
        let before = {
            let mut table = self.table();
            table.tickets.insert(link.own_ticket, Arc::clone(link));
            table.links.insert(link.peer, Arc::clone(link))
        };
        if let Some(before) = before {
            before.held.cut();
        }
    }

    /// A link carries calls from now on; false if a newer one is there.
    pub fn up(&self, link: &Arc<Link>) -> bool {
        let mut table = self.table();
        if !is_latest(&table, link) {
            return false;
        }
        table.up.insert(link.own_ticket);
        drop(table);
        self.status.send_modify(|status| {
            let status = status.entry(link.peer).or_insert_with(LinkStatus::down);
            status.is_up = true;
            status.since = clock::boot();
            status.incarnation = Some(link.incarnation);
            status.release = Some(link.release.clone());
        });
        true
    }

    /// A link has ended.
    pub fn down(&self, link: &Arc<Link>) {
        let mut table = self.table();
        table.tickets.remove(&link.own_ticket);
        let was_up = table.up.remove(&link.own_ticket);
        let was_latest = is_latest(&table, link);
        if was_latest {
            table.links.remove(&link.peer);
        }
        drop(table);
        if was_up && was_latest {
            self.status.send_if_modified(|status| {
                status.get_mut(&link.peer).is_some_and(|status| {
                    status.is_up = false;
                    status.since = clock::boot();
                    true
                })
            });
        }
    }

    /// Why there is no link; wakes nobody who watches.
    pub fn note_error(&self, peer: NodeId, error: String) {
        self.quietly(peer, |status| status.last_error = Some(error));
    }

    /// Whether a try to reach it was refused, and why; wakes nobody who watches.
    pub fn note_refusal(&self, peer: NodeId, refusal: Option<Refusal>) {
        self.quietly(peer, |status| status.refusal = refusal);
    }

    /// How long a heartbeat took; wakes nobody who watches.
    pub fn note_round_trip(&self, peer: NodeId, round_trip_us: u64) {
        self.quietly(peer, |status| status.round_trip_us = Some(round_trip_us));
    }

    /// A call came too late; wakes nobody who watches.
    pub fn note_late(&self, peer: NodeId) {
        self.quietly(peer, |status| status.late_calls += 1);
    }

    /// The link that carries calls to a peer.
    pub fn link_to(&self, peer: NodeId) -> Option<Arc<Link>> {
        let table = self.table();
        let link = table.links.get(&peer)?;
        table
            .up
            .contains(&link.own_ticket)
            .then(|| Arc::clone(link))
    }

    /// The link whose calls carry this ticket.
    pub fn link_of_ticket(&self, ticket: u64) -> Option<Arc<Link>> {
        self.table().tickets.get(&ticket).cloned()
    }

    fn quietly(&self, peer: NodeId, change: impl FnOnce(&mut LinkStatus)) {
        self.status.send_if_modified(|status| {
            if let Some(status) = status.get_mut(&peer) {
                change(status);
            }
            false
        });
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_latest(table: &Table, link: &Arc<Link>) -> bool {
    let latest = table.links.get(&link.peer);
    latest.is_some_and(|latest| Arc::ptr_eq(latest, link))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_start_of_a_node_is_refused_and_a_removed_node_too() {
        let peers = Peers::new();
        assert_eq!(peers.admit(NodeId(2), 5), Ok(()));
        assert_eq!(peers.admit(NodeId(2), 5), Ok(()));
        assert_eq!(peers.admit(NodeId(2), 4), Err(Refusal::OldIncarnation));
        assert_eq!(peers.admit(NodeId(2), 6), Ok(()));
        assert_eq!(peers.admit(NodeId(2), 5), Err(Refusal::OldIncarnation));
        peers.refuse(BTreeSet::from([NodeId(2)]));
        assert_eq!(peers.admit(NodeId(2), 7), Err(Refusal::Removed));
        assert_eq!(peers.admit(NodeId(3), 1), Ok(()));
    }

    #[test]
    fn whoever_is_not_wanted_any_more_is_told_to_leave() {
        let peers = Peers::new();
        let all = |nodes: &[u64]| {
            nodes
                .iter()
                .map(|n| (NodeId(*n), format!("h{n}:1")))
                .collect()
        };
        let (newly, gone) = peers.know(all(&[1, 2]));
        assert_eq!((newly.len(), gone.len()), (2, 0));
        let (again, gone) = peers.know(all(&[2, 3]));
        assert_eq!(again.len(), 1);
        assert_eq!(gone, [NodeId(1)]);
        assert!(newly[0].1.has_changed().is_err(), "its watch is gone");
        assert!(newly[1].1.has_changed().is_ok());
        assert_eq!(peers.address(NodeId(3)).as_deref(), Some("h3:1"));
        let known: Vec<NodeId> = peers.status().borrow().keys().copied().collect();
        assert_eq!(known, [NodeId(2), NodeId(3)]);
    }
}
