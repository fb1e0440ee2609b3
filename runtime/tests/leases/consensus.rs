//! Consensus, as simple as it can be: a leader sends its whole log, and anybody may call an election.

use rules::node::Health;
use runtime::clock::BootMs;

use super::{ELECTION_MS, Message, NODES, VOTERS, World, last};

impl World {
    pub(super) fn beat(&mut self, me: usize) {
        if self.nodes[me].leader != Some(me) {
            return;
        }
        let node = &self.nodes[me];
        let message = Message::Append {
            term: node.term,
            log: node.log.clone(),
            commit: node.commit,
            sent: self.clock(me),
        };
        for to in (0..NODES).filter(|to| *to != me) {
            self.send(me, to, message.clone());
        }
    }

    pub(super) fn elect(&mut self, me: usize) {
        let rebel_ms = self.weather.rebel_ms;
        let is_rebel = rebel_ms > 0 && self.below(rebel_ms) < ELECTION_MS;
        let is_lonely = self.now - self.nodes[me].heard_leader > ELECTION_MS;
        if me >= VOTERS || self.nodes[me].leader == Some(me) || !(is_rebel || is_lonely) {
            return;
        }
        let term = self.nodes[me].term + 1;
        self.follow(me, term);
        let node = &mut self.nodes[me];
        (node.voted, node.votes, node.heard_leader) = (true, 1, self.now);
        let last = last(&node.log);
        for to in (0..VOTERS).filter(|to| *to != me) {
            self.send(me, to, Message::Vote { term, last });
        }
    }

    /// Takes on a later term.
    pub(super) fn follow(&mut self, me: usize, term: u64) {
        let node = &mut self.nodes[me];
        if term > node.term {
            (node.term, node.voted, node.votes, node.leader) = (term, false, 0, None);
            node.grantor.step_down();
        }
    }

    pub(super) fn arrive(&mut self, me: usize, from: usize, message: Message) {
        match message {
            Message::Append {
                term,
                log,
                commit,
                sent,
            } => {
                self.follow(me, term);
                let now = self.now;
                let node = &mut self.nodes[me];
                if term < node.term {
                    return;
                }
                (node.leader, node.heard_leader) = (Some(from), now);
                // A leader's log only grows; an older message of it changes nothing.
                if last(&log) >= last(&node.log) {
                    node.log = log;
                }
                node.commit = node.commit.max(commit.min(node.log.len()));
                let len = node.log.len();
                self.send(me, from, Message::Appended { term, len, sent });
            }
            Message::Appended { term, len, sent } => self.appended(me, from, term, len, sent),
            Message::Vote { term, last: theirs } => {
                self.follow(me, term);
                let node = &mut self.nodes[me];
                if term == node.term
                    && !node.voted
                    && node.leader.is_none()
                    && theirs >= last(&node.log)
                {
                    node.voted = true;
                    self.send(me, from, Message::Voted { term });
                }
            }
            Message::Voted { term } => {
                let node = &mut self.nodes[me];
                if term == node.term && node.leader.is_none() && node.voted {
                    node.votes += 1;
                    if node.votes > VOTERS / 2 {
                        node.leader = Some(me);
                        (node.acked, node.matched) = ([None; VOTERS], [0; VOTERS]);
                        node.log.push((term, None));
                        node.first = node.log.len();
                        self.beat(me);
                    }
                }
            }
            Message::Renew { number } => {
                let is_granted = self.grant(me, from);
                self.send(me, from, Message::Answer { number, is_granted });
            }
            Message::Answer { number, is_granted } => self.answered(me, number, is_granted),
        }
    }

    pub(super) fn appended(&mut self, me: usize, from: usize, term: u64, len: usize, sent: BootMs) {
        let now = self.clock(me);
        let node = &mut self.nodes[me];
        if term != node.term || node.leader != Some(me) || from >= VOTERS {
            return;
        }
        node.acked[from] = node.acked[from].max(Some(sent));
        node.matched[from] = node.matched[from].max(len);
        node.matched[me] = node.log.len();
        let mut matched = node.matched;
        matched.sort_unstable();
        let commit = matched[VOTERS - 1 - VOTERS / 2];
        if commit >= node.first {
            node.commit = node.commit.max(commit);
        }
        if node.commit >= node.first && node.grantor.term() != Some(term) {
            node.grantor.lead(now, term);
        }
        let committed = node.log[..node.commit].to_vec();
        for (_, verdict) in committed.iter().skip(self.agreed.len()) {
            match verdict {
                Some((_, Health::Down)) => self.downs += 1,
                Some((_, Health::Up)) => self.ups += 1,
                Some((_, Health::Suspect)) | None => {}
            }
        }
        if committed.len() > self.agreed.len() {
            assert!(committed.starts_with(&self.agreed), "the model is wrong");
            self.agreed = committed;
        }
    }

    /// The last moment, by its own clock, at which a quorum is known to have followed a leader.
    pub(super) fn confirmed(&self, me: usize) -> Option<BootMs> {
        let node = &self.nodes[me];
        let followers = node
            .acked
            .iter()
            .enumerate()
            .filter(|(voter, _)| *voter != me);
        let mut acked: Vec<Option<BootMs>> = followers.map(|(_, acked)| *acked).collect();
        acked.sort();
        // The leader itself is the last one that is needed.
        (node.leader == Some(me)).then(|| acked[acked.len() - VOTERS / 2])?
    }
}
