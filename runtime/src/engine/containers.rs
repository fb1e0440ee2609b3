//! The `docker` engine: boxes as hardened containers.
//!
//! ```text
//! ensure ─► create ─► start      created, exited ─► start      running ─► adopt
//!             │ no such image: made when it is `scratch`, refused when it is another
//! ```
//!
//! # Invariant
//!
//! The container's name and labels carry everything; this process remembers nothing but the
//! connection.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use tokio::sync::broadcast;
use tokio::task::JoinHandle;

use super::docker::{Client, NAME};
use super::home::{BoxRecord, Home, read_json};
use super::labels::{self, Labels};
use super::profile::{Died, Made, Profile, Stands};
use super::still::Still;
use super::turns::Turns;
use super::{
    BoxEvent, BoxId, BoxSpec, BoxState, Confinement, Description, EVENTS_LIMIT, EngineError,
    Ensured, FoundBox, Image, Phase,
};
use crate::clock::Deadline;
use crate::init::{BoxSettings, Reap, WORD_FILE, Word};
use crate::spool::{Owner, Spool, own, to_json, write_by_rename, write_plain};

/// Shortest and longest pause before the engine is asked for news again.
const RECONNECT: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(3));
/// How long a started container's init may take to serve; on an idle machine it takes 5 ms.
const READY_LIMIT: Duration = Duration::from_secs(20);
/// Time between two looks at whether it does.
const LOOK_PAUSE: Duration = Duration::from_millis(2);
/// How many such looks lie between two questions whether it has ended.
const LOOKS_A_ROUND: u32 = 50;
/// The user of an agent in a container, where the daemon is root; nobody on any host is him.
pub(super) const INNER: Owner = Owner {
    uid: 10_001,
    gid: 10_001,
};
/// The empty image: its name, its tag, its label.
const SCRATCH: (&str, &str) = ("majordomo/scratch", "1");
const SCRATCH_LABEL: &str = "majordomo.image=scratch";

/// Runs boxes as containers.
#[derive(Debug)]
pub(super) struct ContainerEngine {
    home: Home,
    client: Arc<Client>,
    turns: Turns,
    pub(super) events: broadcast::Sender<BoxEvent>,
    pub(super) still: Still,
    listener: JoinHandle<()>,
}

impl Drop for ContainerEngine {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

impl ContainerEngine {
    /// The engine behind `socket`, whether it answers or not. Inside a tokio runtime.
    pub(super) fn new(home: Home, socket: &Path) -> ContainerEngine {
        let client = Arc::new(Client::new(socket));
        let events = broadcast::Sender::new(EVENTS_LIMIT);
        let ours = Labels::of_home(&home);
        let listener = tokio::spawn(listen(Arc::clone(&client), ours, events.clone()));
        ContainerEngine {
            still: Still::new(home.clone(), NAME),
            home,
            client,
            turns: Turns::new(),
            events,
            listener,
        }
    }

    pub(super) async fn describe(&self) -> Result<Description, EngineError> {
        let about = self.client.about().await?;
        Ok(Description {
            engine: NAME.to_owned(),
            weaknesses: about.weaknesses,
            version: about.version,
            confinement: Confinement::Container,
        })
    }

    pub(super) async fn ensure_now(&self, spec: &BoxSpec) -> Result<BoxState, EngineError> {
        self.home.check(spec)?;
        let _turn = self.turns.of(&self.home.short(&spec.id)).await;
        let is_known = self.home.record(&spec.id).is_some();
        let record = BoxRecord {
            version: 1,
            id: spec.id.clone(),
            engine: NAME.to_owned(),
            confinement: Confinement::Container,
            owner: owner(),
            domo: self.home.domo.clone(),
        };
        let name = self.home.name(&spec.id);
        let spool = self.home.lay_out(&record)?;
        let (ensured, was_out_of_memory) = if is_known {
            self.verdict(spec, &name).await?
        } else {
            (Ensured::Created, false)
        };
        let mut state = BoxState::new(ensured, spool.clone());
        state.was_out_of_memory = was_out_of_memory;
        if ensured == Ensured::Adopted {
            return Ok(state);
        }
        self.write_files(spec, &record, &spool)?;
        if ensured == Ensured::Created {
            if is_known {
                self.client.remove(&name).await?;
            }
            if self.create(spec, &name).await? == Made::NameTaken {
                // Its folder was lost: what runs under the name looks into one that is gone.
                self.verdict(spec, &name).await?;
                self.client.remove(&name).await?;
                self.create(spec, &name).await?;
            }
        }
        self.start(spec, &name, &spool).await?;
        Ok(state)
    }

    /// Starts the container, and waits until its init serves.
    async fn start(&self, spec: &BoxSpec, name: &str, spool: &Spool) -> Result<(), EngineError> {
        let word = spool.folder().join(WORD_FILE);
        write_by_rename(&spool.folder().join("run"), "init.json", b"", 0o600)?;
        own(&word, spool.owner())?;
        match self.client.start(name).await {
            // Under load the engine's own runtime sometimes trips over itself. And where it was killed
            // as it started this very container, what that left keeps it from being started for ever,
            // and may run: another one in its place has nothing of that.
            Err(EngineError::Failing { .. }) => {
                if let Some(seen) = self.client.inspect(name).await? {
                    self.still.kill_lost(seen.container).await?;
                }
                self.client.remove(name).await?;
                self.create(spec, name).await?;
                self.client.start(name).await?;
            }
            started => started?,
        }
        let deadline = Deadline::after(READY_LIMIT);
        let failing = |why: String| {
            let subject = name.to_owned();
            Err(EngineError::Failing {
                engine: NAME,
                verb: "start",
                subject,
                why,
            })
        };
        // The engine tells nobody how far a program inside has come.
        for round in 1_u32.. {
            match read_json::<Word>(&word) {
                Some(Word::Ready) => return Ok(()),
                Some(Word::Failed(why)) => return failing(why),
                None if deadline.is_over() => return failing("it was not ready in time".into()),
                None => {}
            }
            if round.is_multiple_of(LOOKS_A_ROUND) {
                let seen = self.client.inspect(name).await?;
                let runs = seen.is_some_and(|seen| seen.stands == Stands::Running);
                if !runs && read_json::<Word>(&word).is_none() {
                    return failing("its init ended at once".into());
                }
            }
            tokio::time::sleep(LOOK_PAUSE).await;
        }
        Ok(())
    }

    /// What is to be done with what stands under this name, and whether it had ended for want of
    /// memory; fails where it is someone else's.
    async fn verdict(&self, spec: &BoxSpec, name: &str) -> Result<(Ensured, bool), EngineError> {
        let Some(seen) = self.client.inspect(name).await? else {
            return Ok((Ensured::Created, false));
        };
        let labels = Labels::of_spec(&self.home, spec);
        if !labels.are_of_same_box(&seen.labels) {
            let why = format!("a container called {name} is there, and is not this node's");
            return Err(EngineError::Refused {
                why,
                cure: "remove it by hand".into(),
            });
        }
        let ensured = match seen.stands {
            Stands::Running => Ensured::Adopted,
            Stands::Paused => self.client.unpause(name).await.map(|()| Ensured::Adopted)?,
            Stands::Still if labels.are_of_same_spec(&seen.labels) => Ensured::Started,
            // Of another release or description, or half removed: made anew, its folder stays.
            Stands::Still | Stands::Broken => Ensured::Created,
        };
        let has_ended = ensured != Ensured::Adopted;
        Ok((ensured, has_ended && seen.is_out_of_memory))
    }

    fn write_files(
        &self,
        spec: &BoxSpec,
        record: &BoxRecord,
        spool: &Spool,
    ) -> Result<(), EngineError> {
        let settings = BoxSettings {
            reap: Reap::Namespace,
            // The engine itself sees to memory and processes.
            cgroup: None,
            open_files: spec.limits.open_files,
            file_bytes: spec.limits.file_bytes,
            processes: None,
            memory_watch_bytes: None,
        };
        write_plain(
            &spool.folder().join("in/box.json"),
            &to_json(&settings),
            0o644,
        )?;
        Ok(self.home.write(record)?)
    }

    /// Creates the container; makes the empty image when that is what is missing.
    async fn create(&self, spec: &BoxSpec, name: &str) -> Result<Made, EngineError> {
        let made = self.client.create(name, self.profile(spec)).await?;
        match (&spec.image, made) {
            (Image::Scratch, Made::NoImage) => {
                self.client.make_empty_image(SCRATCH, SCRATCH_LABEL).await?;
                self.client.create(name, self.profile(spec)).await
            }
            (Image::Named(image), Made::NoImage) => Err(EngineError::Refused {
                why: format!("the engine has no image `{image}`"),
                cure: "load or build it on this host, nothing is ever pulled".into(),
            }),
            (_, Made::Created | Made::NameTaken) => Ok(made),
        }
    }

    fn profile<'a>(&'a self, spec: &'a BoxSpec) -> Profile<'a> {
        const SCRATCH_NAME: &str = "majordomo/scratch:1";
        let folder = self.home.folder(&spec.id);
        let mut mounts = vec![
            (folder.join("in"), "/agent/in".to_owned(), true),
            (folder.join("out"), "/agent/out".to_owned(), false),
            (folder.join("run"), "/agent/run".to_owned(), false),
            (folder.join("gateway"), "/run/domo".to_owned(), true),
            (self.home.domo.clone(), "/domo".to_owned(), true),
        ];
        for program in &spec.programs {
            mounts.push((
                program.clone(),
                program.to_string_lossy().into_owned(),
                true,
            ));
        }
        Profile {
            image: match &spec.image {
                Image::Scratch => SCRATCH_NAME,
                Image::Named(name) => name,
            },
            user: owner(),
            limits: &spec.limits,
            mounts,
            // The name is for people who look at the host's processes.
            entrypoint: ["/domo", "init", "/agent", &self.home.name(&spec.id)]
                .map(str::to_owned)
                .to_vec(),
            labels: Labels::of_spec(&self.home, spec).into_map(),
        }
    }

    pub(super) async fn stop_now(&self, id: &BoxId, grace: Duration) -> Result<(), EngineError> {
        self.client.stop(&self.home.name(id), grace).await
    }

    pub(super) async fn remove_now(&self, id: &BoxId) -> Result<(), EngineError> {
        let _turn = self.turns.of(&self.home.short(id)).await;
        self.client.remove(&self.home.name(id)).await?;
        let (home, id) = (self.home.clone(), id.clone());
        let removed = tokio::task::spawn_blocking(move || home.remove(&id)).await;
        removed.unwrap_or(Ok(())).map_err(EngineError::from)
    }

    pub(super) async fn found_box(&self, id: &BoxId) -> Result<Option<FoundBox>, EngineError> {
        let seen = self.client.inspect(&self.home.name(id)).await?;
        let phase = match seen.map(|seen| seen.stands) {
            Some(Stands::Running | Stands::Paused) => Phase::Running,
            Some(Stands::Still | Stands::Broken) => Phase::Stopped,
            None if self.home.record(id).is_some() => Phase::Stopped,
            None => return Ok(None),
        };
        let spool = self.home.spool_of_container(id, owner());
        Ok(Some(FoundBox {
            id: id.clone(),
            phase,
            spool,
        }))
    }

    pub(super) async fn found_boxes(&self) -> Result<Vec<FoundBox>, EngineError> {
        let listed = self
            .client
            .list(Labels::of_home(&self.home).filters())
            .await?;
        let mut found: HashMap<BoxId, Phase> = HashMap::new();
        for (labels, is_up) in listed {
            if let Some(id) = labels::box_id(&labels) {
                found.insert(
                    id,
                    if is_up {
                        Phase::Running
                    } else {
                        Phase::Stopped
                    },
                );
            }
        }
        for record in self.home.records(NAME)? {
            // Its container was removed by hand; what it left is still there.
            found.entry(record.id).or_insert(Phase::Stopped);
        }
        let of = |(id, phase)| {
            let spool = self.home.spool_of_container(&id, owner());
            FoundBox { id, phase, spool }
        };
        let mut boxes: Vec<FoundBox> = found.into_iter().map(of).collect();
        boxes.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(boxes)
    }
}

/// Hands the engine's news on for as long as it lives, and finds the engine again when it is back.
async fn listen(client: Arc<Client>, ours: Labels, events: broadcast::Sender<BoxEvent>) {
    let mut pause = RECONNECT.0;
    let (mut is_lost, mut is_new) = (false, true);
    loop {
        if let Ok(mut deaths) = client.deaths(ours.filters()).await {
            pause = RECONNECT.0;
            if std::mem::take(&mut is_lost) | std::mem::take(&mut is_new) {
                // Whoever was opened with a silent engine waits for this. Nobody listens: then nobody is to be told.
                let _ = events.send(BoxEvent::Regained);
            }
            while let Some(Died { container, labels }) = deaths.next().await {
                if let Some(id) = labels::box_id(&labels) {
                    let seen = client.inspect(&container).await;
                    let oom = matches!(seen, Ok(Some(seen)) if seen.is_out_of_memory);
                    let _ = events.send(BoxEvent::Ended { id, oom });
                }
            }
        }
        if !std::mem::replace(&mut is_lost, true) {
            let _ = events.send(BoxEvent::Lost);
        }
        client.reset();
        tokio::time::sleep(pause.mul_f32(0.5 + rand::random::<f32>() / 2.0)).await;
        pause = (pause * 2).min(RECONNECT.1);
    }
}

/// The user of a container's programs: a daemon that is not root can give files to nobody else.
fn owner() -> Owner {
    if nix::unistd::geteuid().is_root() {
        return INNER;
    }
    Owner {
        uid: nix::unistd::geteuid().as_raw(),
        gid: nix::unistd::getegid().as_raw(),
    }
}
