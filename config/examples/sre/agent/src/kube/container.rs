//! A container of a pod: what it asks for and what has become of it.

use super::moment::Moment;
use super::place::Place;
use super::resources::Resources;

/// How a container ended.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ended {
    /// The exit code; 128 + n for signal n.
    pub exit_code: i64,
    /// `OOMKilled`, `Error`, `Completed`, `ContainerCannotRun`, …
    pub reason: String,
    /// What the container wrote as its last words, may be empty.
    pub message: String,
    /// When it had started.
    pub started: Option<Moment>,
    /// When it ended.
    pub finished: Option<Moment>,
}

/// What a container does at the time of the recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// The kubelet has not said anything about it.
    Unknown,
    /// Not running, and why.
    Waiting {
        /// `CrashLoopBackOff`, `ContainerCreating`, …
        reason: String,
        /// A sentence, may be empty.
        message: String,
    },
    /// Running.
    Running {
        /// Since when.
        since: Option<Moment>,
    },
    /// Ended.
    Terminated(Ended),
}

/// A port on the node that a container wants for itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct HostPort {
    /// `TCP`, `UDP` or `SCTP`.
    pub protocol: String,
    /// `0.0.0.0` for all addresses.
    pub ip: String,
    /// The port's number.
    pub port: i64,
}

impl HostPort {
    /// Would the two collide on one node?
    pub fn collides(&self, other: &Self) -> bool {
        let any = |ip: &str| ip == "0.0.0.0";
        self.port == other.port
            && self.protocol == other.protocol
            && (self.ip == other.ip || any(&self.ip) || any(&other.ip))
    }
}

/// The checks of a container, each in words: `GET :8080/ready`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Probes {
    /// When it fails, the container is killed and started again.
    pub liveness: Option<Probe>,
    /// When it fails, the container gets no traffic.
    pub readiness: Option<Probe>,
    /// Until it passes, the others do not count.
    pub startup: Option<Probe>,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// What it does.
    pub shown: String,
    /// The port that it asks, if it names one by number.
    pub port: Option<i64>,
}

impl Probe {
    fn read(place: Place<'_>) -> Option<Self> {
        let (http, tcp, exec, grpc) = (
            place.at("httpGet"),
            place.at("tcpSocket"),
            place.at("exec"),
            place.at("grpc"),
        );
        let asked = [http, tcp, grpc].into_iter().find(|p| p.is_present());
        let port = asked.and_then(|p| p.at("port").whole());
        let port_shown = asked.map_or_else(String::new, |p| {
            port.map_or_else(|| p.at("port").string(), |n| n.to_string())
        });
        let shown = if http.is_present() {
            format!(
                "GET :{port_shown}{}",
                http.at("path").filled().unwrap_or_else(|| "/".into())
            )
        } else if tcp.is_present() {
            format!("TCP connect to :{port_shown}")
        } else if grpc.is_present() {
            format!("gRPC health of :{port_shown}")
        } else if exec.is_present() {
            format!(
                "command `{}`",
                crate::phrase::line(&exec.at("command").strings().join(" "), 80)
            )
        } else {
            return None;
        };
        Some(Self { shown, port })
    }
}

/// A container with its status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Container {
    /// Its name in the pod.
    pub name: String,
    /// The image as the pod names it.
    pub image: String,
    /// What it asks for, limits filling in for absent requests.
    pub requests: Resources,
    /// What it may use at most.
    pub limits: Resources,
    /// Ports on the node.
    pub host_ports: Vec<HostPort>,
    /// Ports in the pod, for pods that share the node's network.
    pub ports: Vec<HostPort>,
    /// An init container that runs on?
    pub is_sidecar: bool,
    /// The command, if the pod sets one.
    pub command: Vec<String>,
    /// Its checks.
    pub probes: Probes,
    /// What it does.
    pub state: State,
    /// How it ended the last time.
    pub last: Option<Ended>,
    /// Does it pass its readiness probe?
    pub is_ready: bool,
    /// Has it passed its startup probe? (None before Kubernetes 1.18.)
    pub has_started: Option<bool>,
    /// How often it was started again.
    pub restarts: i64,
}

impl Container {
    /// Reads a container from its spec and, where the kubelet wrote one, its status.
    pub fn read(spec: Place<'_>, status: Option<Place<'_>>) -> Self {
        let limits = Resources::of(spec.at("resources").at("limits"));
        let mut requests = Resources::of(spec.at("resources").at("requests"));
        requests.fill_from(&limits);
        let ports = |field: &str| -> Vec<HostPort> {
            spec.at("ports")
                .list()
                .filter_map(|p| {
                    Some(HostPort {
                        protocol: p
                            .at("protocol")
                            .filled()
                            .unwrap_or_else(|| "TCP".to_owned()),
                        ip: p
                            .at("hostIP")
                            .filled()
                            .unwrap_or_else(|| "0.0.0.0".to_owned()),
                        port: p.at(field).whole().filter(|n| *n > 0)?,
                    })
                })
                .collect()
        };
        let last = status.and_then(|s| ended(s.at("lastState").at("terminated")));
        Self {
            name: spec.at("name").string(),
            image: spec.at("image").string(),
            requests,
            limits,
            host_ports: ports("hostPort"),
            ports: ports("containerPort"),
            is_sidecar: spec.at("restartPolicy").text() == Some("Always"),
            command: spec.at("command").strings(),
            probes: Probes {
                liveness: Probe::read(spec.at("livenessProbe")),
                readiness: Probe::read(spec.at("readinessProbe")),
                startup: Probe::read(spec.at("startupProbe")),
            },
            state: status.map_or(State::Unknown, |s| state(s.at("state"))),
            last,
            is_ready: status.is_some_and(|s| s.at("ready").flag()),
            has_started: status
                .filter(|s| s.at("started").is_present())
                .map(|s| s.at("started").flag()),
            restarts: status
                .and_then(|s| s.at("restartCount").whole())
                .unwrap_or(0),
        }
    }

    /// How it ended, now or the last time.
    pub fn ended(&self) -> Option<&Ended> {
        match &self.state {
            State::Terminated(ended) => Some(ended),
            State::Unknown | State::Waiting { .. } | State::Running { .. } => self.last.as_ref(),
        }
    }

    /// The reason for waiting, if it waits and one is given.
    pub fn waits_for(&self) -> Option<(&str, &str)> {
        match &self.state {
            State::Waiting { reason, message } => Some((reason, message)),
            State::Unknown | State::Running { .. } | State::Terminated(_) => None,
        }
    }

    /// Does it run?
    pub fn is_running(&self) -> bool {
        matches!(self.state, State::Running { .. })
    }

    /// Since when it runs, if it runs and that was recorded.
    pub fn runs_since(&self) -> Option<Moment> {
        match &self.state {
            State::Running { since } => *since,
            State::Unknown | State::Waiting { .. } | State::Terminated(_) => None,
        }
    }
}

fn state(place: Place<'_>) -> State {
    if let Some(ended) = ended(place.at("terminated")) {
        return State::Terminated(ended);
    }
    if place.at("running").is_present() {
        return State::Running {
            since: place.at("running").at("startedAt").moment(),
        };
    }
    let waiting = place.at("waiting");
    if waiting.is_present() {
        return State::Waiting {
            reason: waiting.at("reason").string(),
            message: waiting.at("message").string(),
        };
    }
    State::Unknown
}

fn ended(place: Place<'_>) -> Option<Ended> {
    place.is_present().then(|| Ended {
        exit_code: place.at("exitCode").whole().unwrap_or(0),
        reason: place.at("reason").string(),
        message: place.at("message").string(),
        started: place.at("startedAt").moment(),
        finished: place.at("finishedAt").moment(),
    })
}
