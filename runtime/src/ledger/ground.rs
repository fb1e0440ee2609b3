//! The ground that consensus stands on: tasks, time and chance of the world as `crate::world` has it.
//!
//! # Why
//! tokio's own would be all that a daemon needs. This one passes everything on to it, and lets a
//! simulation stand in for it; channels and locks wait for no clock and stay tokio's.

use std::future::Future;
use std::io;
use std::ops::{Add, AddAssign, Sub, SubAssign};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use openraft::{AsyncRuntime, OptionalSend};
use openraft_rt_tokio::{TokioMpsc, TokioMutex, TokioOneshot, TokioWatch};
use rand::SeedableRng as _;
use rand::rngs::StdRng;

use crate::clock;
use crate::world::{self, Lost, Running, Task, TooLate};

/// What consensus runs on.
#[derive(Debug)]
pub(crate) struct Ground;

/// A point on the clock that timers go by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(Duration);

impl Add<Duration> for Moment {
    type Output = Self;

    fn add(self, by: Duration) -> Self {
        Self(self.0.saturating_add(by))
    }
}

impl AddAssign<Duration> for Moment {
    fn add_assign(&mut self, by: Duration) {
        *self = *self + by;
    }
}

impl Sub<Duration> for Moment {
    type Output = Self;

    fn sub(self, by: Duration) -> Self {
        Self(self.0.saturating_sub(by))
    }
}

impl SubAssign<Duration> for Moment {
    fn sub_assign(&mut self, by: Duration) {
        *self = *self - by;
    }
}

impl Sub for Moment {
    type Output = Duration;

    fn sub(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

impl openraft::Instant for Moment {
    fn now() -> Self {
        Self(clock::awake())
    }
}

/// Something that must come in time.
pub(crate) struct InTime<F> {
    wanted: Pin<Box<F>>,
    late: Task,
}

impl<F: Future> Future for InTime<F> {
    type Output = Result<F::Output, TooLate>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let Poll::Ready(answer) = self.wanted.as_mut().poll(cx) {
            return Poll::Ready(Ok(answer));
        }
        self.late.as_mut().poll(cx).map(|()| Err(TooLate))
    }
}

impl AsyncRuntime for Ground {
    type JoinError = Lost;
    type JoinHandle<T: OptionalSend + 'static> = Running<T>;
    type Sleep = Task;
    type Instant = Moment;
    type TimeoutError = TooLate;
    type Timeout<R, T: Future<Output = R> + OptionalSend> = InTime<T>;
    type ThreadLocalRng = StdRng;
    type Mpsc = TokioMpsc;
    type Watch = TokioWatch;
    type Oneshot = TokioOneshot;
    type Mutex<T: OptionalSend + 'static> = TokioMutex<T>;

    fn spawn<T>(task: T) -> Running<T::Output>
    where
        T: Future + OptionalSend + 'static,
        T::Output: OptionalSend + 'static,
    {
        world::spawn(task)
    }

    fn sleep(limit: Duration) -> Task {
        Box::pin(world::sleep(limit))
    }

    fn sleep_until(deadline: Moment) -> Task {
        Self::sleep(deadline - Moment(clock::awake()))
    }

    fn timeout<R, F: Future<Output = R> + OptionalSend>(limit: Duration, wanted: F) -> InTime<F> {
        InTime {
            wanted: Box::pin(wanted),
            late: Self::sleep(limit),
        }
    }

    fn timeout_at<R, F: Future<Output = R> + OptionalSend>(
        deadline: Moment,
        wanted: F,
    ) -> InTime<F> {
        Self::timeout(deadline - Moment(clock::awake()), wanted)
    }

    fn is_panic(lost: &Lost) -> bool {
        lost.is_panic()
    }

    fn thread_rng() -> StdRng {
        StdRng::seed_from_u64(world::draw())
    }

    fn new(_threads: usize) -> Self {
        Self
    }

    fn block_on<F, T>(&mut self, task: F) -> T
    where
        F: Future<Output = T>,
    {
        // Consensus never asks for it; whoever does stands outside of every task.
        tokio::runtime::Handle::current().block_on(task)
    }

    fn spawn_blocking<F, T>(work: F) -> impl Future<Output = Result<T, io::Error>> + Send
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let running = world::blocking(work);
        async move { running.await.map_err(io::Error::from) }
    }
}
