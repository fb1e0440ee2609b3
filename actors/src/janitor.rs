//! The janitor: removes containers that nobody owns, and has those stopped that should sleep.
//!
//! # Why
//! Workers look after their own container while they have duties. What is left by a worker that
//! was removed, moved or replaced while nobody looked has no worker any more; comparing what is
//! there with the state finds it however it came about.

use std::time::Duration;

use ractor::{Actor, ActorProcessingErr, ActorRef};
use rules::id::WorkerId;

use crate::house::{Hindrance, House};
use crate::tree::RootMsg;

/// What wakes the janitor.
pub enum JanitorMsg {
    /// Compare what is there with the state.
    Sweep,
    /// A round is over.
    Swept,
    /// Panic, because a test or an operator says so.
    Crash,
}

impl ractor::Message for JanitorMsg {}

/// Time between two rounds: what nobody owns does no harm, so it may stay that long.
const ROUND: Duration = Duration::from_secs(15);

/// The janitor.
pub struct Janitor;

/// What it is started with.
pub struct JanitorArgs {
    /// The node's means.
    pub house: House,
    /// Who brings workers back.
    pub root: ActorRef<RootMsg>,
}

/// What it has in mind.
pub struct JanitorState {
    house: House,
    root: ActorRef<RootMsg>,
    is_sweeping: bool,
}

impl Actor for Janitor {
    type Msg = JanitorMsg;
    type State = JanitorState;
    type Arguments = JanitorArgs;

    async fn pre_start(
        &self,
        me: ActorRef<JanitorMsg>,
        args: JanitorArgs,
    ) -> Result<JanitorState, ActorProcessingErr> {
        me.send_interval(ROUND, || JanitorMsg::Sweep);
        Ok(JanitorState {
            house: args.house,
            root: args.root,
            is_sweeping: false,
        })
    }

    async fn handle(
        &self,
        me: ActorRef<JanitorMsg>,
        message: JanitorMsg,
        state: &mut JanitorState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            JanitorMsg::Sweep => begin(&me, state),
            JanitorMsg::Swept => state.is_sweeping = false,
            JanitorMsg::Crash => panic!("the janitor was told to crash"),
        }
        Ok(())
    }
}

fn begin(me: &ActorRef<JanitorMsg>, state: &mut JanitorState) {
    if state.is_sweeping {
        return;
    }
    state.is_sweeping = true;
    let (house, root, me) = (state.house.clone(), state.root.clone(), me.clone());
    tokio::spawn(async move {
        if let Err(hindrance) = sweep(&house, &root).await {
            tracing::debug!(
                error = crate::errand::chain(&hindrance),
                "sweeping is hindered"
            );
        }
        let _ = me.cast(JanitorMsg::Swept);
    });
}

async fn sweep(house: &House, root: &ActorRef<RootMsg>) -> Result<(), Hindrance> {
    for bench in house.workshop.benches().await? {
        let (is_owned, is_awake) = house.look(|state| {
            let is_owned = state.keeps_container(house.node, &bench.worker, bench.epoch);
            (
                is_owned,
                state.workers.get(&bench.worker).is_some_and(|w| w.is_awake),
            )
        });
        if !is_owned {
            tracing::info!(worker = %bench.worker, epoch = %bench.epoch, "removing a container that nobody owns");
            house.workshop.clear(&bench).await?;
        } else if !is_awake {
            let worker: WorkerId = bench.worker;
            // The root is gone only when the whole tree is.
            let _ = root.cast(RootMsg::SettleWorker(worker));
        }
    }
    Ok(())
}
