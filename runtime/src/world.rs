//! The world that the ledger runs in: tasks, waiting, chance; a simulation may stand in for it.
//!
//! ```text
//! ledger, store, archive, records ─► clock, disk, world ─► the machine, tokio
//!                                            └───────────► what was put in their place on this thread
//! ```
//!
//! # Invariant
//! Those four rooms wait, start tasks and draw lots through here alone, read clocks through `clock`
//! and touch files through `disk`: whoever stands in for the world sees and decides all of it.
//!
//! # Why
//! What ships is what is simulated, without a second copy of anything. A stand-in belongs to a thread
//! and is asked for at each call: the road not taken, a handle to the world in every structure, would
//! be in the way of everybody who reads them, and nothing but a simulation would ever use it.

use std::cell::RefCell;
use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::path::{Path, PathBuf};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use thiserror::Error;
use tokio::sync::oneshot;

use crate::disk::{Bytes, OpenOptions};
use crate::store::{Engine, EngineError};

/// Something that goes on by itself.
pub type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What stands in for the world on a thread.
pub trait World: Send + Sync {
    /// What the boot clock shows.
    fn boot(&self) -> Duration;
    /// What the wall clock shows: milliseconds since 1970.
    fn wall_ms(&self) -> u64;
    /// The next number of chance.
    fn draw(&self) -> u64;
    /// Has a task go on by itself; gives its number.
    fn spawn(&self, task: Task) -> u64;
    /// Ends a task where it stands.
    fn stop(&self, task: u64);
    /// Ends when so much time has passed.
    fn sleep(&self, limit: Duration) -> Task;
    /// How long the disk lets the next write wait.
    fn lag(&self) -> Duration;
    /// Opens the engine of a store in its folder; makes it when it is not there.
    fn engine(&self, dir: &Path) -> Result<Box<dyn Engine>, EngineError>;
    /// Whether there is an engine in a folder.
    fn has_engine(&self, dir: &Path) -> bool;
    /// Opens a file.
    fn open(&self, path: &Path, options: &OpenOptions) -> io::Result<Arc<dyn Bytes>>;
    /// Gives a file another name, whatever had it before.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Takes a file away.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// The files of a folder.
    fn list(&self, dir: &Path) -> io::Result<Vec<PathBuf>>;
    /// Makes the names in a folder durable.
    fn sync_folder(&self, dir: &Path) -> io::Result<()>;
    /// Bytes that are free on the disk.
    fn free_bytes(&self) -> io::Result<u64>;
}

thread_local! {
    static STAND_IN: RefCell<Option<Arc<dyn World>>> = const { RefCell::new(None) };
}

/// Puts something in the place of the world for this thread, or nothing; gives what stood there.
pub fn replace(world: Option<Arc<dyn World>>) -> Option<Arc<dyn World>> {
    STAND_IN.replace(world)
}

/// What stands in for the world here.
pub(crate) fn stand_in() -> Option<Arc<dyn World>> {
    STAND_IN.with_borrow(Option::clone)
}

/// Why a task gave nothing.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("a task ended without its answer: {why}")]
pub struct Lost {
    why: String,
    is_panic: bool,
}

impl Lost {
    /// Whether it broke off.
    pub fn is_panic(&self) -> bool {
        self.is_panic
    }
}

impl From<Lost> for io::Error {
    fn from(lost: Lost) -> Self {
        Self::other(lost)
    }
}

impl From<tokio::task::JoinError> for Lost {
    fn from(error: tokio::task::JoinError) -> Self {
        Self {
            why: error.to_string(),
            is_panic: error.is_panic(),
        }
    }
}

/// A task under way; ends with its answer, and goes on when it is dropped.
#[derive(Debug)]
pub struct Running<T>(Under<T>);

enum Under<T> {
    Tokio(tokio::task::JoinHandle<T>),
    StandIn {
        world: Arc<dyn World>,
        task: u64,
        answer: oneshot::Receiver<T>,
    },
}

impl<T> fmt::Debug for Under<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tokio(_) => "a task",
            Self::StandIn { .. } => "a task of a stand-in",
        })
    }
}

impl<T> Running<T> {
    /// Ends it where it stands.
    pub fn abort(&self) {
        match &self.0 {
            Under::Tokio(handle) => handle.abort(),
            Under::StandIn { world, task, .. } => world.stop(*task),
        }
    }
}

impl<T> Future for Running<T> {
    type Output = Result<T, Lost>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            Under::Tokio(handle) => Pin::new(handle).poll(cx).map_err(Lost::from),
            Under::StandIn { answer, .. } => Pin::new(answer).poll(cx).map_err(|_| Lost {
                why: "it was stopped".to_owned(),
                is_panic: false,
            }),
        }
    }
}

/// Has something go on by itself.
pub fn spawn<F>(task: F) -> Running<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let Some(world) = stand_in() else {
        return Running(Under::Tokio(tokio::spawn(task)));
    };
    let (told, answer) = oneshot::channel();
    let task = world.spawn(Box::pin(async move {
        // Who has gone away does not want to know.
        drop(told.send(task.await));
    }));
    Running(Under::StandIn {
        world,
        task,
        answer,
    })
}

/// Does something that blocks, where it is in nobody's way.
pub fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Running<T> {
    if stand_in().is_some() {
        return spawn(async move { work() });
    }
    Running(Under::Tokio(tokio::task::spawn_blocking(work)))
}

/// Ends when so much time has passed since it was called.
pub fn sleep(limit: Duration) -> impl Future<Output = ()> + Send {
    let (virtually, really) = match stand_in() {
        Some(world) => (Some(world.sleep(limit)), None),
        None => (None, Some(tokio::time::sleep(limit))),
    };
    async move {
        if let Some(virtually) = virtually {
            virtually.await;
        }
        if let Some(really) = really {
            really.await;
        }
    }
}

/// It did not come in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("it did not come in time")]
pub struct TooLate;

/// Waits for something, for so long at most.
pub async fn timeout<F: Future>(limit: Duration, wanted: F) -> Result<F::Output, TooLate> {
    let mut late = pin!(sleep(limit));
    let mut wanted = pin!(wanted);
    poll_fn(|cx| {
        if let Poll::Ready(answer) = wanted.as_mut().poll(cx) {
            return Poll::Ready(Ok(answer));
        }
        late.as_mut().poll(cx).map(|()| Err(TooLate))
    })
    .await
}

/// A number that nobody can know beforehand.
pub fn draw() -> u64 {
    stand_in().map_or_else(rand::random, |world| world.draw())
}

/// How long the disk lets the next write wait: nothing but where something stands in for the world.
pub(crate) fn lag() -> Duration {
    stand_in().map_or(Duration::ZERO, |world| world.lag())
}
