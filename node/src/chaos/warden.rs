//! The warden: makes the faults that are its node's part, and takes each of them off.
//!
//! ```text
//! orders ─► armed ─► go ─► at each step: is it about this node? ─► written down ─► on ─► off ─► told
//!              │       └── SIGTERM, SIGINT, or its time is over: off at once ──────────┘
//!              └── nobody says go: it ends
//! ```

use std::path::Path;
use std::time::Duration;

use nix::unistd::{getpid, setsid};
use rules::chaos::{Did, Fault, On, Step};
use rules::id::NodeId;
use rules::limits;
use runtime::clock::{self, BootMs};
use thiserror::Error;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{sleep, timeout};

use super::fault::{self, crash};
use super::orders::Orders;
use super::shelf::{Process, Shelf, Word};
use super::undo::Undo;
use crate::admin::client::Client;

/// What is told of a fault that was taken off because the run was ended.
pub const ENDED_EARLY: &str = "it was ended before its time";
/// How often it looks for the word to go.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// How long it waits for that: a little longer than the cluster does.
const GO_LIMIT: Duration = Duration::from_millis(limits::CHAOS_ARM_MS + 5_000);
/// How long a daemon may take to say where a persona is: where it does not, that is no part of it.
const ASK_LIMIT: Duration = Duration::from_secs(1);
/// How late a fault may be made: a later one would meet another step's time.
const LATE_MS: u64 = 2_000;
/// How long what could not be taken off is tried again.
const OFF_LIMIT: Duration = Duration::from_secs(30);
/// Rest between two tries.
const OFF_REST: Duration = Duration::from_millis(200);

/// Why a warden does nothing.
#[derive(Debug, Error)]
pub enum Broken {
    /// There is nothing to be done.
    #[error("no chaos run has left orders in {0}; `domo chaos run` begins one")]
    NoOrders(String),
    /// Another one is there.
    #[error("another warden has these orders")]
    Doubled,
    /// The system said no.
    #[error("the warden cannot begin")]
    Failed(#[from] std::io::Error),
}

/// Does a node's part of a run, whatever happens to its daemon.
pub async fn watch(data: &Path) -> Result<(), Broken> {
    let shelf = Shelf::below(data);
    let orders = shelf.orders();
    let orders = orders.ok_or_else(|| Broken::NoOrders(data.display().to_string()))?;
    if shelf.warden().is_some() {
        return Err(Broken::Doubled);
    }
    // Whoever started it has made it no leader of a group; if somebody did, it has its own already.
    let _ = setsid();
    let me = Process::of(getpid().as_raw()).ok_or_else(|| std::io::Error::other("no /proc"))?;
    // From here on it hears that it is to end, and ends in its own way.
    let mut term = signal(SignalKind::terminate())?;
    let mut int = signal(SignalKind::interrupt())?;
    let mut hup = signal(SignalKind::hangup())?;
    shelf.set_warden(me)?;
    let mut warden = Warden {
        client: Client::new(&orders.socket),
        orders,
        shelf,
        on: None,
        untold: Vec::new(),
    };
    let why = tokio::select! {
        () = warden.work() => "done",
        _ = term.recv() => "SIGTERM",
        _ = int.recv() => "SIGINT",
        _ = hup.recv() => "SIGHUP",
    };
    tracing::info!(why, run = warden.orders.run, "the warden ends");
    warden.take_off(ENDED_EARLY).await;
    Ok(())
}

/// A fault that is on.
struct Made {
    step: u32,
    from_wall_ms: u64,
    undo: Vec<Undo>,
    trouble: String,
}

struct Warden {
    orders: Orders,
    shelf: Shelf,
    client: Client,
    on: Option<Made>,
    /// What could not be written down yet: a full disk takes nothing.
    untold: Vec<Did>,
}

impl Warden {
    async fn work(&mut self) {
        let refused = fault::obstacle(&self.orders.plan, &self.orders).await;
        let is_refused = refused.is_some();
        if self.shelf.set_armed(&Word { refused }).is_err() || is_refused {
            return;
        }
        let Ok(started) = timeout(GO_LIMIT, self.told_to_go()).await else {
            return;
        };
        let whole = Duration::from_millis(self.orders.plan.limit_ms);
        let left = whole.saturating_sub(clock::boot().since(started));
        // What is on then is taken off by whoever waits for this.
        let _ = timeout(left, self.go_through(started)).await;
    }

    async fn told_to_go(&self) -> BootMs {
        loop {
            if let Some(started_ms) = self.shelf.started_ms() {
                return BootMs(started_ms);
            }
            sleep(LOOK_EVERY).await;
        }
    }

    async fn go_through(&mut self, started: BootMs) {
        let mut steps: Vec<(u32, Step)> = (0..).zip(self.orders.plan.steps.clone()).collect();
        steps.sort_by_key(|(_, step)| step.at_ms);
        for (number, step) in steps {
            until(started, step.at_ms).await;
            if !self.is_here(&step.on).await {
                continue;
            }
            self.put_on(number, &step, started).await;
            until(started, step.at_ms + step.for_ms).await;
            self.take_off("").await;
        }
    }

    /// Whether a step is about this node, now.
    async fn is_here(&self, on: &On) -> bool {
        let own = NodeId(self.orders.node).to_string();
        let asking = async {
            match on {
                On::All => Some(own.clone()),
                On::Node(node) => Some(node.to_string()),
                On::Manager => {
                    let status = self.client.status().await.ok()?;
                    // One that is cut off thinks so a while longer; it says so of itself at least.
                    status.cluster.leader
                }
                On::Butler(team) => self.client.team(team.as_str()).await.ok()?.line.node,
                On::Worker(worker) => {
                    let (team, name) = (worker.team.as_str(), worker.name.as_str());
                    self.client.worker(team, name).await.ok()?.line.node
                }
            }
        };
        let node = timeout(ASK_LIMIT, asking).await.ok().flatten();
        node.is_some_and(|node| node == own)
    }

    async fn put_on(&mut self, number: u32, step: &Step, started: BootMs) {
        self.on = Some(Made {
            step: number,
            from_wall_ms: clock::wall().0,
            undo: Vec::new(),
            trouble: String::new(),
        });
        let tried = self.try_on(step, started).await;
        if let (Err(why), Some(made)) = (tried, &mut self.on) {
            made.trouble = format!("it was not made: {why}");
        }
    }

    async fn try_on(&mut self, step: &Step, started: BootMs) -> Result<(), String> {
        let now_ms = u64::try_from(clock::boot().since(started).as_millis()).unwrap_or(u64::MAX);
        if now_ms > step.at_ms + LATE_MS {
            return Err("its time was over".to_owned());
        }
        if step.fault == Fault::Crash {
            return crash::make(&self.client, &step.on).await;
        }
        let undo = fault::undo(step.fault, &self.orders, &self.shelf)?;
        let written = self.shelf.set_undo(&undo);
        written.map_err(|error| format!("what takes it off cannot be written down: {error}"))?;
        // A signal may come while it is made: what takes it off is known from here on.
        if let Some(made) = &mut self.on {
            made.undo.clone_from(&undo);
            made.from_wall_ms = clock::wall().0;
        }
        fault::make(step.fault, &undo, &self.orders, &self.shelf).await
    }

    /// Takes off what is on, and tells of it; `cause` is why not at its time. Where it is itself broken
    /// off, it is done again, from the beginning.
    async fn take_off(&mut self, cause: &str) {
        let Some(made) = &self.on else {
            return self.tell();
        };
        let (step, from_wall_ms) = (made.step, made.from_wall_ms);
        let (mut trouble, mut left) = (made.trouble.clone(), made.undo.clone());
        if trouble.is_empty() {
            cause.clone_into(&mut trouble);
        }
        let deadline = clock::Deadline::after(OFF_LIMIT);
        left.reverse();
        while let Some(undo) = left.first() {
            match undo.do_it(&self.orders).await {
                Ok(()) => drop(left.remove(0)),
                Err(why) if deadline.is_over() => {
                    trouble = why;
                    break;
                }
                Err(_) => sleep(OFF_REST).await,
            }
        }
        if self.shelf.set_undo(&left).is_err() {
            tracing::warn!("it is not written down that a fault is off");
        }
        self.on = None;
        self.untold.push(Did {
            step,
            from_wall_ms,
            to_wall_ms: clock::wall().0,
            trouble: shortened(&trouble),
        });
        self.tell();
    }

    fn tell(&mut self) {
        if self.shelf.add_did(&self.untold).is_ok() {
            self.untold.clear();
        }
    }
}

async fn until(started: BootMs, at_ms: u64) {
    let due = started.plus(Duration::from_millis(at_ms));
    sleep(due.since(clock::boot())).await;
}

/// As long as a line of the ledger may be.
fn shortened(text: &str) -> String {
    let mut end = text.len().min(limits::MAX_LINE_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}
