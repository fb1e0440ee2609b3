//! The leader's side of all leases: whom it granted one, whom it heard, and what that says of them.
//!
//! ```text
//!              heard, link up                 heard again
//!         ┌────────────────────┐        ┌──────────────────────┐
//!         ▼                    │        ▼                      │
//!        up ── not heard ──► suspect ── no grant for 5 s ──► down
//! ```
//!
//! # Invariant
//! Whoever may still hold a lease is not called down. Whoever is about to be called down, or is
//! down, is granted nothing.
//!
//! # Why
//! Three clocks are involved, each up to one in a hundred wrong. A leader grants at most
//! [`QUORUM_AGE`] after the moment from which another one may lead, the lease then lasts [`LEASE`]
//! at most, and that other one waits [`DOWN_AFTER`]: 1.01 s and 3.03 s are less than 4.95 s.
//! A leader that was itself asleep, or without its quorum, begins its waiting anew: what it did not
//! hear then says nothing of others.

use std::collections::BTreeMap;
use std::time::Duration;

use rules::id::NodeId;
use rules::node::Health;

use super::{DOWN_AFTER, Link, QUORUM_AGE, Refusal};
use crate::clock::BootMs;

/// Two looks are never so far apart unless this process did not run.
const LOOKS_APART: Duration = Duration::from_secs(1);
/// Without a renewal for so long *and* without a link, a node is suspect: three renewals missed.
const SILENT_UNLINKED: Duration = Duration::from_millis(1_500);
/// Without a renewal for so long it is suspect even though its link lives: a packet that is lost
/// three times in a row holds renewals up for less.
const SILENT_LINKED: Duration = Duration::from_millis(2_500);
/// Without a link for so long it is suspect even though it renews: its butlers cannot be heard.
const UNLINKED: Duration = DOWN_AFTER;
/// Whoever was heard within this is here again: two renewals.
const HEARD_AGAIN: Duration = Duration::from_secs(1);

/// What the state says of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// Which start of its daemon has joined.
    pub incarnation: u64,
    /// How it is thought to be.
    pub health: Health,
}

/// What ought to be thought of a node from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opinion {
    /// Which node.
    pub node: NodeId,
    /// Which start of its daemon.
    pub incarnation: u64,
    /// How it is.
    pub health: Health,
    /// What was seen.
    pub reason: String,
}

/// A leader's memory of leases; it reads no clock.
#[derive(Clone, Debug, Default)]
pub struct Grantor {
    term: Option<u64>,
    /// Since when it leads, has its quorum and is awake.
    well_since: BootMs,
    looked: BootMs,
    hosts: BTreeMap<NodeId, Seen>,
}

#[derive(Clone, Copy, Debug)]
struct Seen {
    incarnation: u64,
    /// Since when the state says of this start that it is not down.
    since: BootMs,
    heard: Option<BootMs>,
    granted: Option<BootMs>,
    is_condemned: bool,
    was_down: bool,
}

impl Grantor {
    /// It leads in this term, and has applied everything that was committed before it.
    pub fn lead(&mut self, now: BootMs, term: u64) {
        *self = Grantor {
            term: Some(term),
            well_since: now,
            looked: now,
            hosts: BTreeMap::new(),
        };
    }

    /// It leads no more.
    pub fn step_down(&mut self) {
        self.term = None;
    }

    /// The term in which it grants.
    pub fn term(&self) -> Option<u64> {
        self.term
    }

    /// Has it seen that time passes and that its quorum is there, or not; often.
    pub fn look(&mut self, now: BootMs, confirmed: Option<BootMs>) {
        if now.since(self.looked) > LOOKS_APART || !is_fresh(now, confirmed) {
            self.well_since = now;
        }
        self.looked = now;
    }

    /// A host asks for its lease: the term in which it is granted.
    ///
    /// `now` is read after the question came, `known` before or after, `confirmed` is the last
    /// moment at which a quorum is known to have followed this leader.
    pub fn renew(
        &mut self,
        now: BootMs,
        confirmed: Option<BootMs>,
        (node, incarnation): (NodeId, u64),
        known: Option<Known>,
    ) -> Result<u64, Refusal> {
        let term = self.term.ok_or(Refusal::NotLeader)?;
        let known = known.ok_or(Refusal::NotJoined)?;
        if known.incarnation != incarnation {
            return Err(Refusal::NotJoined);
        }
        let seen = self.meet(now, node, known);
        seen.heard = Some(now);
        if seen.is_condemned || known.health == Health::Down {
            return Err(Refusal::Down);
        }
        if !is_fresh(now, confirmed) {
            return Err(Refusal::NoQuorum);
        }
        seen.granted = Some(now);
        Ok(term)
    }

    /// What ought to be thought of nodes otherwise than the state does.
    pub fn opinions(
        &mut self,
        now: BootMs,
        known: &BTreeMap<NodeId, Known>,
        link: impl Fn(NodeId) -> Option<Link>,
    ) -> Vec<Opinion> {
        self.hosts.retain(|node, _| known.contains_key(node));
        if self.term.is_none() || now.since(self.looked) > LOOKS_APART {
            return Vec::new();
        }
        let well_since = self.well_since;
        let judge = |(node, known): (&NodeId, &Known)| {
            let seen = *self.meet(now, *node, *known);
            let evidence = Evidence::of(now, well_since, &seen, link(*node));
            let health = evidence.judge(known.health);
            (health != known.health).then(|| Opinion {
                node: *node,
                incarnation: known.incarnation,
                health,
                reason: evidence.reason(health),
            })
        };
        // Whoever has not joined yet is nobody's to judge.
        let joined = known.iter().filter(|(_, known)| known.incarnation > 0);
        joined.filter_map(judge).collect()
    }

    /// A node is about to be called down: from now on it is granted nothing, until the state says
    /// that it is up again or it was started anew. Says no if it may still hold a lease.
    pub fn condemn(&mut self, now: BootMs, node: NodeId, incarnation: u64) -> bool {
        let (Some(_), well_since) = (self.term, self.well_since) else {
            return false;
        };
        let Some(seen) = self.hosts.get_mut(&node) else {
            return false;
        };
        let is_it = seen.incarnation == incarnation;
        let is_over = Evidence::of(now, well_since, seen, None).is_over;
        seen.is_condemned |= is_it && is_over;
        is_it && seen.is_condemned
    }

    /// What is known of a node, brought in line with what the state says now.
    fn meet(&mut self, now: BootMs, node: NodeId, known: Known) -> &mut Seen {
        let is_down = known.health == Health::Down;
        let fresh = Seen {
            incarnation: known.incarnation,
            since: now,
            heard: None,
            granted: None,
            is_condemned: false,
            was_down: is_down,
        };
        let seen = self.hosts.entry(node).or_insert(fresh);
        if seen.incarnation != known.incarnation {
            *seen = fresh;
        } else if is_down {
            // What it was condemned to is done.
            seen.is_condemned = false;
        } else if seen.was_down {
            seen.since = now;
        }
        seen.was_down = is_down;
        seen
    }
}

fn is_fresh(now: BootMs, confirmed: Option<BootMs>) -> bool {
    confirmed.is_some_and(|confirmed| now.since(confirmed) < QUORUM_AGE)
}

/// What speaks for and against a node.
struct Evidence {
    silence: Duration,
    is_heard: bool,
    unlinked: Option<Duration>,
    /// Whether no lease of it can last any more.
    is_over: bool,
    is_condemned: bool,
}

impl Evidence {
    fn of(now: BootMs, well_since: BootMs, seen: &Seen, link: Option<Link>) -> Self {
        let base = well_since.max(seen.since);
        let since = |moment: Option<BootMs>| now.since(moment.map_or(base, |at| at.max(base)));
        let silence = since(seen.heard);
        let unlinked = link.filter(|link| !link.is_up);
        Self {
            silence,
            is_heard: seen.heard.is_some_and(|at| now.since(at) <= HEARD_AGAIN),
            unlinked: unlinked.map(|link| now.since(link.since.max(base))),
            is_over: since(seen.granted) >= DOWN_AFTER,
            is_condemned: seen.is_condemned,
        }
    }

    fn judge(&self, health: Health) -> Health {
        let is_silent = self.silence >= SILENT_LINKED
            || (self.silence >= SILENT_UNLINKED && self.unlinked.is_some());
        let is_unlinked = self.unlinked.is_some_and(|time| time >= UNLINKED);
        let is_back = self.is_heard && self.unlinked.is_none();
        match health {
            _ if self.is_condemned => Health::Down,
            Health::Up | Health::Suspect if is_silent && self.is_over => Health::Down,
            Health::Up if is_silent || is_unlinked => Health::Suspect,
            Health::Suspect | Health::Down if is_back => Health::Up,
            Health::Up | Health::Suspect | Health::Down => health,
        }
    }

    fn reason(&self, health: Health) -> String {
        let silent_s = self.silence.as_secs_f64();
        let link = match self.unlinked {
            Some(time) => format!("no link for {:.1} s", time.as_secs_f64()),
            None => "its link is up".to_owned(),
        };
        match health {
            Health::Up => "its lease is renewed again".to_owned(),
            Health::Suspect => format!("no renewal of its lease for {silent_s:.1} s, {link}"),
            Health::Down => format!("its lease is over: not renewed for {silent_s:.1} s, {link}"),
        }
    }
}
