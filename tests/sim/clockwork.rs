//! The clockwork: one thread, one seed, virtual time; whose turn it is among those who can go on is drawn.
//!
//! # Invariant
//! What happens depends on the seed alone. Wakers may be called in any order: they only put a task
//! among those who can go on, and of those one is drawn from a sorted set.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use runtime::world::{self, Task, World};

use lab::Dice;

/// Steps of one trial: a hundred times what the longest needs, so that one that goes round in circles
/// ends too.
const MAX_STEPS: u64 = 4_000_000;

/// Whose turn it is, and what time.
#[derive(Clone)]
pub struct Clockwork(Arc<Shared>);

struct Shared {
    inner: Mutex<Inner>,
    woken: Arc<Mutex<BTreeSet<u64>>>,
}

struct Inner {
    now: Duration,
    dice: Dice,
    tasks: BTreeMap<u64, Slot>,
    next: u64,
    timers: BTreeMap<(Duration, u64), Waker>,
    next_timer: u64,
    steps: u64,
    trace: u64,
    broken: Vec<String>,
}

struct Slot {
    owner: Arc<dyn Owner>,
    /// None while it is its turn.
    task: Option<Task>,
    waker: Waker,
}

/// Whose a task is.
pub trait Owner: World {
    /// Whether what it runs on is gone.
    fn is_dead(&self) -> bool;
    /// As what stands in for the world.
    fn as_world(self: Arc<Self>) -> Arc<dyn World>;
    /// Its name, for people.
    fn name(&self) -> String;
}

struct Waking {
    task: u64,
    woken: Arc<Mutex<BTreeSet<u64>>>,
}

impl Wake for Waking {
    fn wake(self: Arc<Self>) {
        locked(&self.woken).insert(self.task);
    }
}

/// Locks what only this thread ever locks.
pub fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("nobody breaks off while holding it")
}

impl Clockwork {
    pub fn new(seed: u64) -> Self {
        Self(Arc::new(Shared {
            inner: Mutex::new(Inner {
                now: Duration::ZERO,
                dice: Dice::new(seed),
                tasks: BTreeMap::new(),
                next: 0,
                timers: BTreeMap::new(),
                next_timer: 0,
                steps: 0,
                trace: seed,
                broken: Vec::new(),
            }),
            woken: Arc::default(),
        }))
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        locked(&self.0.inner)
    }

    /// The time of the whole world.
    pub fn now(&self) -> Duration {
        self.inner().now
    }

    /// The same, in whole milliseconds.
    pub fn now_ms(&self) -> u64 {
        u64::try_from(self.now().as_millis()).unwrap_or(u64::MAX)
    }

    /// The next drawn word.
    pub fn draw(&self) -> u64 {
        self.inner().dice.word()
    }

    /// With the dice.
    pub fn with_dice<R>(&self, with: impl FnOnce(&mut Dice) -> R) -> R {
        with(&mut self.inner().dice)
    }

    /// Takes something that happened into the trace.
    pub fn note(&self, what: u64) {
        let mut inner = self.inner();
        inner.trace = (inner.trace ^ what)
            .wrapping_mul(0x0100_0000_01b3)
            .rotate_left(23);
    }

    /// What stands for all that happened.
    pub fn trace(&self) -> u64 {
        self.inner().trace
    }

    /// How many turns there were.
    pub fn steps(&self) -> u64 {
        self.inner().steps
    }

    /// What broke off, with whose it was.
    pub fn broken(&self) -> Vec<String> {
        self.inner().broken.clone()
    }

    pub fn spawn(&self, owner: Arc<dyn Owner>, task: Task) -> u64 {
        let mut inner = self.inner();
        let number = inner.next;
        inner.next += 1;
        let woken = Arc::clone(&self.0.woken);
        let waker = Waker::from(Arc::new(Waking {
            task: number,
            woken,
        }));
        let slot = Slot {
            owner,
            task: Some(task),
            waker,
        };
        inner.tasks.insert(number, slot);
        drop(inner);
        locked(&self.0.woken).insert(number);
        number
    }

    /// Ends a task where it stands.
    pub fn stop(&self, task: u64) {
        let slot = self.inner().tasks.remove(&task);
        drop(slot);
    }

    /// Ends all tasks of those who are dead.
    pub fn bury(&self) {
        let dead: Vec<Slot> = {
            let mut inner = self.inner();
            let is_dead = |(number, slot): (&u64, &Slot)| slot.owner.is_dead().then_some(*number);
            let numbers: Vec<u64> = inner.tasks.iter().filter_map(is_dead).collect();
            let taken = numbers.iter().map(|number| inner.tasks.remove(number));
            taken.collect::<Vec<_>>().into_iter().flatten().collect()
        };
        for slot in dead {
            in_its_world(&slot.owner.clone(), || drop(slot));
        }
    }

    /// Ends when so much time of the whole world has passed.
    pub fn sleep(&self, limit: Duration) -> Sleep {
        let at = self.now().saturating_add(limit);
        Sleep {
            clockwork: Arc::downgrade(&self.0),
            at,
            timer: None,
        }
    }

    /// Goes on until something holds, or until then; says whether it came to hold.
    pub fn run(&self, until: Duration, mut holds: impl FnMut() -> bool) -> bool {
        loop {
            if holds() {
                return true;
            }
            if !self.turn(until) {
                return holds();
            }
        }
    }

    /// One turn of one task; says whether there was one.
    fn turn(&self, until: Duration) -> bool {
        let Some(number) = self.next(until) else {
            return false;
        };
        let (owner, mut task, waker) = {
            let mut inner = self.inner();
            inner.steps += 1;
            assert!(inner.steps < MAX_STEPS, "it goes round in circles");
            let Some(slot) = inner.tasks.get_mut(&number) else {
                return true;
            };
            let Some(task) = slot.task.take() else {
                return true;
            };
            (Arc::clone(&slot.owner), task, slot.waker.clone())
        };
        self.note(number);
        let polled = in_its_world(&owner, || {
            catch_unwind(AssertUnwindSafe(|| {
                task.as_mut().poll(&mut Context::from_waker(&waker))
            }))
        });
        let is_dead = owner.is_dead();
        match polled {
            Ok(Poll::Pending) if !is_dead => {
                if let Some(slot) = self.inner().tasks.get_mut(&number) {
                    slot.task = Some(task);
                    return true;
                }
            }
            Ok(_) => {}
            Err(panic) => {
                let said = panic
                    .downcast_ref::<&str>()
                    .map(ToString::to_string)
                    .or_else(|| panic.downcast_ref::<String>().cloned());
                if !is_dead {
                    let what = format!("{} broke off: {}", owner.name(), said.unwrap_or_default());
                    self.inner().broken.push(what);
                }
            }
        }
        drop(self.inner().tasks.remove(&number).map(|slot| slot.waker));
        in_its_world(&owner, || drop(task));
        if is_dead {
            self.bury();
        }
        true
    }

    /// Whose turn it is; time passes only when nobody can go on.
    fn next(&self, until: Duration) -> Option<u64> {
        loop {
            {
                let mut woken = locked(&self.0.woken);
                if !woken.is_empty() {
                    let at = match woken.len() {
                        1 => 0,
                        many => self.inner().dice.below(many),
                    };
                    let number = *woken.iter().nth(at)?;
                    woken.remove(&number);
                    return Some(number);
                }
            }
            let mut inner = self.inner();
            let (at, _) = *inner.timers.first_key_value()?.0;
            if at > until {
                inner.now = inner.now.max(until);
                return None;
            }
            inner.now = inner.now.max(at);
            let later = inner.timers.split_off(&(at + Duration::from_nanos(1), 0));
            let due = std::mem::replace(&mut inner.timers, later);
            drop(inner);
            due.into_values().for_each(Waker::wake);
        }
    }

    /// Ends everything.
    pub fn end(&self) {
        loop {
            let Some((_, slot)) = self.inner().tasks.pop_first() else {
                return;
            };
            in_its_world(&slot.owner.clone(), || drop(slot));
        }
    }
}

fn in_its_world<R>(owner: &Arc<dyn Owner>, what: impl FnOnce() -> R) -> R {
    let before = world::replace(Some(Arc::clone(owner).as_world()));
    let done = what();
    drop(world::replace(before));
    done
}

/// Ends at its time.
pub struct Sleep {
    clockwork: Weak<Shared>,
    at: Duration,
    timer: Option<(Duration, u64)>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(shared) = self.clockwork.upgrade() else {
            return Poll::Pending;
        };
        let mut inner = locked(&shared.inner);
        if inner.now >= self.at {
            return Poll::Ready(());
        }
        let timer = self.timer.unwrap_or_else(|| {
            inner.next_timer += 1;
            (self.at, inner.next_timer)
        });
        inner.timers.insert(timer, cx.waker().clone());
        self.timer = Some(timer);
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let (Some(timer), Some(shared)) = (self.timer, self.clockwork.upgrade()) {
            drop(locked(&shared.inner).timers.remove(&timer));
        }
    }
}
