//! `[engine]`: what runs agents on this node.

use std::path::PathBuf;

use super::keys::Keys;

/// The settings of `[engine]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineSettings {
    /// Which engine.
    pub kind: EngineChoice,
    /// Where the Docker engine listens.
    pub docker_socket: PathBuf,
    /// Whether the process engine may run agents without a sandbox.
    pub unconfined: bool,
}

/// Which engine runs agents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EngineChoice {
    /// Docker where it answers, else processes.
    Auto,
    /// Docker or nothing.
    Docker,
    /// Sandboxed processes of this host.
    Process,
}

impl EngineSettings {
    pub(super) fn read(keys: &mut Keys) -> Self {
        let kinds = [
            ("auto", EngineChoice::Auto),
            ("docker", EngineChoice::Docker),
            ("process", EngineChoice::Process),
        ];
        let kind = keys.choice("engine.kind", &kinds);
        let docker_socket = PathBuf::from(keys.socket("engine.docker_socket"));
        if docker_socket.as_os_str().is_empty() && kind == EngineChoice::Docker {
            let sentence = "`engine.docker_socket` is empty and `engine.kind` is docker";
            keys.refuse("engine.docker_socket", sentence.to_owned());
        }
        Self {
            kind,
            docker_socket,
            unconfined: keys.flag("engine.unconfined"),
        }
    }
}
