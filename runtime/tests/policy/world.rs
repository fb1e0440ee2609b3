//! People and personas to ask with: one of each kind, or drawn ones with a plain list of their roles.

use std::str::FromStr;

use rules::human::{Human, HumanToken, TeamRole};
use rules::id::{ClockMs, Epoch, HumanName, NodeId, TeamName, TokenName, WorkerId};
use rules::right::{Demand, Right, Tie};
use rules::{Principal, State, Who};
use runtime::policy::Policies;

use super::table::{Place, Table};

/// Everybody who asks, as the table calls them.
pub const ASKERS: [&str; 20] = [
    "admin",
    "lead",
    "member",
    "stranger",
    "manager",
    "butler",
    "worker",
    "node",
    "ledger",
    "manager for admin",
    "manager for lead",
    "manager for member",
    "manager for stranger",
    "butler for admin",
    "butler for lead",
    "butler for member",
    "butler for stranger",
    "worker for admin",
    "node for admin",
    "ledger for admin",
];
/// Humans and teams of a drawn world.
const HUMANS: u64 = 20;
const TEAMS: [&str; 4] = ["sre", "db", "web", "net"];
/// The tokens that everybody in a drawn world has: for all that they may, and for one team.
const WHOLE: &str = "whole";
const NARROW: &str = "narrow";
/// Where things are asked for: the last one is no team.
const PLACES: [&str; 5] = ["sre", "db", "web", "net", "nowhere"];

pub fn name<T: FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

pub fn matrix() -> Policies {
    let schema = include_str!("../../../config/policy/matrix.cedarschema");
    let matrix = include_str!("../../../config/policy/matrix.cedar");
    Policies::new(schema, matrix).unwrap()
}

/// Numbers that look random and are the same for the same seed.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `sides` (splitmix64).
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }

    pub fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[usize::try_from(self.roll(of.len() as u64)).unwrap()]
    }
}

/// What is known of a human outside the state that is judged.
struct Known {
    name: String,
    is_admin: bool,
    roles: Vec<(&'static str, TeamRole)>,
    /// The team that their token [`NARROW`] is for.
    narrow: &'static str,
}

pub struct World {
    pub state: State,
    known: Vec<Known>,
}

impl World {
    /// Ada the admin, Lea who leads sre, Bob who belongs to it.
    pub fn small() -> Self {
        let known = |name: &str, is_admin, roles| Known {
            name: name.to_owned(),
            is_admin,
            roles,
            narrow: "sre",
        };
        Self::of(vec![
            known("ada", true, Vec::new()),
            known("lea", false, vec![("sre", TeamRole::Lead)]),
            known("bob", false, vec![("sre", TeamRole::Member)]),
        ])
    }

    pub fn drawn(dice: &mut Dice) -> Self {
        let humans = (0..HUMANS).map(|number| Known {
            name: format!("human-{number}"),
            is_admin: dice.roll(8) == 0,
            roles: TEAMS
                .into_iter()
                .filter_map(|team| match dice.roll(4) {
                    0 => Some((team, TeamRole::Lead)),
                    1 => Some((team, TeamRole::Member)),
                    _ => None,
                })
                .collect(),
            narrow: dice.pick(&TEAMS),
        });
        let mut world = Self::of(humans.collect());
        let tokens = world.known.iter();
        let tokens: Vec<_> = tokens
            .map(|human| (human.name.clone(), human.narrow))
            .collect();
        for (human, narrow) in tokens {
            world.give_token(&human, WHOLE, None);
            world.give_token(&human, NARROW, Some(narrow));
        }
        world
    }

    fn of(known: Vec<Known>) -> Self {
        let mut state = State::default();
        let people = &mut state.people;
        for human in &known {
            let account = Human {
                is_admin: human.is_admin,
                teams: human.roles.iter().map(|(team, _)| name(team)).collect(),
                ..Human::default()
            };
            people.humans.insert(name(&human.name), account);
            for (team, role) in &human.roles {
                let roll = people.rolls.entry(name(team)).or_default();
                roll.roles.insert(name(&human.name), *role);
            }
        }
        Self { state, known }
    }

    pub fn give_token(&mut self, human: &str, token: &str, team: Option<&str>) {
        let human: HumanName = name(human);
        let token: TokenName = name(token);
        let made = HumanToken {
            hash: [1; 32],
            until: ClockMs(u64::MAX),
            team: team.map(name),
            minted_by: "test".to_owned(),
            minted_wall_ms: 0,
        };
        let account = self.state.people.humans.get_mut(&human).unwrap();
        account.tokens.insert(token, made);
        self.state.people.revision += 1;
    }

    /// A request, and what the table says to it.
    pub fn request(&self, dice: &mut Dice, table: &Table) -> (Principal, Demand, bool) {
        let demand = Demand {
            right: dice.pick(&Right::ALL),
            team: (dice.roll(5) > 0).then(|| name(dice.pick(&PLACES))),
            tie: dice.pick(&[Tie::None, Tie::Opener, Tie::Named, Tie::Own]),
        };
        let known: Vec<&Known> = self.known.iter().collect();
        let human = (dice.roll(10) > 0).then(|| dice.pick(&known));
        let human_name = human.map_or("mallory", |human| human.name.as_str());
        let token = dice.pick(&[None, None, Some(WHOLE), Some(NARROW), Some("forged")]);
        let by_human = |right, tie| {
            human.is_some_and(|human| {
                by_hand(table, human, right, &demand, tie)
                    && is_within(token, human.narrow, &demand)
            })
        };
        let home = dice.pick(&TEAMS);
        let kind = dice.pick(&["human", "manager", "butler", "worker", "node", "ledger"]);
        let Some(who) = persona(kind, home) else {
            let wanted = by_human(demand.right, demand.tie);
            let asker = Principal {
                token: token.map(name),
                ..Principal::human(name(human_name))
            };
            return (asker, demand, wanted);
        };
        let is_for_human = dice.roll(2) == 0;
        let principal = Principal {
            who,
            on_behalf_of: is_for_human.then(|| name(human_name)),
            token: token.filter(|_| is_for_human).map(name),
        };
        let place = place(&demand, &[home]);
        let column = if is_for_human {
            format!("{kind}+")
        } else {
            kind.to_owned()
        };
        let of_persona = table.allows(demand.right, &column, place, demand.tie);
        let wanted = of_persona && (!is_for_human || by_human(demand.right, demand.tie));
        (principal, demand, wanted)
    }
}

/// Somebody of the small world, as the table calls them; personas are those of team sre.
pub fn principal(asker: &str) -> Principal {
    let (asker, human) = match asker.split_once(" for ") {
        Some((asker, human)) => (asker, Some(human)),
        None => (asker, None),
    };
    let human_name = |kind| match kind {
        "admin" => "ada",
        "lead" => "lea",
        "member" => "bob",
        _ => "mallory",
    };
    let who = persona(asker, "sre");
    Principal {
        who: who.unwrap_or_else(|| Who::Human(name(human_name(asker)))),
        on_behalf_of: human.map(|human| name(human_name(human))),
        token: None,
    }
}

/// What a token leaves of a human's rights: none of it begets another, and one that is for a team is
/// good for nothing beyond it but what everybody may.
fn is_within(token: Option<&str>, narrow: &str, demand: &Demand) -> bool {
    let begets = demand.right == Right::OwnAccount;
    let is_there = demand
        .team
        .as_ref()
        .is_some_and(|team| team.as_str() == narrow);
    let is_everybodys = matches!(demand.right, Right::LookAround | Right::HandOver);
    match token {
        None => true,
        Some(WHOLE) => !begets,
        Some(NARROW) => !begets && (is_there || is_everybodys),
        Some(_) => false,
    }
}

/// What the table says of a human: the best of what they are.
fn by_hand(table: &Table, human: &Known, right: Right, demand: &Demand, tie: Tie) -> bool {
    let teams = |wanted: TeamRole| -> Vec<&str> {
        let roles = human.roles.iter().filter(|(_, role)| *role == wanted);
        roles.map(|(team, _)| *team).collect()
    };
    let says = |column, teams: Vec<&str>| table.allows(right, column, place(demand, &teams), tie);
    human.is_admin && says("admin", Vec::new())
        || says("lead", teams(TeamRole::Lead))
        || says("member", teams(TeamRole::Member))
}

fn place(demand: &Demand, own: &[&str]) -> Place {
    match &demand.team {
        None => Place::Cluster,
        Some(team) if own.contains(&team.as_str()) => Place::OwnTeam,
        Some(team) if team.as_str() == "nowhere" => Place::UnknownTeam,
        Some(_) => Place::OtherTeam,
    }
}

fn persona(kind: &str, home: &str) -> Option<Who> {
    let team: TeamName = name(home);
    Some(match kind {
        "manager" => Who::Manager { term: 1 },
        "butler" => Who::Butler {
            team,
            epoch: Epoch(1),
        },
        "worker" => Who::Worker {
            worker: WorkerId {
                team,
                name: name("w"),
            },
            epoch: Epoch(1),
        },
        "node" => Who::Node(NodeId(1)),
        "ledger" => Who::Ledger,
        _ => return None,
    })
}
