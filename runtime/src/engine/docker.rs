//! The Docker engine's API, as far as boxes need it: the one file that names the client library.
//!
//! # Invariant
//!
//! Every call has a deadline. Nothing is ever pulled. A lost connection is found again by the next
//! call, with a version that the engine of then speaks.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bollard::Docker;
use bollard::errors::Error;
use bollard::models::{
    ContainerCreateBody, ContainerStateStatusEnum, ContainerSummaryStateEnum, HostConfig,
    HostConfigCgroupnsModeEnum, HostConfigLogConfig, Mount, MountType, RestartPolicy,
    RestartPolicyNameEnum,
};
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, CreateImageOptions, EventsOptionsBuilder,
    ListContainersOptionsBuilder, RemoveContainerOptionsBuilder, StopContainerOptionsBuilder,
};
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt};

use super::EngineError;
use super::profile::{About, Died, Made, Profile, Seen, Stands};

/// How this engine calls itself.
pub(super) const NAME: &str = "docker";
/// How long the engine may take for one call; a busy one takes seconds for a start.
pub(super) const CALL_LIMIT: Duration = Duration::from_mins(1);

/// How an archive says that it ends: two empty blocks.
const EMPTY_ARCHIVE: [u8; 1_024] = [0; 1_024];

/// The way to the engine.
#[derive(Debug)]
pub(super) struct Client {
    socket: PathBuf,
    connected: Mutex<Option<Docker>>,
}

impl Client {
    pub(super) fn new(socket: &Path) -> Client {
        let socket = socket.to_owned();
        Client {
            socket,
            connected: Mutex::default(),
        }
    }

    /// Lets the connection go; the next call makes a new one.
    pub(super) fn reset(&self) {
        *self
            .connected
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = None;
    }

    async fn docker(&self) -> Result<Docker, Error> {
        let known = self
            .connected
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some(docker) = known {
            return Ok(docker);
        }
        let (socket, seconds) = (self.socket.to_string_lossy(), CALL_LIMIT.as_secs());
        let docker = Docker::connect_with_unix(&socket, seconds, bollard::API_DEFAULT_VERSION)?;
        let docker = docker.negotiate_version().await?;
        *self
            .connected
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(docker.clone());
        Ok(docker)
    }

    /// Asks for one thing, in bounded time; `None` when the engine's refusal is one of `fine`.
    async fn ask<T, F>(
        &self,
        verb: &'static str,
        subject: &str,
        most: Duration,
        fine: &[u16],
        question: impl FnOnce(Docker) -> F + Send,
    ) -> Result<Result<T, u16>, EngineError>
    where
        F: Future<Output = Result<T, Error>> + Send,
    {
        let asked = async { question(self.docker().await?).await };
        let Ok(answer) = tokio::time::timeout(most, asked).await else {
            self.reset();
            let why = format!("no answer in {} s to: {verb} {subject}", most.as_secs());
            return Err(EngineError::Unreachable { engine: NAME, why });
        };
        let error = match answer {
            Ok(answer) => return Ok(Ok(answer)),
            Err(error) => error,
        };
        match status(&error) {
            Some(code) if fine.contains(&code) => Ok(Err(code)),
            known => {
                if known.is_none() {
                    self.reset();
                }
                Err(judge(verb, subject, &error))
            }
        }
    }

    pub(super) async fn about(&self) -> Result<About, EngineError> {
        let asked = self.ask("describe", "itself", CALL_LIMIT, &[], |docker| async move {
            Ok((docker.version().await?, docker.info().await?))
        });
        let Ok((version, info)) = asked.await? else {
            return Ok(About::default());
        };
        let options = info.security_options.unwrap_or_default();
        let has = [
            (
                "system call filter",
                options.iter().any(|option| option.contains("seccomp")),
            ),
            ("memory limit", info.memory_limit != Some(false)),
            ("process limit", info.pids_limit != Some(false)),
            ("processor time limit", info.cpu_cfs_quota != Some(false)),
        ];
        Ok(About::new(version.version, &has))
    }

    pub(super) async fn create(&self, name: &str, of: Profile<'_>) -> Result<Made, EngineError> {
        let options = CreateContainerOptionsBuilder::new().name(name).build();
        let body = body(of);
        let asked = self.ask(
            "create",
            name,
            CALL_LIMIT,
            &[404, 409],
            |docker| async move { docker.create_container(Some(options), body).await },
        );
        Ok(match asked.await? {
            Ok(_) => Made::Created,
            Err(409) => Made::NameTaken,
            Err(_) => Made::NoImage,
        })
    }

    /// Makes an image that has nothing in it, from an archive that has nothing in it.
    pub(super) async fn make_empty_image(
        &self,
        name: (&str, &str),
        label: &str,
    ) -> Result<(), EngineError> {
        let options = CreateImageOptions {
            from_src: Some("-".into()),
            repo: Some(name.0.into()),
            tag: Some(name.1.into()),
            changes: vec![format!("LABEL {label}")],
            ..Default::default()
        };
        let asked = self.ask(
            "make",
            "the empty image",
            CALL_LIMIT,
            &[],
            |docker| async move {
                let body = bollard::body_full(EMPTY_ARCHIVE.to_vec().into());
                docker
                    .create_image(Some(options), Some(body), None)
                    .try_collect::<Vec<_>>()
                    .await
            },
        );
        asked.await.map(drop)
    }

    pub(super) async fn inspect(&self, name: &str) -> Result<Option<Seen>, EngineError> {
        let asked = self.ask("inspect", name, CALL_LIMIT, &[404], |docker| async move {
            docker.inspect_container(name, None).await
        });
        let Ok(found) = asked.await? else {
            return Ok(None);
        };
        let is_out_of_memory = found
            .state
            .as_ref()
            .is_some_and(|s| s.oom_killed == Some(true));
        let stands = match found.state.and_then(|state| state.status) {
            Some(ContainerStateStatusEnum::RUNNING) => Stands::Running,
            Some(ContainerStateStatusEnum::PAUSED) => Stands::Paused,
            Some(ContainerStateStatusEnum::CREATED | ContainerStateStatusEnum::EXITED) => {
                Stands::Still
            }
            _ => Stands::Broken,
        };
        let labels = found
            .config
            .and_then(|config| config.labels)
            .unwrap_or_default();
        Ok(Some(Seen {
            container: found.id.unwrap_or_default(),
            stands,
            labels,
            is_out_of_memory,
        }))
    }

    pub(super) async fn start(&self, name: &str) -> Result<(), EngineError> {
        let told = self.ask("start", name, CALL_LIMIT, &[304], |docker| async move {
            docker.start_container(name, None).await
        });
        told.await.map(drop)
    }

    pub(super) async fn unpause(&self, name: &str) -> Result<(), EngineError> {
        let told = self.ask("unpause", name, CALL_LIMIT, &[], |docker| async move {
            docker.unpause_container(name).await
        });
        told.await.map(drop)
    }

    pub(super) async fn stop(&self, name: &str, grace: Duration) -> Result<(), EngineError> {
        let seconds = i32::try_from(grace.as_millis().div_ceil(1_000)).unwrap_or(i32::MAX);
        let options = StopContainerOptionsBuilder::new().t(seconds).build();
        let most = CALL_LIMIT.saturating_add(grace);
        let told = self.ask("stop", name, most, &[304, 404], |docker| async move {
            docker.stop_container(name, Some(options)).await
        });
        told.await.map(drop)
    }

    /// Kills and removes a container; an absent one is removed.
    pub(super) async fn remove(&self, name: &str) -> Result<(), EngineError> {
        let options = RemoveContainerOptionsBuilder::new()
            .force(true)
            .v(true)
            .build();
        let told = self.ask("remove", name, CALL_LIMIT, &[404], |docker| async move {
            docker.remove_container(name, Some(options)).await
        });
        told.await.map(drop)
    }

    /// The labels of the containers that carry all of `labels`, and whether each runs.
    pub(super) async fn list(
        &self,
        labels: Vec<String>,
    ) -> Result<Vec<(HashMap<String, String>, bool)>, EngineError> {
        let filters = HashMap::from([("label".to_owned(), labels)]);
        let options = ListContainersOptionsBuilder::new()
            .all(true)
            .filters(&filters)
            .build();
        let asked = self.ask(
            "list",
            "its containers",
            CALL_LIMIT,
            &[],
            |docker| async move { docker.list_containers(Some(options)).await },
        );
        let up = [
            ContainerSummaryStateEnum::RUNNING,
            ContainerSummaryStateEnum::PAUSED,
        ];
        let listed = asked
            .await?
            .unwrap_or_default()
            .into_iter()
            .map(|container| {
                let is_up = container.state.is_some_and(|state| up.contains(&state));
                (container.labels.unwrap_or_default(), is_up)
            });
        Ok(listed.collect())
    }

    /// The ends of containers that carry all of `labels`, until the connection is lost.
    pub(super) async fn deaths(
        &self,
        labels: Vec<String>,
    ) -> Result<BoxStream<'static, Died>, EngineError> {
        let asked = self.ask(
            "watch",
            "its containers",
            CALL_LIMIT,
            &[],
            |docker| async move { docker.ping().await.map(|_| docker) },
        );
        let Ok(docker) = asked.await? else {
            return Ok(futures_util::stream::empty().boxed());
        };
        let filters = HashMap::from([
            ("label".to_owned(), labels),
            ("event".to_owned(), vec!["die".to_owned()]),
        ]);
        let options = EventsOptionsBuilder::new().filters(&filters).build();
        let news = docker.events(Some(options));
        let whole = news.take_while(|message| std::future::ready(message.is_ok()));
        let died = whole.filter_map(|message| async {
            let actor = message.ok()?.actor?;
            Some(Died {
                container: actor.id?,
                labels: actor.attributes?,
            })
        });
        Ok(died.boxed())
    }
}

/// The hardened profile, whole.
fn body(of: Profile<'_>) -> ContainerCreateBody {
    let mounts = of.mounts.into_iter().map(|(from, to, is_read_only)| Mount {
        source: Some(from.to_string_lossy().into_owned()),
        target: Some(to),
        typ: Some(MountType::BIND),
        read_only: Some(is_read_only),
        ..Default::default()
    });
    let limits = of.limits;
    let tmp = format!("rw,nosuid,nodev,exec,mode=1777,size={}", limits.tmp_bytes);
    let never = RestartPolicy {
        name: Some(RestartPolicyNameEnum::NO),
        ..Default::default()
    };
    let host = HostConfig {
        network_mode: Some("none".into()),
        ipc_mode: Some("private".into()),
        cgroupns_mode: Some(HostConfigCgroupnsModeEnum::PRIVATE),
        readonly_rootfs: Some(true),
        cap_drop: Some(vec!["ALL".into()]),
        security_opt: Some(vec!["no-new-privileges:true".into()]),
        tmpfs: Some(HashMap::from([("/tmp".to_owned(), tmp)])),
        shm_size: Some(signed(limits.tmp_bytes)),
        memory: Some(signed(limits.memory_bytes)),
        memory_swap: Some(signed(limits.memory_bytes)),
        nano_cpus: Some(signed(limits.cpu_millis.saturating_mul(1_000_000))),
        pids_limit: Some(signed(
            limits.processes.saturating_add(limits.own_processes()),
        )),
        restart_policy: Some(never),
        log_config: Some(HostConfigLogConfig {
            typ: Some("none".into()),
            config: None,
        }),
        mounts: Some(mounts.collect()),
        ..Default::default()
    };
    ContainerCreateBody {
        image: Some(of.image.to_owned()),
        hostname: Some("box".into()),
        user: Some(format!("{}:{}", of.user.uid, of.user.gid)),
        working_dir: Some("/".into()),
        entrypoint: Some(of.entrypoint),
        labels: Some(of.labels),
        host_config: Some(host),
        ..Default::default()
    }
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The engine's answer code, when it answered.
fn status(error: &Error) -> Option<u16> {
    if let Error::DockerResponseServerError { status_code, .. } = error {
        return Some(*status_code);
    }
    // A stream that carries an error, or an answer that cannot be read, is an answer too.
    let is_answer = matches!(
        error,
        Error::DockerStreamError { .. } | Error::JsonDataError { .. }
    );
    is_answer.then_some(500)
}

/// Names an error after what to do about it.
fn judge(verb: &'static str, subject: &str, error: &Error) -> EngineError {
    let why = if let Error::DockerResponseServerError { message, .. } = error {
        message.clone()
    } else {
        error.to_string()
    };
    match status(error) {
        None => EngineError::Unreachable { engine: NAME, why },
        Some(400) => {
            let cure = format!("change the worker so that the engine can {verb} {subject}");
            EngineError::Refused { why, cure }
        }
        Some(_) => EngineError::Failing {
            engine: NAME,
            verb,
            subject: subject.to_owned(),
            why,
        },
    }
}
