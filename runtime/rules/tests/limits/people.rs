//! Limits of what people and the Manager say, under the newest rules.

use rules::command::Request;
use rules::human::Human;
use rules::id::{HumanName, RequestId};
use rules::room::RoomName;
use rules::roster::{HumanSpec, Piece};
use rules::verdict::{Outcome, Verdict};
use rules::{Command, Principal, Who, limits};

use super::cluster::{Cluster, limit, name};

/// A cluster that uses the newest rules.
fn newest() -> Cluster {
    let mut cluster = Cluster::new();
    for to in cluster.state.version + 1..=rules::version::NEWEST {
        let raised = cluster.says(Who::Ledger, Command::RaiseVersion { to });
        assert_eq!(raised.verdict, Ok(Outcome::Done));
    }
    cluster
}

fn human(number: usize) -> HumanName {
    name(&format!("person{number}"))
}

fn post(room: &RoomName, answers: Option<u64>) -> Command {
    Command::PostMessage {
        room: room.clone(),
        thread: None,
        text: "welcome".to_owned(),
        attachments: Vec::new(),
        answers,
    }
}

#[test]
fn whoever_reads_now_keeps_their_mark_however_far_behind_they_are() {
    let mut cluster = newest();
    let room = RoomName::Team(name("sre"));
    for _ in 0..2 {
        assert!(cluster.sam(post(&room, None)).verdict.is_ok());
    }
    let mut read = |number: usize, up_to| {
        let human = human(number);
        let humans = &mut cluster.state.people.humans;
        humans.insert(human.clone(), Human::default());
        let room = room.clone();
        let said = cluster.says(Who::Human(human), Command::MarkRead { room, up_to });
        assert_eq!(said.verdict, Ok(Outcome::Done));
    };
    for number in 0..limits::MAX_MARKS {
        read(number, 2);
    }
    read(limits::MAX_MARKS, 1);
    let rooms = &cluster.state.rooms;
    assert_eq!(rooms.rooms[&room].marks.len(), limits::MAX_MARKS);
    assert_eq!(rooms.read_up_to(&room, &human(limits::MAX_MARKS)), 1);
}

/// Sends the first of two pieces of a roster.
fn begin(cluster: &mut Cluster, who: usize, roster: u8) -> Verdict {
    let humans = &mut cluster.state.people.humans;
    humans.insert(human(who), Human::default());
    let newcomer = HumanSpec {
        name: name(&format!("new{roster}")),
        display: None,
        employee: None,
        teams: [].into(),
    };
    let piece = Some(Piece {
        roster: [roster; 32],
        number: 1,
        of: 2,
    });
    let put = vec![newcomer];
    let said = cluster.says(Who::Human(human(who)), Command::PutHumans { put, piece });
    said.verdict
}

#[test]
fn rosters_that_were_begun_and_left_hold_up_nobody_but_as_many_people_began_one_as_may() {
    let mut cluster = newest();
    for roster in 0..64 {
        assert_eq!(begin(&mut cluster, 0, roster), Ok(Outcome::Done));
    }
    let staged = &cluster.state.people.staged;
    assert_eq!(staged.len(), 1, "a newer one is instead of the older");
    assert!(staged.contains_key(&[63; 32]));
    for who in 1..limits::MAX_STAGERS {
        let roster = u8::try_from(100 + who).unwrap();
        assert_eq!(begin(&mut cluster, who, roster), Ok(Outcome::Done));
    }
    let most = limits::MAX_STAGERS;
    let one_more = begin(&mut cluster, most, 200);
    assert_eq!(one_more, Err(limit("max_staged", most)));
    assert_eq!(begin(&mut cluster, 0, 201), Ok(Outcome::Done));
}

#[test]
fn answers_do_not_count_and_what_is_refused_for_its_pace_is_taken_a_minute_later() {
    let mut cluster = newest();
    let (own, team) = (
        RoomName::Direct(name("sam"), rules::room::Persona::Manager),
        RoomName::Team(name("sre")),
    );
    let manager = Who::Manager { term: 1 };
    for _ in 0..=limits::MAX_PACE_POSTS {
        let asked = cluster.sam(post(&own, None)).verdict;
        let Ok(Outcome::Posted { number, .. }) = asked else {
            panic!("{asked:?}");
        };
        let answered = cluster.says(manager.clone(), post(&own, Some(number)));
        assert!(answered.verdict.is_ok(), "{answered:?}");
    }
    let for_sam = Principal {
        on_behalf_of: Some(name("sam")),
        ..Principal::own(manager)
    };
    let mut welcome = |number: u32, elapsed_ms| {
        let id = RequestId::new(&format!("r-{number}")).unwrap();
        let request = Some(Request { id, digest: 7 });
        let (who, said) = (for_sam.clone(), post(&team, None));
        cluster.hears(request, elapsed_ms, who, said).verdict
    };
    let most = limits::MAX_PACE_POSTS;
    for number in 0..most {
        assert!(welcome(number, 0).is_ok());
    }
    let refused = Err(limit("max_pace_posts", most as usize));
    assert_eq!(welcome(most, 0), refused);
    assert_eq!(welcome(most, 0), refused, "it is too soon");
    let said = welcome(most, limits::PACE_MS);
    assert!(said.is_ok(), "{said:?}");
    assert_eq!(welcome(most, 0), said, "it is said once");
}
