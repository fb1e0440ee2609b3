//! A machine of the simulation, from one of its starts to its end: its clock, its disk, its tasks.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use runtime::disk::{Bytes, OpenOptions};
use runtime::store::{Engine, EngineError, Op, Order, Part, Space};
use runtime::world::{self, Task, World};

use super::clockwork::{Clockwork, Owner, locked};
use super::disk::{Disk, Fate, Number};
use lab::Dice;

/// How a machine's clock goes.
#[derive(Clone, Copy, Debug)]
pub struct Drift {
    /// What it shows when the world begins.
    pub boot: Duration,
    /// How much faster than the world's it goes, in millionths.
    pub faster_ppm: i64,
    /// By how much its wall clock is wrong, in milliseconds.
    pub wall_ms: i64,
}

impl Drift {
    fn shown(self, now: Duration) -> Duration {
        self.boot + scaled(now, 1_000_000 + self.faster_ppm, 1_000_000)
    }
}

fn scaled(by: Duration, up: i64, down: i64) -> Duration {
    let nanos = i128::try_from(by.as_nanos()).unwrap_or(i128::MAX / 2_000_000);
    let nanos = nanos * i128::from(up) / i128::from(down);
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

/// A machine between its start and its end.
pub struct Machine {
    pub name: String,
    clockwork: Clockwork,
    drift: Drift,
    pub disk: Arc<Mutex<Disk>>,
    is_dead: AtomicBool,
    dice: Mutex<Dice>,
    own: std::sync::Weak<Machine>,
}

impl Machine {
    pub fn start(
        name: String,
        clockwork: &Clockwork,
        drift: Drift,
        disk: Arc<Mutex<Disk>>,
    ) -> Arc<Self> {
        let dice = Dice::new(clockwork.draw());
        Arc::new_cyclic(|own| Self {
            name,
            clockwork: clockwork.clone(),
            drift,
            disk,
            is_dead: AtomicBool::new(false),
            dice: Mutex::new(dice),
            own: own.clone(),
        })
    }

    /// Has something go on on it.
    pub fn run(self: &Arc<Self>, task: impl Future<Output = ()> + Send + 'static) -> u64 {
        self.clockwork.spawn(self.clone(), Box::pin(task))
    }

    /// Looks at something of it as itself does: by its own clock.
    pub fn look<R>(self: &Arc<Self>, look: impl FnOnce() -> R) -> R {
        let before = world::replace(Some(self.clone()));
        let seen = look();
        drop(world::replace(before));
        seen
    }

    /// Ends here and now; its tasks go when their turn is over.
    pub fn kill(&self) {
        self.is_dead.store(true, Ordering::Relaxed);
    }

    fn check(&self) -> io::Result<()> {
        if self.is_dead() {
            return Err(io::Error::other("the machine is dead"));
        }
        Ok(())
    }

    /// Does something with the disk, and dies where the disk says so.
    fn with_disk<R>(&self, what: impl FnOnce(&mut Disk) -> io::Result<R>) -> io::Result<R> {
        self.check()?;
        let mut disk = locked(&self.disk);
        let could_die = disk.dies_in.is_some();
        let done = what(&mut disk);
        if could_die && disk.dies_in.is_none() {
            self.kill();
        }
        self.clockwork.note(u64::from(done.is_ok()));
        done
    }
}

impl Owner for Machine {
    fn is_dead(&self) -> bool {
        self.is_dead.load(Ordering::Relaxed)
    }

    fn as_world(self: Arc<Self>) -> Arc<dyn World> {
        self
    }

    fn name(&self) -> String {
        self.name.clone()
    }
}

impl World for Machine {
    fn boot(&self) -> Duration {
        self.drift.shown(self.clockwork.now())
    }

    fn wall_ms(&self) -> u64 {
        let now = self.clockwork.now_ms();
        (1_700_000_000_000 + now).saturating_add_signed(self.drift.wall_ms)
    }

    fn draw(&self) -> u64 {
        locked(&self.dice).word()
    }

    fn spawn(&self, task: Task) -> u64 {
        let Some(own) = self.own.upgrade() else {
            return u64::MAX;
        };
        if self.is_dead() {
            return u64::MAX;
        }
        self.clockwork.spawn(own, task)
    }

    fn stop(&self, task: u64) {
        self.clockwork.stop(task);
    }

    fn sleep(&self, limit: Duration) -> Task {
        // So long by its own clock, and never a moment less.
        let limit = limit.min(Duration::from_hours(24));
        let limit = scaled(limit, 1_000_000, 1_000_000 + self.drift.faster_ppm);
        let limit = limit + Duration::from_nanos(2);
        Box::pin(self.clockwork.sleep(limit))
    }

    fn lag(&self) -> Duration {
        let slow_us = locked(&self.disk).mood.slow_us;
        let mut dice = locked(&self.dice);
        let us = match dice.below(20) {
            0..=9 => 0,
            10..=18 => dice.between(50, 500),
            _ => dice.between(1_000, 20_000),
        };
        Duration::from_micros(us + slow_us)
    }

    fn engine(&self, _: &Path) -> Result<Box<dyn Engine>, EngineError> {
        let opened = self.with_disk(|disk| {
            let mut dice = Dice::new(self.draw());
            disk.pairs.open(&mut dice);
            Ok(())
        });
        opened.map_err(EngineError::Failed)?;
        let machine = self.own.upgrade();
        let machine = machine.ok_or_else(|| EngineError::Failed(io::Error::other("gone")))?;
        Ok(Box::new(OnDisk(machine)))
    }

    fn has_engine(&self, _: &Path) -> bool {
        locked(&self.disk).pairs.is_made()
    }

    fn open(&self, path: &Path, options: &OpenOptions) -> io::Result<Arc<dyn Bytes>> {
        let number = self.with_disk(|disk| disk.open(path, options))?;
        let machine = self.own.upgrade();
        let machine = machine.ok_or_else(|| io::Error::other("gone"))?;
        Ok(Arc::new(OpenFile { machine, number }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.with_disk(|disk| disk.rename(from, to))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.with_disk(|disk| disk.remove(path))
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<PathBuf>> {
        self.with_disk(|disk| Ok(disk.list(dir)))
    }

    fn sync_folder(&self, dir: &Path) -> io::Result<()> {
        self.with_disk(|disk| disk.sync_folder(dir))
    }

    fn free_bytes(&self) -> io::Result<u64> {
        Ok(if locked(&self.disk).mood.is_full {
            0
        } else {
            u64::MAX
        })
    }
}

struct OpenFile {
    machine: Arc<Machine>,
    number: Number,
}

impl Bytes for OpenFile {
    fn read_at(&self, at: u64, into: &mut [u8]) -> io::Result<usize> {
        self.machine
            .with_disk(|disk| Ok(disk.read_at(self.number, at, into)))
    }

    fn write_at(&self, at: u64, bytes: &[u8]) -> io::Result<()> {
        self.machine
            .with_disk(|disk| disk.write_at(self.number, at, bytes))
    }

    fn count(&self) -> io::Result<u64> {
        self.machine.with_disk(|disk| Ok(disk.len(self.number)))
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.machine
            .with_disk(|disk| disk.set_len(self.number, len))
    }

    fn sync(&self) -> io::Result<()> {
        self.machine.with_disk(|disk| disk.sync(self.number))
    }
}

struct OnDisk(Arc<Machine>);

impl OnDisk {
    fn change(&self, what: impl FnOnce(&mut Disk)) -> Result<(), EngineError> {
        let changed = self.0.with_disk(|disk| match disk.fate() {
            Fate::Done => {
                what(disk);
                Ok(())
            }
            Fate::Fails => {
                disk.rare.saw("the engine failed and was opened again");
                Err(disk.pairs.fail())
            }
            Fate::Dies => Err(io::Error::other("the machine is dead")),
        });
        changed.map_err(EngineError::Failed)
    }
}

impl Engine for OnDisk {
    fn apply(&self, ops: &[&Op]) -> Result<u64, EngineError> {
        self.change(|disk| disk.pairs.apply(ops)).map(|()| 0)
    }

    fn sync(&self) -> Result<(), EngineError> {
        self.change(|disk| disk.pairs.sync())
    }

    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Vec<u8>>, EngineError> {
        let got = self.0.with_disk(|disk| Ok(disk.pairs.get(space, key)));
        got.map_err(EngineError::Failed)
    }

    fn range(
        &self,
        part: &Part,
        order: Order,
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, Vec<u8>)>, EngineError> {
        let found = self
            .0
            .with_disk(|disk| Ok(disk.pairs.range(part, order, limit)));
        found.map_err(EngineError::Failed)
    }

    fn disk_bytes(&self) -> u64 {
        0
    }
}
