//! The plain commands of the Manager's room: a sentence in, what is wished out; nothing else.
//!
//! ```text
//! help
//! list                                                   the teams
//! who TEAM                                               its people and personas
//! create team NAME [for PURPOSE] [with butler NAME] [like TEAM]
//! create an NAME team [for PURPOSE] [with a team-butler NAME] [like TEAM]
//! create worker NAME in TEAM like [TEAM/]WORKER
//! invite NAME, NAME to TEAM [as lead|member]
//! add people to TEAM [as lead|member]                    with a roster attached
//! ```
//!
//! A roster that comes with `create team` fills the new team. Capitals do not count, nor does a full
//! stop at the end.
//!
//! # Why
//! Plain commands and not a model: whoever says one knows what will be done, and it is the same each
//! time it is read, which the answer after a failover leans on.

use rules::human::TeamRole;
use rules::id::{HumanName, TeamName, WorkerId, WorkerName};

use crate::understanding::{Understanding, Understood, Wish};

/// The plain commands.
#[derive(Clone, Copy, Debug, Default)]
pub struct PlainCommands;

/// What can be said, for people.
pub(super) const HELP: &str = "\
I understand:
  list                                    the teams
  who TEAM                                its people and personas
  create team NAME [for PURPOSE] [with butler NAME] [like TEAM]
                                          attach a roster, and its people are members
  create worker NAME in TEAM like [TEAM/]WORKER
  invite NAME, NAME to TEAM [as lead|member]
  add people to TEAM [as lead|member]     with a roster attached
  help";

impl Understanding for PlainCommands {
    fn understand<'a>(&'a self, text: &'a str) -> Understood<'a> {
        Box::pin(async move { wished(text) })
    }
}

fn wished(text: &str) -> Result<Wish, String> {
    let lower = text.to_lowercase();
    let plain = lower.trim().trim_end_matches(['.', '!']);
    let words: Vec<&str> = plain
        .split_whitespace()
        .filter(|word| !word.starts_with('@'))
        .collect();
    let wish = match words.as_slice() {
        [] | ["help" | "?"] => Some(Wish::Help),
        ["list"] | ["list", "teams"] => Some(Wish::List),
        ["who", team] | ["who", "is", "in", team] => Some(Wish::Who(name(team)?)),
        ["create" | "make", "team", team, rest @ ..]
        | [
            "create" | "make",
            "a" | "an" | "the",
            team,
            "team",
            rest @ ..,
        ] => Some(create_team(team, rest)?),
        [
            "create" | "make",
            "worker",
            worker,
            "in",
            team,
            "like",
            like,
        ] => Some(create_worker(worker, team, like)?),
        ["add", "people", "to", team, rest @ ..] => Some(Wish::AddPeople {
            team: name(team)?,
            role: role(rest)?,
        }),
        ["invite" | "add", rest @ ..] => Some(invite(rest)?),
        _ => None,
    };
    wish.ok_or_else(|| {
        let near = words.first().copied().unwrap_or_default();
        let known = ["list", "who", "create", "invite", "add", "help"];
        let hint = config::near::hint(near, known);
        format!("I do not understand that{hint}\n{HELP}")
    })
}

fn name<T: std::str::FromStr>(word: &str) -> Result<T, String>
where
    T::Err: std::fmt::Display,
{
    word.parse()
        .map_err(|why: T::Err| format!("`{word}`: {why}"))
}

fn create_team(team: &str, rest: &[&str]) -> Result<Wish, String> {
    let mut rest = rest;
    let (mut purpose, mut butler, mut like) = (None, None, None);
    if let [before @ .., "like", team] = rest {
        (rest, like) = (before, Some(name(team)?));
    }
    if let Some(at) = rest.iter().rposition(|word| *word == "with") {
        butler = Some(butler_of(&rest[at + 1..])?);
        rest = &rest[..at];
    }
    if let ["for", words @ ..] = rest
        && !words.is_empty()
    {
        purpose = Some(words.join(" "));
        rest = &[];
    }
    if !rest.is_empty() {
        let odd = rest.join(" ");
        return Err(format!(
            "I do not understand `{odd}`: say create team NAME [for PURPOSE] [with butler NAME] [like TEAM]"
        ));
    }
    Ok(Wish::CreateTeam {
        team: name(team)?,
        purpose,
        butler,
        like,
    })
}

fn butler_of(words: &[&str]) -> Result<WorkerName, String> {
    match words {
        ["butler" | "team-butler", named]
        | ["a" | "the", "butler" | "team-butler", named]
        | ["team", "butler", named]
        | ["a" | "the", "team", "butler", named]
        | ["butler" | "team-butler", "called" | "named", named] => name(named),
        _ => Err(format!(
            "I do not understand `with {}`: say with butler NAME",
            words.join(" ")
        )),
    }
}

fn create_worker(worker: &str, team: &str, like: &str) -> Result<Wish, String> {
    let team: TeamName = name(team)?;
    let like = if like.contains('/') {
        name(like)?
    } else {
        WorkerId {
            team: team.clone(),
            name: name(like)?,
        }
    };
    let worker = WorkerId {
        team,
        name: name(worker)?,
    };
    Ok(Wish::CreateWorker { worker, like })
}

fn invite(words: &[&str]) -> Result<Wish, String> {
    let how = || "say invite NAME, NAME to TEAM [as lead|member]".to_owned();
    let at = words
        .iter()
        .rposition(|word| matches!(*word, "to" | "into"));
    let (people, rest) = words.split_at(at.ok_or_else(how)?);
    let [_, team, rest @ ..] = rest else {
        return Err(how());
    };
    let people = people
        .iter()
        .filter(|word| **word != "and")
        .flat_map(|word| word.split(','))
        .filter(|word| !word.is_empty())
        .map(name)
        .collect::<Result<Vec<HumanName>, String>>()?;
    if people.is_empty() {
        return Err(how());
    }
    Ok(Wish::Invite {
        people,
        team: name(team)?,
        role: role(rest)?,
    })
}

fn role(words: &[&str]) -> Result<TeamRole, String> {
    match words {
        [] | ["as", "member" | "members"] | ["as", "a", "member"] => Ok(TeamRole::Member),
        ["as", "lead" | "leads"] | ["as", "a", "lead"] => Ok(TeamRole::Lead),
        _ => Err(format!(
            "I do not understand `{}`: say as lead or as member",
            words.join(" ")
        )),
    }
}

#[cfg(test)]
mod tests {
    use rules::human::TeamRole;

    use super::{HELP, Wish, wished};

    fn wish(text: &str) -> Wish {
        wished(text).unwrap()
    }

    fn refusal(text: &str) -> String {
        wished(text).unwrap_err()
    }

    #[test]
    fn a_team_is_wished_in_a_sentence_or_in_plain_words() {
        let wanted = Wish::CreateTeam {
            team: "sre".parse().unwrap(),
            purpose: Some("daily operations".to_owned()),
            butler: Some("sre-bot".parse().unwrap()),
            like: None,
        };
        for text in [
            "create an SRE team for daily operations with a team-butler sre-bot",
            "Create team sre for daily operations with butler sre-bot.",
            "@manager create the sre team for daily operations with a team butler sre-bot",
        ] {
            assert_eq!(wish(text), wanted, "{text}");
        }
        let Wish::CreateTeam { purpose, like, .. } =
            wish("create team db for work with care with butler b like sre")
        else {
            panic!("it is a team");
        };
        assert_eq!(purpose.as_deref(), Some("work with care"));
        assert_eq!(like, "sre".parse().ok());
    }

    #[test]
    fn people_and_workers_are_wished_with_their_roles() {
        let team = "sre".parse().unwrap();
        let people = vec!["ann".parse().unwrap(), "bo.b".parse().unwrap()];
        let role = TeamRole::Lead;
        assert_eq!(
            wish("invite ann, bo.b to sre as lead"),
            Wish::Invite { people, team, role }
        );
        let (team, role) = ("sre".parse().unwrap(), TeamRole::Member);
        assert_eq!(wish("add people to sre"), Wish::AddPeople { team, role });
        assert_eq!(
            wish("create worker disk2 in sre like disk"),
            Wish::CreateWorker {
                worker: "sre/disk2".parse().unwrap(),
                like: "sre/disk".parse().unwrap(),
            }
        );
    }

    #[test]
    fn what_is_not_understood_is_told_what_to_say_instead() {
        assert!(refusal("craete team sre").contains("did you mean `create`?"));
        assert!(refusal("good morning").contains(HELP));
        assert!(refusal("create team SRE_1").contains("`sre_1`"));
        assert!(refusal("create team sre quickly").contains("`quickly`"));
        assert!(refusal("create team sre with a cherry").contains("with butler NAME"));
        assert!(refusal("invite ann").contains("invite NAME, NAME to TEAM"));
        assert!(refusal("invite ann to sre as boss").contains("as lead or as member"));
    }
}
