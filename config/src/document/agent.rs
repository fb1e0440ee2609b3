//! What a worker or a butler says about its agent: how it is started and what it may use.

use std::collections::BTreeMap;

use super::fields::{self, Fields};
use super::page::Page;
use super::yaml::Node;
use crate::agent_bounds as bounds;
use crate::measure::{
    parse_bytes, parse_cpu_millis, parse_ms, show_bytes, show_cpu_millis, show_ms,
};

/// The kernel of an agent that names none: any program.
const DEFAULT_KERNEL: &str = "cli";
/// The image of an agent that names none: nothing but the mounted `domo`.
const DEFAULT_IMAGE: &str = "scratch";
/// A command line is written by a person.
const MOST_ARGUMENTS: usize = 64;
/// Long enough for a prompt given as an argument.
const LONGEST_ARGUMENT_BYTES: usize = 4 << 10;
/// A registry, a path, a tag and a digest.
const LONGEST_IMAGE_BYTES: usize = 255;
/// What needs more variables wants a file.
const MOST_VARIABLES: usize = 64;
/// As much as an argument.
const LONGEST_VARIABLE_BYTES: usize = 4 << 10;
/// Names of variables are words.
const LONGEST_VARIABLE_NAME_CHARS: usize = 128;
/// Variables that begin so are majordomo's own.
const OWN_VARIABLES: &str = "DOMO_";

/// The keys of an agent, as they stand among the fields of a worker or a butler.
const KEYS: [&str; 6] = ["kernel", "command", "image", "limits", "idle_after", "env"];

/// How an agent is started and what it may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agent {
    /// The adapter that knows how this agent is configured, started and read.
    pub kernel: String,
    /// Program and arguments; never empty for the kernel `cli`. The program `domo` is the mounted
    /// binary itself.
    pub command: Vec<String>,
    /// The image of its container; `scratch` is an empty one.
    pub image: String,
    /// What it may use.
    pub limits: AgentLimits,
    /// After so long without work it sleeps; `None`: the node's default.
    pub idle_after_ms: Option<u64>,
    /// Variables of its environment, none of them a secret.
    pub env: BTreeMap<String, String>,
}

/// What an agent may use; `None`: the node's default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AgentLimits {
    /// Processors, in thousandths of one.
    pub cpu_millis: Option<u64>,
    /// Memory with everything that the agent starts.
    pub memory_bytes: Option<u64>,
    /// Processes and threads.
    pub pids: Option<u64>,
    /// Everything that one attempt writes.
    pub output_bytes: Option<u64>,
    /// The time limit of an attempt; where its stage has one too, the smaller one counts.
    pub wall_ms: Option<u64>,
}

impl Agent {
    /// Reads an agent that must be there.
    pub(super) fn read(page: &mut Page<'_>, fields: &mut Fields<'_>) -> Option<Self> {
        let kernel = fields.find(page, "kernel", kernel);
        let kernel = kernel.unwrap_or_else(|| DEFAULT_KERNEL.to_owned());
        let command = if kernel == DEFAULT_KERNEL {
            fields.need(page, "command", command)
        } else {
            Some(fields.find(page, "command", command).unwrap_or_default())
        };
        let image = fields
            .find(page, "image", image)
            .unwrap_or_else(|| DEFAULT_IMAGE.to_owned());
        let limits = fields.find(page, "limits", limits).unwrap_or_default();
        let idle = fields::measure(bounds::IDLE_AFTER_MS, parse_ms, show_ms);
        let idle_after_ms = fields.find(page, "idle_after", idle);
        let variable = fields::text(LONGEST_VARIABLE_BYTES);
        let variables = fields::map(MOST_VARIABLES, variable_name, variable);
        let env = fields.find(page, "env", variables).unwrap_or_default();
        Some(Self {
            kernel,
            command: command?,
            image,
            limits,
            idle_after_ms,
            env,
        })
    }

    /// Reads an agent that may be absent: none of its keys stands there.
    pub(super) fn read_optional(page: &mut Page<'_>, fields: &mut Fields<'_>) -> Option<Self> {
        if fields.has_any(&KEYS) {
            return Self::read(page, fields);
        }
        fields.know(&KEYS);
        None
    }
}

fn kernel(page: &mut Page<'_>, key: &str, node: &Node) -> Option<String> {
    let choices: Vec<(&str, &str)> = page
        .known
        .kernels
        .iter()
        .map(|kernel| (*kernel, *kernel))
        .collect();
    fields::choice(&choices)(page, key, node).map(str::to_owned)
}

fn command(page: &mut Page<'_>, key: &str, node: &Node) -> Option<Vec<String>> {
    let words = fields::list(MOST_ARGUMENTS, fields::text(LONGEST_ARGUMENT_BYTES));
    let command = words(page, key, node)?;
    if command.first().is_none_or(String::is_empty) {
        page.out_of_range(key, "[]", "it names no program".to_owned(), node.mark);
        return None;
    }
    Some(command)
}

fn image(page: &mut Page<'_>, key: &str, node: &Node) -> Option<String> {
    let image = fields::text(LONGEST_IMAGE_BYTES)(page, key, node)?;
    let is_taken = |c: char| c.is_ascii_alphanumeric() || "./:@_-".contains(c);
    let begins_well = image.starts_with(|c: char| c.is_ascii_alphanumeric());
    if !begins_well || !image.chars().all(is_taken) {
        let allowed = "an image is written like registry/path/name:tag".to_owned();
        page.out_of_range(key, &image, allowed, node.mark);
        return None;
    }
    Some(image)
}

fn limits(page: &mut Page<'_>, key: &str, node: &Node) -> Option<AgentLimits> {
    let mut fields = Fields::open(page, key, node)?;
    let cpu = fields::measure(bounds::CPU_MILLIS, parse_cpu_millis, show_cpu_millis);
    let memory = fields::measure(bounds::MEMORY_BYTES, parse_bytes, show_bytes);
    let output = fields::measure(bounds::OUTPUT_BYTES, parse_bytes, show_bytes);
    let wall = fields::measure(bounds::WALL_MS, parse_ms, show_ms);
    let limits = AgentLimits {
        cpu_millis: fields.find(page, "cpu", cpu),
        memory_bytes: fields.find(page, "memory", memory),
        pids: fields.find(page, "pids", fields::count(bounds::PIDS)),
        output_bytes: fields.find(page, "output", output),
        wall_ms: fields.find(page, "wall", wall),
    };
    fields.close(page);
    Some(limits)
}

fn variable_name(name: &str) -> Result<String, String> {
    let is_taken = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let begins_well = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if !begins_well || !name.chars().all(is_taken) || name.len() > LONGEST_VARIABLE_NAME_CHARS {
        Err("a variable is called like LOG_LEVEL".to_owned())
    } else if name.starts_with(OWN_VARIABLES) {
        Err(format!(
            "variables that begin with {OWN_VARIABLES} are majordomo's own"
        ))
    } else {
        Ok(name.to_owned())
    }
}
