//! The settings of one node: read from four layers, checked, typed, each with where it came from.
//!
//! ```text
//! config/default.toml  <  settings file  <  DOMO_SECTION__KEY  <  flags
//! ```
//!
//! # Invariant
//! The default file is the only place that knows a default, and the only list of keys.
//! A section's file is the only place that knows a key's type and range; a test holds the comment
//! in the default file to them.
//!
//! # Why
//! The layers are laid over each other by hand rather than through serde, because a message has to
//! name the layer, the line and the column of a wrong value, and all wrong values at once.
//!
//! A new setting: its lines in `default.toml`, its field and its reader in its section's file.

mod address;
mod admin;
mod agents;
mod audit;
mod chaos;
mod cluster;
mod engine;
mod gateway;
mod keys;
mod layers;
mod ledger;
mod limits;
mod log;
mod node;
mod people;

use std::path::Path;

use keys::Keys;
use layers::Layers;

pub use self::admin::AdminSettings;
pub use self::agents::AgentSettings;
pub use self::audit::AuditSettings;
pub use self::chaos::ChaosSettings;
pub use self::cluster::ClusterSettings;
pub use self::engine::{EngineChoice, EngineSettings};
pub use self::gateway::GatewaySettings;
pub use self::ledger::{LedgerSettings, StoreChoice};
pub use self::limits::LimitSettings;
pub use self::log::{LogFormat, LogSettings};
pub use self::node::NodeSettings;
pub use self::people::PeopleSettings;
use crate::mistake::{Mistakes, Place};

/// The default settings file, as it is compiled in: every key with its default and its reason.
pub const DEFAULT_TOML: &str = include_str!("../default.toml");

/// The settings of one node, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Who this node is and where it keeps things.
    pub node: NodeSettings,
    /// Where this node is among the others.
    pub cluster: ClusterSettings,
    /// The socket that people and programs speak to.
    pub admin: AdminSettings,
    /// Which users are which humans.
    pub people: PeopleSettings,
    /// The replicated log.
    pub ledger: LedgerSettings,
    /// What runs agents.
    pub engine: EngineSettings,
    /// Its agents' only way out.
    pub gateway: GatewaySettings,
    /// What this node takes in.
    pub limits: LimitSettings,
    /// What an agent gets by default.
    pub agents: AgentSettings,
    /// What this node writes about itself.
    pub log: LogSettings,
    /// Where its records are archived.
    pub audit: AuditSettings,
    /// Whether it may be broken on purpose.
    pub chaos: ChaosSettings,
    lines: Vec<SettingLine>,
}

/// One line of `domo config check`: a key, its value and where that came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingLine {
    /// Section and key, as in `limits.blob_bytes`.
    pub key: String,
    /// The value, with its unit.
    pub value: String,
    /// What would be allowed.
    pub allowed: String,
    /// Where the value stands.
    pub from: Place,
}

impl Settings {
    /// Lays the settings file at `path` (none: no file), the environment's `DOMO_SECTION__KEY` and
    /// `flags` (pairs of `section.key` and value) over the defaults and checks the result.
    ///
    /// The error holds every mistake of every layer, up to a bound.
    pub fn load(
        path: Option<&Path>,
        env: impl Iterator<Item = (String, String)>,
        flags: &[(String, String)],
    ) -> Result<Self, Mistakes> {
        let mut layers = Layers::of_defaults(DEFAULT_TOML);
        if let Some(path) = path {
            layers.lay_file(path);
        }
        layers.lay_environment(env);
        layers.lay_flags(flags);
        Self::read(layers)
    }

    /// Reads the text of a settings file over the defaults, without environment and flags;
    /// `file` is what messages call it.
    pub fn parse(file: &str, text: &str) -> Result<Self, Mistakes> {
        let mut layers = Layers::of_defaults(DEFAULT_TOML);
        layers.lay_toml(file, text);
        Self::read(layers)
    }

    /// Every key with its value, what is allowed and where the value came from, section by section.
    pub fn lines(&self) -> &[SettingLine] {
        &self.lines
    }

    fn read(layers: Layers) -> Result<Self, Mistakes> {
        let mut keys = Keys::new(layers.given, layers.mistakes);
        let node = NodeSettings::read(&mut keys);
        let cluster = ClusterSettings::read(&mut keys);
        let admin = AdminSettings::read(&mut keys);
        let people = PeopleSettings::read(&mut keys);
        let ledger = LedgerSettings::read(&mut keys);
        let engine = EngineSettings::read(&mut keys);
        let gateway = GatewaySettings::read(&mut keys);
        let limits = LimitSettings::read(&mut keys);
        let agents = AgentSettings::read(&mut keys);
        let log = LogSettings::read(&mut keys);
        let audit = AuditSettings::read(&mut keys);
        let chaos = ChaosSettings::read(&mut keys);
        let lines = keys.finish()?;
        Ok(Self {
            node,
            cluster,
            admin,
            people,
            ledger,
            engine,
            gateway,
            limits,
            agents,
            log,
            audit,
            chaos,
            lines,
        })
    }
}
