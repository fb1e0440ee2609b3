//! What humans say of people, their tokens and policies.

use std::collections::BTreeMap;

use rules::deed::Deed;
use rules::human::{RoleChange, TeamRole};
use rules::id::{CaseId, HumanName, NodeId};
use rules::roster::{HumanSpec, Piece};
use rules::{Command, Principal, Proposal, demand};

use crate::lab::Lab;
use crate::pool::{self, raw};
use crate::wish::Pick;

/// A human's name; one of them is none, and one is nobody's.
fn human(pick: Pick) -> HumanName {
    raw([
        "ann", "ben", "cleo", "dan", "ann", "ben", "admin", "No Name",
    ][usize::from(pick) % 8])
}

fn spec(who: Pick, what: Pick) -> HumanSpec {
    let role = |pick: Pick| {
        if pick.is_multiple_of(3) {
            TeamRole::Lead
        } else {
            TeamRole::Member
        }
    };
    HumanSpec {
        name: human(who),
        display: what.is_multiple_of(3).then(|| "Somebody".to_owned()),
        employee: (what % 4 < 2)
            .then(|| raw(["1", "2", "01", ""][usize::from(who / 4 + what / 64) % 4])),
        teams: match what % 5 {
            0 => BTreeMap::new(),
            1 => BTreeMap::from([(pool::team(0), role(what)), (pool::team(1), role(who))]),
            _ => BTreeMap::from([(pool::team(what), role(who))]),
        },
    }
}

/// Has a proposal come without a decision, with an old one, with one about something else, or with
/// one that denies it.
pub fn sneak(lab: &Lab, proposal: &mut Proposal, how: Pick) {
    let demands = demand::of_command(&lab.state, &proposal.principal, &proposal.command);
    let mut decision = demand::decided(&lab.state, demands, |_| how % 5 != 4);
    match how % 5 {
        0 => {
            proposal.decision = None;
            return;
        }
        // As it was decided when it was said before.
        1 => return,
        2 => decision.revision = decision.revision.wrapping_sub(1),
        3 => {
            for judged in &mut decision.judged {
                judged.revision += 1;
            }
        }
        _ => {}
    }
    proposal.decision = Some(decision);
}

/// What somebody says.
pub fn command(lab: &Lab, how: Pick, who: Pick, what: Pick) -> (Principal, Command) {
    let name = human(who);
    let token = raw(["t1", "t2"][usize::from(what) % 2]);
    let command = match how % 18 {
        0..=3 => Command::PutHumans {
            put: (0..how / 16)
                .map(|at| spec(who.wrapping_add(at), what))
                .collect(),
            piece: None,
        },
        4..=6 => Command::PutHumans {
            put: vec![spec(who, what)],
            piece: Some(Piece {
                roster: [who % 6; 32],
                number: u32::from(what % 4),
                of: u32::from(how / 64),
            }),
        },
        7 => Command::RemoveHuman { human: name },
        8..=10 => {
            let change = match what % 5 {
                0 | 1 => RoleChange::Admin {
                    is_admin: what.is_multiple_of(5),
                },
                2 => RoleChange::Team {
                    team: pool::team(what / 5),
                    role: None,
                },
                _ => RoleChange::Team {
                    team: pool::team(what / 5),
                    role: Some(TeamRole::Member),
                },
            };
            let human = name;
            Command::SetHumanRole { human, change }
        }
        11..=13 => Command::MintHumanToken {
            human: name,
            token,
            hash: [what / 2 % 8; 32],
            valid_ms: u64::from(what) * 1000,
            team: what.is_multiple_of(3).then(|| pool::team(what / 3)),
        },
        14 => Command::RevokeHumanToken { human: name, token },
        16 => Command::NoteDeed {
            node: NodeId(u64::from(what % 3)),
            deed: Deed::CrashButler(pool::team(what)),
        },
        17 => Command::EraseCase {
            case: CaseId(u64::from(what % 8)),
            reason: "the law asks for it".to_owned(),
        },
        _ if what.is_multiple_of(2) => Command::PutPolicy {
            policy: raw("freeze"),
            text: format!("forbid {}", what / 2 % 4),
        },
        _ => Command::RemovePolicy {
            policy: raw("freeze"),
        },
    };
    let speaker = lab.state.people.humans.keys().next();
    let speaker = speaker.filter(|_| how.is_multiple_of(7));
    let speaker = speaker.map_or_else(pool::sam, |name| Principal::human(name.clone()));
    (speaker, command)
}
