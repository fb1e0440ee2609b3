//! What the engine's tests stand on: an engine of each kind, a box, an attempt, and waiting.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use runtime::clock::Deadline;
use runtime::engine::{
    BoxId, BoxLimits, BoxSpec, Confinement, Engine, EngineChoice, EngineSettings, Image, Opened,
    open,
};
use runtime::kernel::{AttemptOutcome, CliKernel, FailKind, Kernel};
use runtime::spool::{
    AttemptLimits, AttemptName, AttemptObserved, CONTRACT_VERSION, Cancel, Collected, Exit, Order,
    Spool, SpoolWatcher,
};

/// The program of these tests: init and agent.
pub const DOMO: &str = env!("CARGO_BIN_EXE_domo-init");
/// How long anything here may take before the test gives up and says what it saw last.
pub const LIMIT: Duration = Duration::from_mins(1);

/// Which engine a test runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Docker,
    Bubblewrap,
    OwnUid,
    Unconfined,
}

/// An engine with a data folder of its own.
pub struct Bench {
    pub kind: Kind,
    pub engine: Arc<dyn Engine>,
    settings: EngineSettings,
    pub data: Arc<tempfile::TempDir>,
    pub watcher: SpoolWatcher,
}

/// The socket of the Docker engine that tests may use.
pub fn docker_socket() -> PathBuf {
    let socket = std::env::var_os("DOMO_TEST_DOCKER").unwrap_or("/var/run/docker.sock".into());
    let socket = PathBuf::from(socket);
    assert!(
        socket.exists(),
        "no Docker engine at {}: start one and name its socket in DOMO_TEST_DOCKER",
        socket.display()
    );
    socket
}

pub fn settings(kind: Kind, data: &Path) -> EngineSettings {
    let is_docker = kind == Kind::Docker;
    EngineSettings {
        choice: if is_docker {
            EngineChoice::Docker
        } else {
            EngineChoice::Process
        },
        docker_socket: if is_docker {
            docker_socket()
        } else {
            "/nowhere".into()
        },
        data: data.to_owned(),
        domo: std::env::var_os("DOMO_TEST_BINARY").map_or(DOMO.into(), PathBuf::from),
        cluster: "c-test".into(),
        node: 7,
        unconfined: kind == Kind::Unconfined,
        confinement: match kind {
            Kind::Docker => None,
            Kind::Bubblewrap => Some(Confinement::Bubblewrap),
            Kind::OwnUid => Some(Confinement::OwnUid),
            Kind::Unconfined => Some(Confinement::Nothing),
        },
    }
}

impl Bench {
    pub async fn open_with(kind: Kind, settings: EngineSettings, data: tempfile::TempDir) -> Bench {
        let engine = open(&settings).await.unwrap().engine;
        let watcher = SpoolWatcher::new();
        Bench {
            kind,
            engine,
            settings,
            data: Arc::new(data),
            watcher,
        }
    }

    pub async fn open(kind: Kind) -> Bench {
        let data = tempfile::Builder::new().prefix("domo").tempdir().unwrap();
        if kind == Kind::OwnUid {
            // Its agents pass through here by their own user.
            fs::set_permissions(data.path(), fs::Permissions::from_mode(0o711)).unwrap();
        }
        Bench::open_at(kind, Arc::new(data)).await
    }

    async fn open_at(kind: Kind, data: Arc<tempfile::TempDir>) -> Bench {
        let settings = settings(kind, data.path());
        let Opened { engine, .. } = open(&settings).await.unwrap();
        let watcher = SpoolWatcher::new();
        Bench {
            kind,
            engine,
            settings,
            data,
            watcher,
        }
    }

    /// A word that is in no other test's processes.
    pub fn word(&self) -> String {
        self.data
            .path()
            .file_name()
            .unwrap()
            .to_string_lossy()
            .into_owned()
    }

    /// As after a restart of the daemon: nothing is left but what is outside of it.
    pub async fn restart(self) -> Bench {
        let (kind, data) = (self.kind, Arc::clone(&self.data));
        drop(self);
        Bench::open_at(kind, data).await
    }

    /// A second engine on the same data folder, of another node.
    pub async fn neighbour(&self) -> Arc<dyn Engine> {
        let settings = EngineSettings {
            node: 8,
            ..self.settings.clone()
        };
        open(&settings).await.unwrap().engine
    }

    /// Starts the usual box and hands `words` to an agent in it.
    pub async fn run(&self, words: &[&str]) -> Attempt<'_> {
        self.run_within(
            words,
            AttemptLimits {
                grace_ms: 200,
                ..AttemptLimits::default()
            },
        )
        .await
    }

    pub async fn run_within(&self, words: &[&str], limits: AttemptLimits) -> Attempt<'_> {
        let spool = self.engine.ensure(&spec()).await.unwrap().spool;
        self.order(spool, "a-1", words, limits)
    }

    pub fn order(
        &self,
        spool: Spool,
        name: &str,
        words: &[&str],
        limits: AttemptLimits,
    ) -> Attempt<'_> {
        let order = order_for(&spool, words, limits);
        self.order_as(spool, name, &order)
    }

    /// The same for an attempt that may run while others of its box do.
    pub fn order_beside(&self, spool: &Spool, name: &str, words: &[&str]) -> Attempt<'_> {
        let limits = AttemptLimits {
            grace_ms: 200,
            ..AttemptLimits::default()
        };
        let order = Order {
            is_alongside: true,
            ..order_for(spool, words, limits)
        };
        self.order_as(spool.clone(), name, &order)
    }

    fn order_as(&self, spool: Spool, name: &str, order: &Order) -> Attempt<'_> {
        let name = AttemptName::new(name).unwrap();
        spool.prepare(&name, &[]).unwrap();
        spool.order(&name, order).unwrap();
        Attempt {
            spool,
            name,
            bench: self,
        }
    }

    /// The attempt `a-1` of the usual box, as someone sees it who did not order it.
    pub async fn found(&self) -> Attempt<'_> {
        let boxes = self.engine.list().await.unwrap();
        let found = boxes.into_iter().find(|found| found.id == spec().id);
        let spool = found.expect("the box is not listed").spool;
        Attempt {
            spool,
            name: AttemptName::new("a-1").unwrap(),
            bench: self,
        }
    }

    pub async fn tidy(self) {
        for found in self.engine.list().await.unwrap() {
            self.engine.remove(&found.id).await.unwrap();
        }
        assert!(self.engine.list().await.unwrap().is_empty());
    }
}

impl Drop for Bench {
    /// A test that failed leaves nothing running either.
    fn drop(&mut self) {
        if std::thread::panicking() {
            let settings = self.settings.clone();
            let cleaning = std::thread::spawn(move || {
                tokio::runtime::Runtime::new().unwrap().block_on(async {
                    let engine = open(&settings).await.unwrap().engine;
                    for found in engine.list().await.unwrap() {
                        engine.remove(&found.id).await.unwrap();
                    }
                });
            });
            let _ = cleaning.join();
        }
    }
}

/// An attempt under test.
pub struct Attempt<'a> {
    pub spool: Spool,
    pub name: AttemptName,
    bench: &'a Bench,
}

impl<'a> Attempt<'a> {
    pub fn at(spool: Spool, name: AttemptName, bench: &'a Bench) -> Attempt<'a> {
        Attempt { spool, name, bench }
    }

    pub fn observe(&self) -> AttemptObserved {
        self.spool.observe(&self.name).unwrap()
    }

    /// Waits until `seen` answers.
    pub async fn until<T>(&self, what: &str, mut seen: impl FnMut(&Self) -> Option<T>) -> T {
        let watch = self.bench.watcher.attempt(&self.spool, &self.name);
        let deadline = Deadline::after(LIMIT);
        loop {
            if let Some(found) = seen(self) {
                return found;
            }
            if deadline.is_over() {
                let boxes = self.bench.engine.list().await;
                let words = fs::read_to_string(self.spool.folder().join("init.err"));
                panic!(
                    "not {what} in time: {:?}\n{boxes:?}\n{words:?}",
                    self.observe()
                );
            }
            watch.changed().await;
        }
    }

    pub async fn exit(&self) -> Exit {
        self.until("over", |attempt| match attempt.observe() {
            AttemptObserved::Exited(exit) => Some(exit),
            AttemptObserved::NotStarted { .. } | AttemptObserved::Running => None,
        })
        .await
    }

    /// Waits until there is a file of this name in its output folder.
    pub async fn wrote(&self, name: &str) {
        let path = self.spool.out_folder(&self.name).join(name);
        self.until(&format!("{name} written"), |_| path.exists().then_some(()))
            .await;
    }

    pub fn cancel(&self, grace_ms: u64) {
        let cancel = Cancel {
            version: CONTRACT_VERSION,
            reason: "the test wants it".into(),
            grace_ms: Some(grace_ms),
        };
        self.spool.cancel(&self.name, &cancel).unwrap();
    }

    pub fn collect(&self) -> Collected {
        self.spool.collect(&self.name).unwrap()
    }

    pub fn text(&self, name: &str) -> String {
        let bytes = self.collect().read(name, 1 << 20).unwrap();
        String::from_utf8(bytes.unwrap_or_else(|| panic!("no {name}"))).unwrap()
    }
}

/// Waits until `condition` answers.
pub async fn wait_until<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let deadline = Deadline::after(LIMIT);
    loop {
        if let Some(found) = condition() {
            return found;
        }
        assert!(!deadline.is_over(), "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// The usual box.
pub fn spec() -> BoxSpec {
    BoxSpec {
        id: BoxId {
            cluster: "c-test".into(),
            node: 7,
            team: "sre".into(),
            worker: "status".into(),
            epoch: 1,
        },
        image: Image::Scratch,
        limits: BoxLimits {
            memory_bytes: 256 << 20,
            tmp_bytes: 16 << 20,
            processes: 64,
            attempts: 4,
            ..BoxLimits::default()
        },
        programs: Vec::new(),
    }
}

/// An order for an agent that does `words`.
pub fn order_for(spool: &Spool, words: &[&str], limits: AttemptLimits) -> Order {
    let mut argv = vec![spool.inside().domo.display().to_string()];
    argv.extend(words.iter().map(ToString::to_string));
    Order {
        version: CONTRACT_VERSION,
        argv,
        env: [].into(),
        stdin: None,
        limits,
        is_alongside: false,
        gateway: None,
    }
}

/// Processes on this host, other than this one, whose command line has `word` in it.
pub fn processes_with(word: &str) -> Vec<String> {
    let own = std::process::id().to_string();
    let lines = fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter_map(|entry| {
            let pid = entry.file_name().into_string().ok()?;
            pid.parse::<u32>().ok().filter(|_| pid != own)?;
            let line = fs::read(entry.path().join("cmdline")).ok()?;
            let line = String::from_utf8_lossy(&line).replace('\0', " ");
            line.contains(word).then(|| format!("{pid}: {line}"))
        });
    lines.collect()
}

/// Why the attempt failed, as its kernel reads it.
pub fn failure(attempt: &Attempt<'_>, exit: &Exit) -> (FailKind, String) {
    match CliKernel.read(exit, &attempt.collect()) {
        AttemptOutcome::Failed { reason } => (reason.kind, reason.text),
        AttemptOutcome::Succeeded { result } => panic!("it succeeded: {result:?}"),
    }
}
