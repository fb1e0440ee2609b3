//! The janitor: removes containers that nobody owns, blobs that nothing names and what ended attempts
//! have left for too long or of erased cases, and has those containers stopped that should sleep.
//!
//! # Why
//! Workers look after their own container while they have duties. What is left by a worker that
//! was removed, moved or replaced while nobody looked has no worker any more; comparing what is
//! there with the state finds it however it came about.

use std::collections::HashSet;
use std::time::Duration;

use ractor::{Actor, ActorProcessingErr, ActorRef};
use rules::blobs;
use rules::id::WorkerId;
use runtime::archive::Filter;
use runtime::clock;

use crate::house::{Hindrance, House};
use crate::keeps::surplus;
use crate::tree::RootMsg;

/// What wakes the janitor.
pub enum JanitorMsg {
    /// Compare what is there with the state.
    Sweep,
    /// A round is over.
    Swept,
    /// Remove the blobs that nothing names any more.
    SweepBlobs,
    /// Remove what ended attempts have left for longer, or more of it, than is kept.
    SweepSpools,
    /// Panic, because a test or an operator says so.
    Crash,
}

impl ractor::Message for JanitorMsg {}

/// Time between two rounds: what nobody owns does no harm, so it may stay that long.
const ROUND: Duration = Duration::from_secs(15);

/// Time between two rounds through what ended attempts have left.
const SPOOL_ROUND: Duration = Duration::from_mins(10);
/// Time between two rounds through the blobs.
const BLOB_ROUND: Duration = Duration::from_hours(1);
/// A blob that nothing names is kept this long: a slow upload is named at its end.
const UNNAMED_AGE: Duration = Duration::from_hours(24);
/// Archived cases, and posts, that are read at once.
const ARCHIVE_PAGE: usize = 500;

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
    /// How many cases were erased when it was last looked what they have left.
    erased: usize,
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
        me.send_interval(BLOB_ROUND, || JanitorMsg::SweepBlobs);
        me.send_after(ROUND, || JanitorMsg::SweepSpools);
        me.send_interval(SPOOL_ROUND, || JanitorMsg::SweepSpools);
        Ok(JanitorState {
            house: args.house,
            root: args.root,
            is_sweeping: false,
            erased: 0,
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
            JanitorMsg::SweepBlobs => begin_blobs(state),
            JanitorMsg::SweepSpools => begin_spools(state),
            JanitorMsg::Crash => panic!("the janitor was told to crash"),
        }
        Ok(())
    }
}

fn begin(me: &ActorRef<JanitorMsg>, state: &mut JanitorState) {
    let erased = state.house.look(|state| state.erased.len());
    if state.erased != erased {
        // The law does not wait for the usual round; what stays this time goes with that one.
        state.erased = erased;
        begin_spools(state);
    }
    if state.is_sweeping {
        return;
    }
    state.is_sweeping = true;
    let (house, root, over) = (state.house.clone(), state.root.clone(), Over(me.clone()));
    tokio::spawn(async move {
        let _over = over;
        if let Err(hindrance) = sweep(&house, &root).await {
            tracing::debug!(
                error = crate::errand::chain(&hindrance),
                "sweeping is hindered"
            );
        }
    });
}

/// A round that is under way; however it ends, the next one may begin.
struct Over(ActorRef<JanitorMsg>);

impl Drop for Over {
    fn drop(&mut self) {
        // The janitor is gone only when the whole tree is.
        let _ = self.0.cast(JanitorMsg::Swept);
    }
}

/// Sees to every container, whatever becomes of the one before it; says what hindered the last one.
async fn sweep(house: &House, root: &ActorRef<RootMsg>) -> Result<(), Hindrance> {
    let mut hindered = Ok(());
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
            if let Err(error) = house.workshop.clear(&bench).await {
                tracing::warn!(worker = %bench.worker, %error, "the container stays for now");
                hindered = Err(error.into());
            }
        } else if !is_awake {
            let worker: WorkerId = bench.worker;
            // The root is gone only when the whole tree is.
            let _ = root.cast(RootMsg::SettleWorker(worker));
        }
    }
    hindered
}

fn begin_spools(state: &JanitorState) {
    let house = state.house.clone();
    tokio::spawn(async move {
        match sweep_spools(&house).await {
            Ok(0) => {}
            Ok(removed) => tracing::info!(removed, "removed what ended attempts have left"),
            Err(hindrance) => {
                let error = crate::errand::chain(&hindrance);
                tracing::warn!(error, "what ended attempts have left stays this time");
            }
        }
    });
}

async fn sweep_spools(house: &House) -> Result<usize, Hindrance> {
    let left = house.workshop.left().await?;
    // Looked at after what is there: a case that was opened since has nothing among it.
    let (open, erased) = house.look(|state| {
        let open = state.cases.keys().copied().collect();
        (open, state.erased.clone())
    });
    let surplus = surplus(left, &open, &erased, house.keeps, clock::wall());
    for one in &surplus {
        house.workshop.discard(&one.bench, one.attempt).await?;
    }
    Ok(surplus.len())
}

fn begin_blobs(state: &JanitorState) {
    let house = state.house.clone();
    tokio::spawn(async move {
        match sweep_blobs(&house).await {
            Ok(0) => {}
            Ok(removed) => tracing::info!(removed, "removed blobs that nothing names"),
            Err(hindrance) => {
                let error = crate::errand::chain(&hindrance);
                tracing::warn!(error, "the blobs are not swept this time");
            }
        }
    });
}

/// Adds what came with posts that have left the state.
async fn name_posts(house: &House, named: &mut HashSet<String>) -> Result<(), Hindrance> {
    let archive = house.ledger.archive();
    archive.flush()?;
    let mut place = Vec::new();
    loop {
        let page = archive.posts_behind(&place, ARCHIVE_PAGE)?;
        let posts = page.iter().map(|(_, shelved)| &shelved.post);
        named.extend(blobs::of_posts(posts).map(|blob| blob.to_string()));
        let Some((last, _)) = page.into_iter().last() else {
            return Ok(());
        };
        place = last;
        tokio::task::yield_now().await;
    }
}

/// Removes what neither the state nor the archive names; a name that comes later is younger than
/// the age, since its blob was written or touched first.
async fn sweep_blobs(house: &House) -> Result<u64, Hindrance> {
    let mut named: HashSet<String> = house.look(|state| {
        blobs::of_state(state)
            .iter()
            .map(ToString::to_string)
            .collect()
    });
    let mut filter = Filter::default();
    loop {
        let archive = house.ledger.archive();
        let page = archive.list(&filter, ARCHIVE_PAGE)?;
        let Some(last) = page.last() else { break };
        filter.before = Some(last.id);
        for summary in &page {
            if let Some(case) = archive.case(summary.id)? {
                named.extend(blobs::of_case(&case).iter().map(ToString::to_string));
            }
        }
        tokio::task::yield_now().await;
    }
    name_posts(house, &mut named).await?;
    let is_named = move |name: &str| named.contains(name);
    Ok(house.blobs.sweep(is_named, UNNAMED_AGE).await?)
}
