//! Choosing the engine at the daemon's start, and saying why.
//!
//! # Invariant
//!
//! The process engine is handed out only after a box of its kind was really started: what the host
//! forbids is found out here, not with the first case.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::containers::ContainerEngine;
use super::home::Home;
use super::process::ProcessEngine;
use super::{
    BoxId, BoxLimits, BoxSpec, Confinement, Description, Engine, EngineError, Image, bubblewrap,
};

/// How long Docker may take to answer before `auto` takes it for absent.
const AUTO_LIMIT: Duration = Duration::from_secs(2);
/// The box that is started to see whether it can be.
const TRIAL: &str = "trial";

/// Which engine is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EngineChoice {
    /// Docker where it answers, else processes.
    #[default]
    Auto,
    /// Docker, and nothing else.
    Docker,
    /// Processes of this host.
    Process,
}

/// What the engine is opened with.
#[derive(Clone, Debug)]
pub struct EngineSettings {
    /// Which engine is wanted.
    pub choice: EngineChoice,
    /// Where Docker listens.
    pub docker_socket: PathBuf,
    /// The node's data folder, which must be there; boxes live below it.
    pub data: PathBuf,
    /// The `domo` that boxes run as their init: usually the running program itself.
    pub domo: PathBuf,
    /// The cluster's unique id.
    pub cluster: String,
    /// This node.
    pub node: u64,
    /// May agents run without any confinement, where the host offers none?
    pub unconfined: bool,
    /// Only this confinement of processes; none is the best that works.
    pub confinement: Option<Confinement>,
}

/// An opened engine.
#[derive(Debug)]
pub struct Opened {
    /// The engine.
    pub engine: Arc<dyn Engine>,
    /// What it is.
    pub description: Description,
    /// Why this one, as a sentence for the start message.
    pub why: String,
    /// Whether it answered; one that did not is used as soon as it does.
    pub is_there: bool,
}

/// Opens the engine that the settings ask for. Inside a tokio runtime.
///
/// # Errors
/// [`EngineError::Unreachable`] when Docker is asked for, does not answer, and has never run a box here;
/// [`EngineError::Refused`] when processes cannot be confined here and need be.
pub async fn open(settings: &EngineSettings) -> Result<Opened, EngineError> {
    let home = {
        let settings = settings.clone();
        let opened = tokio::task::spawn_blocking(move || {
            Home::open(
                &settings.data,
                &settings.domo,
                &settings.cluster,
                settings.node,
            )
        });
        match opened.await {
            Ok(home) => home?,
            Err(panic) => std::panic::resume_unwind(panic.into_panic()),
        }
    };
    let socket = settings.docker_socket.display();
    match settings.choice {
        EngineChoice::Process => {
            open_process(settings, home, "the settings ask for it".to_owned()).await
        }
        EngineChoice::Docker => {
            let why = "the settings ask for it".to_owned();
            open_docker(home, &settings.docker_socket, why).await
        }
        EngineChoice::Auto => {
            let why = format!("Docker answers at {socket}");
            match open_docker(home.clone(), &settings.docker_socket, why).await {
                Ok(opened) => Ok(opened),
                Err(error) => {
                    let why = format!("no Docker engine answers at {socket} ({error})");
                    open_process(settings, home, why).await
                }
            }
        }
    }
}

/// The Docker engine that answers; or one that does not answer now but has containers of this node,
/// which another engine would run a second time.
async fn open_docker(home: Home, socket: &Path, why: String) -> Result<Opened, EngineError> {
    let has_containers = !home.records(super::docker::NAME)?.is_empty();
    let engine = Arc::new(ContainerEngine::new(home, socket));
    let asked = match tokio::time::timeout(AUTO_LIMIT, engine.probe()).await {
        Ok(answer) => answer,
        Err(_) => Err(EngineError::Unreachable {
            engine: super::docker::NAME,
            why: format!("no answer at {} within 2 s", socket.display()),
        }),
    };
    let is_there = asked.is_ok();
    let (description, why) = match asked {
        Ok(description) => (description, why),
        Err(error) if has_containers && error.is_passing() => {
            let why = format!("it has containers of this node, and is waited for: {error}");
            (silent(), why)
        }
        Err(error) => return Err(error),
    };
    Ok(Opened {
        engine,
        description,
        why,
        is_there,
    })
}

/// What can be said of a Docker engine that says nothing.
fn silent() -> Description {
    Description {
        engine: super::docker::NAME.to_owned(),
        version: "does not answer now".to_owned(),
        confinement: Confinement::Container,
        weaknesses: Vec::new(),
    }
}

/// Takes the strongest confinement of which a box can be started here.
async fn open_process(
    settings: &EngineSettings,
    home: Home,
    mut why: String,
) -> Result<Opened, EngineError> {
    let is_root = nix::unistd::geteuid().is_root();
    let mut tried = Vec::new();
    for confinement in [
        Confinement::Bubblewrap,
        Confinement::OwnUid,
        Confinement::Nothing,
    ] {
        if settings.confinement.is_some_and(|only| only != confinement) {
            continue;
        }
        let obstacle = match confinement {
            Confinement::Bubblewrap => bubblewrap::find()
                .is_none()
                .then(|| "it is not installed".to_owned()),
            Confinement::OwnUid if !is_root => Some("the daemon is not root".to_owned()),
            Confinement::OwnUid => closed_above(&home.domo),
            Confinement::Nothing => (!settings.unconfined).then(|| "it was not allowed".to_owned()),
            Confinement::Container => Some("it is no confinement of processes".to_owned()),
        };
        if let Some(obstacle) = obstacle {
            tried.push(format!("{confinement}: {obstacle}"));
            continue;
        }
        let engine = ProcessEngine::new(home.clone(), confinement);
        match try_out(&engine, settings).await {
            Ok(description) => {
                if !tried.is_empty() {
                    why = format!("{why}; {}", tried.join("; "));
                }
                return Ok(Opened {
                    engine: Arc::new(engine),
                    description,
                    why,
                    is_there: true,
                });
            }
            Err(error) => tried.push(format!("{confinement}: {error}")),
        }
    }
    Err(EngineError::Refused {
        why: format!(
            "agents cannot be confined as processes of this host: {}",
            tried.join("; ")
        ),
        cure: "install bubblewrap or Docker, or start the node with --unconfined".to_owned(),
    })
}

/// Says which folder above `path` another user cannot pass.
fn closed_above(path: &Path) -> Option<String> {
    use std::os::unix::fs::PermissionsExt;
    let is_closed = |folder: &&Path| {
        folder
            .metadata()
            .is_ok_and(|seen| seen.permissions().mode() & 0o001 == 0)
    };
    let closed = path.ancestors().skip(1).find(is_closed)?;
    let folder = closed.display();
    Some(format!(
        "the agents' users cannot pass {folder}: chmod o+x it, or move the data folder"
    ))
}

/// Starts a box and removes it again.
async fn try_out(
    engine: &ProcessEngine,
    settings: &EngineSettings,
) -> Result<Description, EngineError> {
    let id = BoxId {
        cluster: settings.cluster.clone(),
        node: settings.node,
        team: TRIAL.to_owned(),
        worker: TRIAL.to_owned(),
        epoch: 0,
    };
    let spec = BoxSpec {
        id,
        image: Image::Scratch,
        limits: BoxLimits::default(),
        programs: Vec::new(),
    };
    let started = engine.ensure(&spec).await;
    let removed = engine.remove(&spec.id).await;
    started?;
    removed?;
    engine.probe().await
}
