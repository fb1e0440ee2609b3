//! What is asked about nodes and tokens, in the words of the scenarios.

use std::collections::BTreeMap;

use rules::beginning::Cause;
use rules::command::{Command, Principal, Who};
use rules::id::NodeId;
use rules::node::{Health, NodeFacts, Role};
use rules::target::WayOut;

use super::describe;
use super::words::{Words, Wrong};
use super::world::World;

/// Reads a command about nodes or tokens, if it is one.
pub fn read(
    world: &World,
    principal: &Principal,
    words: &mut Words<'_>,
) -> Result<Option<Command>, Wrong> {
    Ok(Some(if words.take("join as") {
        join(principal, words)?
    } else if words.take("mint token") {
        mint(words)?
    } else if words.take("revoke token") {
        let token = words.parse()?;
        Command::RevokeToken { token }
    } else if words.take("admit") {
        admit(words)?
    } else if words.take("judge") {
        judge(world, words)?
    } else if words.take("drain") {
        drain(words, true)?
    } else if words.take("use again") {
        drain(words, false)?
    } else if words.take("remove") {
        let node = words.parse()?;
        let is_forced = words.take("by force");
        Command::RemoveNode { node, is_forced }
    } else if words.take("let vote") {
        set_role(words, Role::Voter)?
    } else if words.take("never let vote") {
        set_role(words, Role::Learner)?
    } else if words.take("raise the rules") {
        words.expect("to")?;
        Command::RaiseVersion { to: words.parse()? }
    } else if words.take("tell of secrets") {
        tell_way_out(world, principal, words)?
    } else if words.take("found the cluster again") {
        begin_again(principal, words)?
    } else if words.take("let the cluster choose about") {
        set_role(words, Role::Auto)?
    } else {
        return Ok(None);
    }))
}

fn join(principal: &Principal, words: &mut Words<'_>) -> Result<Command, Wrong> {
    let Who::Node(node) = principal.who else {
        return Err("only nodes join".to_owned());
    };
    let mut facts = NodeFacts {
        node,
        name: words.word()?.to_owned(),
        incarnation: 1,
        release: "0.1.0".to_owned(),
        knows: 1,
        engine: "process".to_owned(),
        cpu_milli: 4000,
        memory_bytes: 8 << 30,
        labels: BTreeMap::new(),
        address: None,
    };
    loop {
        if words.take("has") {
            facts.cpu_milli = describe::number(words, "m")?;
            facts.memory_bytes = describe::number(words, "MiB")? << 20;
        } else if words.take("labels") {
            facts.labels = describe::labels(words)?;
        } else if words.take("knows") {
            facts.knows = words.parse()?;
        } else if words.take("incarnation") {
            facts.incarnation = words.parse()?;
        } else if words.take("as node") {
            facts.node = words.parse()?;
        } else if words.take("at") {
            facts.address = Some(words.word()?.to_owned());
        } else {
            return Ok(Command::JoinNode { facts });
        }
    }
}

fn mint(words: &mut Words<'_>) -> Result<Command, Wrong> {
    let token = words.parse()?;
    words.expect("of secret")?;
    let hash = stamp(words.word()?);
    words.expect("for")?;
    Ok(Command::MintToken {
        token,
        hash,
        valid_ms: words.time_ms()?,
    })
}

fn admit(words: &mut Words<'_>) -> Result<Command, Wrong> {
    let name = words.word()?.to_owned();
    words.expect("by secret")?;
    let hash = stamp(words.word()?);
    words.expect("with key")?;
    let key = stamp(words.word()?);
    Ok(Command::AdmitNode { hash, name, key })
}

fn judge(world: &World, words: &mut Words<'_>) -> Result<Command, Wrong> {
    let node: NodeId = words.parse()?;
    let present = world.state.nodes.get(&node);
    let incarnation = if words.take("of start") {
        words.parse()?
    } else {
        present.map_or(0, |node| node.facts.incarnation)
    };
    let health = if words.take("up") {
        Health::Up
    } else if words.take("suspect") {
        Health::Suspect
    } else {
        words.expect("down")?;
        Health::Down
    };
    Ok(Command::JudgeNode {
        node,
        incarnation,
        health,
        reason: words.text()?,
    })
}

fn drain(words: &mut Words<'_>, is_drained: bool) -> Result<Command, Wrong> {
    Ok(Command::DrainNode {
        node: words.parse()?,
        is_drained,
        reason: words.text()?,
    })
}

fn tell_way_out(
    world: &World,
    principal: &Principal,
    words: &mut Words<'_>,
) -> Result<Command, Wrong> {
    let Who::Node(mut node) = principal.who else {
        return Err("only nodes tell of secrets".to_owned());
    };
    let secrets = if words.take("none") {
        Vec::new()
    } else {
        words.list(Words::parse)?
    };
    let is_confined = !words.take("unconfined");
    if words.take("as node") {
        node = words.parse()?;
    }
    let present = world.state.nodes.get(&node);
    let incarnation = if words.take("of start") {
        words.parse()?
    } else {
        present.map_or(0, |node| node.facts.incarnation)
    };
    let way_out = WayOut {
        secrets: secrets.into_iter().collect(),
        is_confined,
    };
    Ok(Command::TellWayOut {
        node,
        incarnation,
        way_out,
    })
}

fn begin_again(principal: &Principal, words: &mut Words<'_>) -> Result<Command, Wrong> {
    let node = if let Who::Node(node) = principal.who {
        node
    } else {
        NodeId(1)
    };
    words.expect("as")?;
    let name = words.word()?.to_owned();
    let cause = if words.take("from a backup of") {
        Cause::Restored {
            cluster: words.word()?.to_owned(),
            index: 7,
            taken_wall_ms: 0,
        }
    } else {
        Cause::Recovered
    };
    Ok(Command::BeginAgain {
        node,
        name,
        cause,
        by: "root".to_owned(),
    })
}

fn set_role(words: &mut Words<'_>, role: Role) -> Result<Command, Wrong> {
    let node = words.parse()?;
    Ok(Command::SetRole { node, role })
}

/// What stands for the digest of a word.
pub fn stamp(word: &str) -> [u8; 32] {
    let mut stamp = [0; 32];
    for (at, byte) in word.bytes().take(stamp.len()).enumerate() {
        stamp[at] = byte;
    }
    stamp
}
