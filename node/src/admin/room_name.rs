//! What rooms are called by those who are in them: `manager` is the asker's own room with the Manager.

use rules::room::{Persona, RoomName};

use super::people::Asker;
use super::refused::{Answered, Refused};
use super::routes::name;
use super::wire::Code;

/// The room that the asker calls so.
pub(super) fn resolve(asker: &Asker, text: &str) -> Answered<RoomName> {
    let direct = |with| Ok(RoomName::Direct(asker.human().clone(), with));
    match text.split_once('@') {
        _ if text == "manager" || text == "@manager" => direct(Persona::Manager),
        Some(("", team)) => direct(Persona::Butler(name(team)?)),
        Some(_) => text
            .parse()
            .map_err(|why: String| Refused::new(Code::Invalid, why)),
        None if text.contains('/') => direct(Persona::Worker(name(text)?)),
        None => Ok(RoomName::Team(name(text)?)),
    }
}

/// What whoever is in a room calls it.
pub(super) fn called(room: &RoomName) -> String {
    match room {
        RoomName::Team(team) => team.to_string(),
        RoomName::Direct(_, Persona::Manager) => "manager".to_owned(),
        RoomName::Direct(_, Persona::Butler(team)) => format!("@{team}"),
        RoomName::Direct(_, Persona::Worker(worker)) => worker.to_string(),
    }
}
