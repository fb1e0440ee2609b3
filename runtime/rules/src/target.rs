//! A target: what agents may reach through the gateway, and what doing so means.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::id::{BadName, TargetName, TeamName};
use crate::limits;
use crate::node::Node;
use crate::state::State;
use crate::version;

/// Where a target is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// Such as `https`.
    pub scheme: String,
    /// A host's name or number.
    pub host: String,
    /// Its port.
    pub port: u16,
}

impl Address {
    /// What is wrong with it, in words.
    fn fault(&self) -> Option<&'static str> {
        let is_word = |text: &str, others: &[u8]| {
            let mut bytes = text.bytes();
            bytes.all(|byte| byte.is_ascii_alphanumeric() || others.contains(&byte))
        };
        if !(1..=limits::MAX_NAME_BYTES).contains(&self.scheme.len()) || !is_word(&self.scheme, b"")
        {
            return Some("its scheme is no word such as https");
        }
        if !(1..=limits::MAX_ADDRESS_BYTES).contains(&self.host.len())
            || !is_word(&self.host, b".-_:[]")
        {
            return Some("its host is no name or number of a host");
        }
        (self.port == 0).then_some("its port is 1 to 65535")
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}:{}", self.scheme, self.host, self.port)
    }
}

impl std::str::FromStr for Address {
    type Err = BadName;

    /// Reads `scheme://host:port`.
    fn from_str(text: &str) -> Result<Self, BadName> {
        let wrong = || BadName {
            name: text.chars().take(limits::MAX_ADDRESS_BYTES).collect(),
            why: "expected scheme://host:port",
        };
        let (scheme, rest) = text.split_once("://").ok_or_else(wrong)?;
        let (host, port) = rest.rsplit_once(':').ok_or_else(wrong)?;
        let address = Self {
            scheme: scheme.to_owned(),
            host: host.to_owned(),
            port: port.parse().map_err(|_| wrong())?,
        };
        match address.fault() {
            None => Ok(address),
            Some(_) => Err(wrong()),
        }
    }
}

/// What it means to repeat a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Class {
    /// Nothing: it changes nothing.
    Read,
    /// Nothing, under the same key: the target knows the key, or can be asked.
    Keyed,
    /// It may be done twice.
    Unkeyed,
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Read => "read",
            Self::Keyed => "keyed",
            Self::Unkeyed => "unkeyed",
        })
    }
}

/// A target of the cluster; its secrets are local to the nodes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// Its name.
    pub name: TargetName,
    /// Where it is.
    pub address: Address,
    /// What it means to repeat a request, by its method in capital letters.
    pub methods: BTreeMap<String, Class>,
    /// The teams whose agents may reach it.
    pub teams: BTreeSet<TeamName>,
    /// Whether it lets nobody in without a secret: then only nodes that have it host those teams.
    pub needs_secret: bool,
}

/// How the agents of a node reach targets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WayOut {
    /// The targets whose secrets the node has.
    pub secrets: BTreeSet<TargetName>,
    /// Whether its agents are kept from what is the daemon's, such as those secrets.
    pub is_confined: bool,
}

/// Why the agents of a team must not be on a node: they could not reach their targets from there, or
/// could reach more. None where that is not known, or they have no targets.
pub(crate) fn misfit(state: &State, node: &Node, team: &TeamName) -> Option<String> {
    if state.version < version::WAYS_OUT {
        return None;
    }
    let way_out = node.way_out.as_ref()?;
    let mut theirs = of_team(state, team);
    if !way_out.is_confined {
        let target = &theirs.next()?.name;
        let why = format!(
            "its agents run unconfined, and those of team {team} may reach target {target}"
        );
        return Some(why);
    }
    let lacks = |target: &&Target| target.needs_secret && !way_out.secrets.contains(&target.name);
    let lacking = theirs.find(lacks)?;
    Some(format!(
        "it does not have the secret of target {}",
        lacking.name
    ))
}

/// Whether it is not known yet if a team's agents may be on a node.
pub(crate) fn is_unknown(state: &State, node: &Node, team: &TeamName) -> bool {
    state.version >= version::WAYS_OUT
        && node.way_out.is_none()
        && of_team(state, team).next().is_some()
}

fn of_team<'a>(state: &'a State, team: &'a TeamName) -> impl Iterator<Item = &'a Target> {
    let all = state.targets.values();
    all.filter(move |target| target.teams.contains(team))
}

impl Target {
    /// What it means to repeat a request of this method: nobody knows better, it may be done twice.
    pub fn class(&self, method: &str) -> Class {
        let known = self.methods.get(method).copied();
        known.unwrap_or(Class::Unkeyed)
    }

    /// Everything that is wrong with it, in words.
    pub(crate) fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if let Err(bad) = crate::id::check_word(self.name.as_str()) {
            faults.push(bad.to_string());
        }
        faults.extend(self.address.fault().map(ToOwned::to_owned));
        if self.methods.len() > limits::MAX_TARGET_METHODS {
            let most = limits::MAX_TARGET_METHODS;
            faults.push(format!("a target has at most {most} methods"));
        }
        if !self.methods.keys().all(|method| is_method(method)) {
            faults.push("a method is a word in capital letters, such as GET".to_owned());
        }
        if self.teams.len() > limits::MAX_TARGET_TEAMS {
            let most = limits::MAX_TARGET_TEAMS;
            faults.push(format!("a target is for at most {most} teams"));
        }
        faults
    }
}

/// Whether a text can be a method: a word in capital letters.
pub(crate) fn is_method(text: &str) -> bool {
    (1..=limits::MAX_NAME_BYTES).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte == b'-')
}
