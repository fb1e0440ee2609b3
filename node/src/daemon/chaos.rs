//! This node's part of a chaos run: its warden is started, let go and ended as the state says.
//!
//! # Invariant
//! Nothing is broken here that the ledger does not hold whole, and nothing at all where the node's
//! settings do not allow it.
//!
//! # Why
//! Like every duty it is compared with the state again and again: a daemon that was itself killed by
//! the run finds its warden again, and tells what it has done meanwhile.

use std::process::Stdio;
use std::time::Duration;

use actors::Household;
use config::settings::Settings;
use nix::sys::signal::Signal;
use rules::chaos::{Did, News, Part, Plan, Run, Wish};
use rules::id::NodeId;
use rules::{Command, Principal, Proposal, Who};
use runtime::clock;
use runtime::ledger::{Ledger, ProposeError};
use tokio::time::{sleep, timeout};

use super::identity::Identity;
use super::socket_path;
use crate::admin;
use crate::chaos::{Again, Orders, Shelf, mend};

/// How often it is looked at while there is a run.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How long what is told may take; then it is told again.
const TELL_LIMIT: Duration = Duration::from_secs(5);
/// Where a service manager listens: it starts the daemon again by itself.
const NOTIFIED: &str = "NOTIFY_SOCKET";

/// What a node's part needs.
struct Attendant {
    is_allowed: bool,
    ledger: Ledger,
    node: NodeId,
    shelf: Shelf,
    orders: Orders,
    /// How much of what was done is told, and of which run.
    told: (u64, usize),
}

impl Attendant {
    /// Takes care of the node's part from now on, until the ledger is stopped.
    fn begin(is_allowed: bool, ledger: &Ledger, orders: &Orders) {
        let attendant = Self {
            is_allowed,
            ledger: ledger.clone(),
            node: NodeId(orders.node),
            shelf: Shelf::below(&orders.data),
            orders: orders.clone(),
            told: (0, 0),
        };
        tokio::spawn(attendant.attend());
    }

    async fn attend(mut self) {
        let mut applied = self.ledger.applied();
        loop {
            let run = self.ledger.read(|state| Run::of(state).cloned());
            let own = run
                .as_ref()
                .filter(|run| run.parts.contains_key(&self.node));
            let is_busy = own.is_some() || self.shelf.is_used();
            if is_busy && self.look(own).await == Err(ProposeError::Stopped) {
                return;
            }
            if is_busy {
                sleep(LOOK_EVERY).await;
            } else {
                if applied.changed().await.is_err() {
                    return;
                }
                // A look after each of many entries would cost more than they do.
                sleep(LOOK_EVERY).await;
            }
        }
    }

    /// Compares what there is with what the state says, and does the next thing.
    async fn look(&mut self, run: Option<&Run>) -> Result<(), ProposeError> {
        let orders = self.shelf.orders();
        let held = orders.as_ref().map(|orders| orders.run);
        self.tell_done(held).await?;
        let Some(run) = run.filter(|run| held.is_none_or(|held| held == run.id)) else {
            // A daemon that was just started may not have come to the entry yet.
            let is_known = self.ledger.read(|state| Some(state.index) >= held);
            return if is_known { self.clear().await } else { Ok(()) };
        };
        match run.parts.get(&self.node) {
            Some(Part::Asked) => self.arm(run, held.is_some()).await,
            Some(Part::Armed) => self.go_on(run).await,
            Some(Part::Refused(_) | Part::Over) | None => {
                if held.is_some() {
                    return self.clear().await;
                }
                Ok(())
            }
        }
    }

    /// Starts the warden, and says what it says.
    async fn arm(&self, run: &Run, is_ordered: bool) -> Result<(), ProposeError> {
        if !self.is_allowed {
            let why = "its settings do not allow it (chaos.allowed = true does)".to_owned();
            return self.say(run.id, News::Part(Part::Refused(why))).await;
        }
        if !is_ordered {
            return match self.start(run).await {
                Ok(()) => Ok(()),
                Err(error) => {
                    let why = format!("its warden does not start: {error}");
                    self.say(run.id, News::Part(Part::Refused(why))).await
                }
            };
        }
        let part = match self.shelf.armed() {
            Some(word) => word.refused.map_or(Part::Armed, Part::Refused),
            None if self.shelf.had_warden() && self.shelf.warden().is_none() => {
                Part::Refused("its warden ended at once; the daemon's log says why".to_owned())
            }
            None => return Ok(()),
        };
        self.say(run.id, News::Part(part)).await
    }

    async fn start(&self, run: &Run) -> std::io::Result<()> {
        let mut orders = self.orders.clone();
        orders.run = run.id;
        orders.plan = run.plan.clone();
        orders.find_peers(&self.ledger).await;
        self.shelf.begin(&orders)?;
        tracing::warn!(
            run = run.id,
            plan = run.plan.name,
            by = run.by,
            "a chaos run begins"
        );
        let mut command = tokio::process::Command::new(std::env::current_exe()?);
        command
            .args(["chaos", "warden", "--data"])
            .arg(&orders.data)
            .stdin(Stdio::null());
        command.spawn().map(drop)
    }

    /// Lets the warden go, ends it where the run is ended, and says when all is over.
    async fn go_on(&mut self, run: &Run) -> Result<(), ProposeError> {
        if let Some(warden) = self.shelf.warden() {
            if run.is_ending {
                // One that ends by itself meanwhile needs no word.
                let _ = warden.signal(Signal::SIGTERM);
            } else if let Some(started) = run.started
                && self.shelf.started_ms().is_none()
            {
                let now = self.ledger.read(|state| state.clock);
                let ago_ms = now.0.saturating_sub(started.0);
                if let Err(error) = self.shelf.go(ago_ms) {
                    tracing::warn!(%error, "the warden is not let go");
                }
            }
            return Ok(());
        }
        if run.started.is_none() {
            return Ok(());
        }
        mend(&self.orders.data).await;
        self.tell_done(Some(run.id)).await?;
        self.say(run.id, News::Part(Part::Over)).await
    }

    /// Tells what the warden has done since that was told last.
    async fn tell_done(&mut self, held: Option<u64>) -> Result<(), ProposeError> {
        let Some(run) = held else {
            return Ok(());
        };
        if self.told.0 != run {
            self.told = (run, 0);
        }
        let did: Vec<Did> = self.shelf.did();
        while let Some(next) = did.get(self.told.1) {
            tracing::info!(
                run,
                step = next.step + 1,
                trouble = next.trouble,
                "a fault was made, and is off"
            );
            self.say(run, News::Did(next.clone())).await?;
            self.told.1 += 1;
        }
        Ok(())
    }

    /// Takes the warden and all that is left of a run away.
    async fn clear(&self) -> Result<(), ProposeError> {
        if let Some(warden) = self.shelf.warden() {
            let _ = warden.signal(Signal::SIGTERM);
            return Ok(());
        }
        mend(&self.orders.data).await;
        // What it did last is told before it goes.
        let is_told = self.shelf.did().len() <= self.told.1;
        if is_told && let Err(error) = self.shelf.clear() {
            tracing::warn!(%error, "what is left of a chaos run is not cleared");
        }
        Ok(())
    }

    async fn say(&self, run: u64, news: News) -> Result<(), ProposeError> {
        let proposal = Proposal {
            request: None,
            principal: Principal::own(Who::Node(self.node)),
            wall_ms: clock::wall().0,
            command: Command::Chaos(Wish::Tell {
                node: self.node,
                run,
                news,
            }),
            decision: None,
        };
        match timeout(TELL_LIMIT, self.ledger.propose(proposal)).await {
            Ok(Ok(Ok(_))) => Ok(()),
            Ok(Ok(Err(rejection))) => {
                tracing::debug!(%rejection, "what is told of a chaos run is not heard");
                Ok(())
            }
            Ok(Err(error)) => Err(error),
            Err(_) => Err(ProposeError::Unknown),
        }
    }
}

/// Takes care of this node's part of runs from now on; answers what a warden is told, but for the run.
pub(super) fn attend(
    settings: &Settings,
    identity: &Identity,
    ledger: &Ledger,
    engine: &str,
) -> Orders {
    let orders = orders(settings, identity, engine);
    Attendant::begin(settings.chaos.is_allowed, ledger, &orders);
    orders
}

/// How the node is broken on purpose, where that is allowed.
pub(super) fn door(
    settings: &Settings,
    household: &Household,
    orders: Orders,
) -> Option<admin::Chaos> {
    let is_allowed = settings.chaos.is_allowed;
    is_allowed.then(|| admin::Chaos::new(household.havoc(), orders))
}

/// What a warden of this node is told, but for the run; `engine` is what runs its agents, in words.
fn orders(settings: &Settings, identity: &Identity, engine: &str) -> Orders {
    let is_docker = engine.starts_with("docker");
    Orders {
        run: 0,
        node: identity.node,
        plan: Plan::default(),
        socket: socket_path(settings),
        data: settings.node.data.clone(),
        engine: is_docker.then(|| settings.engine.docker_socket.clone()),
        port: identity.home.as_ref().map(|home| home.listen.port()),
        peers: Vec::new(),
        again: again(),
    }
}

/// How this daemon is started again; none where a service manager does that, or where it cannot be
/// told in text.
fn again() -> Option<Again> {
    if std::env::var_os(NOTIFIED).is_some() {
        return None;
    }
    let arguments = std::env::args_os().skip(1);
    let arguments: Option<Vec<String>> = arguments.map(|text| text.into_string().ok()).collect();
    Some(Again {
        program: std::env::current_exe().ok()?,
        arguments: arguments?,
        folder: std::env::current_dir().ok()?,
    })
}
