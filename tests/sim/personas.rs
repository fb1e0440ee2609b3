//! A stub in the place of the personas: it does duties as they would, and as those would who were
//! replaced and do not know it yet.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rules::attempt::AttemptOutcome;
use rules::command::{Plan, Progress};
use rules::duty::{self, Duty, Holder, PlanFrom};
use rules::id::{AttemptId, NodeId};
use rules::node::Health;
use rules::place::Chooser;
use rules::{Command, Proposal, Request, State, Who, route};
use runtime::ledger::{Changes, Ledger};
use runtime::world;

use super::clockwork::locked;
use super::cluster::Cluster;
use super::founding::proposal;
use super::machine::Machine;
use super::oracle::{Call, End};
use super::team;

/// How often duties are looked for though nothing changed.
const LOOK: Duration = Duration::from_millis(400);

/// The personas of one node.
struct Personas {
    cluster: Cluster,
    node: NodeId,
    machine: Arc<Machine>,
    ledger: Ledger,
    at_it: Mutex<BTreeSet<(Holder, Duty)>>,
}

/// Has a node's personas do what is due there.
pub fn begin(
    cluster: &Cluster,
    node: NodeId,
    machine: &Arc<Machine>,
    ledger: &Ledger,
    mut changes: Changes,
) {
    let personas = Arc::new(Personas {
        cluster: cluster.clone(),
        node,
        machine: Arc::clone(machine),
        ledger: ledger.clone(),
        at_it: Mutex::default(),
    });
    machine.run(async move {
        loop {
            personas.look();
            match world::timeout(LOOK, changes.next()).await {
                Ok(Some(_)) | Err(_) => {}
                Ok(None) => return,
            }
        }
    });
}

impl Personas {
    fn between(&self, least_ms: u64, most_ms: u64) -> Duration {
        let clockwork = &self.cluster.clockwork;
        Duration::from_millis(clockwork.with_dice(|dice| dice.between(least_ms, most_ms)))
    }

    fn is_in(&self, times: usize) -> bool {
        self.cluster.clockwork.with_dice(|dice| dice.is_in(times))
    }

    /// Begins what is due here and not begun.
    fn look(self: &Arc<Self>) {
        let term = self.ledger.reign().map(|reign| reign.term);
        let due = self.ledger.read(duty::duties);
        for (holder, duties) in due {
            let is_here = match &holder {
                Holder::Manager => term.is_some(),
                Holder::Butler(_, node, _) | Holder::Worker(_, node) => *node == self.node,
            };
            for duty in duties {
                let is_idle = matches!(duty, Duty::Keep { .. } | Duty::Tell { .. });
                let due = (holder.clone(), duty);
                if is_here && !is_idle && locked(&self.at_it).insert(due.clone()) {
                    let this = Arc::clone(self);
                    let term = term.unwrap_or(0);
                    self.machine.run(async move {
                        this.perform(&due.0, &due.1, term).await;
                        locked(&this.at_it).remove(&due);
                    });
                }
            }
        }
        if let Some(term) = term {
            self.judge(term);
        }
    }

    /// The Manager says how nodes are, as far as he can see it: also his own, of which the one before
    /// him may have said something else.
    fn judge(self: &Arc<Self>, term: u64) {
        let cluster = &self.cluster;
        let nodes = self.ledger.read(|state| {
            let nodes = state.nodes.values();
            let nodes = nodes.filter(|node| node.has_joined());
            let told = nodes.map(|node| (node.facts.node, node.facts.incarnation, node.health));
            told.collect::<Vec<_>>()
        });
        for (node, incarnation, health) in nodes {
            let is_gone = cluster.net.at(node).is_none() || cluster.net.is_cut(node, self.node);
            let judged = match (is_gone, health) {
                (true, Health::Up) if self.is_in(6) => Health::Suspect,
                (true, Health::Suspect) if self.is_in(8) => Health::Down,
                (false, Health::Suspect | Health::Down) if self.is_in(4) => Health::Up,
                _ => continue,
            };
            let command = Command::JudgeNode {
                node,
                incarnation,
                health: judged,
                reason: "seen so".to_owned(),
            };
            let told = proposal(Who::Manager { term }, command);
            let ledger = self.ledger.clone();
            self.machine.run(async move {
                drop(ledger.propose(told).await);
            });
        }
    }

    /// Does one duty.
    async fn perform(self: &Arc<Self>, holder: &Holder, duty: &Duty, term: u64) {
        world::sleep(self.between(1, 60)).await;
        let principal = match holder {
            Holder::Manager => Who::Manager { term },
            Holder::Butler(team, _, epoch) => Who::Butler {
                team: team.clone(),
                epoch: *epoch,
            },
            Holder::Worker(worker, _) => {
                let Duty::Run { attempt, epoch } = duty else {
                    return;
                };
                let (worker, epoch) = (worker.clone(), *epoch);
                return self.run(*attempt, &Who::Worker { worker, epoch }).await;
            }
        };
        let by = format!("{} {principal:?}", self.node);
        let command = self.ledger.read(|state| command(state, duty, &by));
        if let Some(command) = command {
            self.say(principal, command).await;
        }
        // Whoever failed looks again a little later.
        world::sleep(self.between(20, 200)).await;
    }

    /// Runs an attempt, as an agent would.
    async fn run(self: &Arc<Self>, attempt: AttemptId, who: &Who) {
        for to in [Progress::Preparing, Progress::Running] {
            self.say(who.clone(), Command::AdvanceAttempt { attempt, to })
                .await;
            world::sleep(self.between(1, 300)).await;
        }
        let command = if self.is_in(12) {
            Command::LoseAttempt {
                attempt,
                reason: "its box is gone".to_owned(),
            }
        } else {
            let outcome = if self.is_in(10) {
                AttemptOutcome::Failed {
                    reason: "exit code 1".to_owned(),
                }
            } else {
                team::succeeded(&format!("{attempt} on {}", self.node))
            };
            Command::FinishAttempt { attempt, outcome }
        };
        self.say(who.clone(), command).await;
    }

    /// Proposes something, now and then once more much later, when it may be stale.
    async fn say(self: &Arc<Self>, who: Who, command: Command) {
        let request = self.is_in(2).then(|| {
            let number = self.cluster.clockwork.draw();
            Request {
                id: team::name(&format!("p-{number:x}")),
                digest: number,
            }
        });
        let told = Proposal {
            request,
            ..proposal(who, command)
        };
        if self.is_in(10) {
            let (this, told) = (Arc::clone(self), told.clone());
            self.machine.run(async move {
                world::sleep(this.between(300, 5_000)).await;
                this.cluster.rare.saw("something was said again much later");
                this.propose(told).await;
            });
        }
        self.propose(told).await;
    }

    async fn propose(&self, told: Proposal) {
        let begun_ms = self.cluster.clockwork.now_ms();
        let request = told.request.as_ref();
        let mut call = Call {
            request: request.map(|request| request.id.to_string()),
            command: told.command.clone(),
            begun_ms,
            ended_ms: 0,
            ends: Vec::new(),
        };
        let end = match self.ledger.propose(told).await {
            Ok(verdict) => {
                if let Err(rules::Rejection::Stale { .. }) = &verdict {
                    self.cluster.rare.saw("a stale word was refused");
                }
                End::Told(verdict)
            }
            Err(_) => End::Unknown,
        };
        call.ends.push(end);
        call.ended_ms = self.cluster.clockwork.now_ms();
        self.cluster.oracle.call(call);
    }
}

/// The command by which a duty is done.
fn command(state: &State, duty: &Duty, by: &str) -> Option<Command> {
    Some(match duty {
        Duty::Keep { .. } | Duty::Tell { .. } | Duty::Run { .. } | Duty::Answer { .. } => {
            return None;
        }
        Duty::Place { who, epoch } => {
            let placement = Chooser::new().choose(state, who, *epoch).ok()?;
            let placements = vec![placement];
            Command::Place { placements }
        }
        Duty::Route { case } => {
            let playbook = state.cases.get(case)?.playbook.as_ref();
            let (team, reason) = route::choose(state, "a pod", playbook).ok()?;
            Command::RouteCase {
                case: *case,
                team,
                reason,
            }
        }
        Duty::Plan {
            case,
            generation,
            from,
        } => Command::PlanCase {
            case: *case,
            generation: *generation,
            plan: match from {
                PlanFrom::Playbook(name) => Plan::Playbook(name.clone()),
                PlanFrom::Agent => Plan::Agent(team::stages()),
            },
        },
        Duty::Report { case, generation } => Command::ReportCase {
            case: *case,
            generation: *generation,
            report: Box::new(team::report(by)),
        },
    })
}
