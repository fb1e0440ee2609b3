//! Rooms through the socket: who may read them, and what is told as it is said.

use std::collections::BTreeSet;

use node::admin::client::{Client, ClientError, Lines};
use node::admin::wire::{
    CancelCase, Code, MarkRead, PostMessage, Posted, RoomEntry, RoomEvent, RoomQuery,
    RoomWatchQuery, SetHumanRole,
};
use rules::attempt::Body;
use rules::id::{AttemptId, CaseId, RequestId};

use super::house::PATIENCE;
use super::people::{denied, known, peopled};
use super::samples::report;

async fn say(client: &Client, room: &str, text: &str) -> Result<Posted, ClientError> {
    let said = PostMessage {
        text: text.to_owned(),
        ..PostMessage::default()
    };
    let id = client.request_id().await?;
    client.post_message(room, &said, &id).await
}

async fn follow(client: &Client, room: &str) -> Lines<RoomEvent> {
    let from_now = RoomWatchQuery::default();
    client.watch_room(room, &from_now).await.unwrap()
}

/// The next thing that was said or done.
async fn next(lines: &mut Lines<RoomEvent>) -> RoomEntry {
    let entry = tokio::time::timeout(PATIENCE, async {
        loop {
            match lines.next().await.unwrap() {
                Some(RoomEvent::Entry(entry)) => return entry,
                Some(RoomEvent::Quiet | RoomEvent::Progress { .. }) => {}
                other => panic!("the stream is over: {other:?}"),
            }
        }
    });
    entry.await.expect("it is told")
}

#[tokio::test]
async fn what_is_said_and_done_is_told_as_it_is_and_once() {
    let house = peopled().await;
    let bob = known(&house, "bob").await;
    let mut lines = follow(&bob, "sre").await;
    say(&house.client, "sre", "the password=hunter2x9 is bad")
        .await
        .unwrap();
    let said = next(&mut lines).await;
    assert_eq!(said.text, "the password=[redacted: password] is bad");
    let opened = say(&bob, "sre", "@sre-bot look").await.unwrap();
    let case = opened.case.expect("the butler opens a case");
    let (said, done) = (next(&mut lines).await, next(&mut lines).await);
    assert_eq!(
        (said.text.as_str(), said.by.as_str()),
        ("@sre-bot look", "bob")
    );
    assert_eq!((done.kind.as_str(), &done.case), ("opened", &Some(case)));
    let page = house
        .client
        .room("sre", &RoomQuery::default())
        .await
        .unwrap();
    let shown: Vec<(u64, &str)> = page
        .entries
        .iter()
        .map(|entry| (entry.index, entry.kind.as_str()))
        .collect();
    assert_eq!(
        shown,
        [
            (shown[0].0, "post"),
            (said.index, "post"),
            (said.index, "opened")
        ],
        "{page:#?}"
    );
    house.close().await;
}

#[tokio::test]
async fn a_room_is_read_back_to_its_first_case_page_by_page() {
    let house = peopled().await;
    // More than are looked through for one page.
    let wanted = 420;
    for number in 0..wanted {
        let case = house.submit(&format!("case {number}")).await;
        let why = CancelCase {
            reason: "it is over".to_owned(),
        };
        let id = house.id().await;
        let case_name = case.to_string();
        house
            .client
            .cancel_case(&case_name, &why, &id)
            .await
            .unwrap();
        let text = || Body::Inline("{}".to_owned());
        house.report(case, report(text(), text())).await;
    }
    let mut query = RoomQuery {
        limit: Some(200),
        ..RoomQuery::default()
    };
    let (mut opened, mut closed) = (BTreeSet::new(), BTreeSet::new());
    let mut oldest = u64::MAX;
    loop {
        let page = house.client.room("sre", &query).await.unwrap();
        for entry in &page.entries {
            assert!(entry.index < oldest, "{entry:?} is on two pages");
            let case = entry.case.clone().unwrap_or_default();
            match entry.kind.as_str() {
                "opened" => assert!(opened.insert(case), "{entry:?} is there twice"),
                "closed" => assert!(closed.insert(case), "{entry:?} is there twice"),
                _ => {}
            }
        }
        oldest = page.entries.first().map_or(0, |entry| entry.index);
        query.before = page.before;
        if page.before.is_none() {
            break;
        }
    }
    assert_eq!((opened.len(), closed.len()), (wanted, wanted));
    house.close().await;
}

/// What a list says of the room of team `sre`: the last post, and how much is unread.
async fn unread(client: &Client) -> (Option<u64>, u64) {
    let page = client.rooms().await.unwrap();
    let line = page.rooms.iter().find(|line| line.name == "sre").unwrap();
    (line.last_post, line.unread)
}

#[tokio::test]
async fn what_somebody_has_not_read_is_counted_also_in_threads_and_behind_what_the_state_keeps() {
    let house = peopled().await;
    let bob = known(&house, "bob").await;
    let case = house.submit("it hurts").await;
    say(&bob, "sre", "his own is no news to him").await.unwrap();
    for number in 0..250 {
        say(&house.client, "sre", &format!("post {number}"))
            .await
            .unwrap();
        // Numbers rise through all rooms: not every one between two is of this one.
        if number % 50 == 0 {
            say(&house.client, "manager", "list").await.unwrap();
        }
    }
    let in_thread = PostMessage {
        text: "and here".to_owned(),
        thread: Some(case.to_string()),
        ..PostMessage::default()
    };
    let id = house.id().await;
    house
        .client
        .post_message("sre", &in_thread, &id)
        .await
        .unwrap();
    say(&bob, "sre", "nor is this").await.unwrap();
    let (last, count) = unread(&bob).await;
    assert_eq!((last, count), (Some(258), 251));
    let mark = |up_to| {
        let (bob, mark) = (bob.clone(), MarkRead { up_to });
        async move {
            let id = bob.request_id().await.unwrap();
            bob.mark_read("sre", &mark, &id).await.unwrap();
            unread(&bob).await.1
        }
    };
    // His own, ten of the room, and one of another.
    assert_eq!(mark(12).await, 241);
    assert_eq!(mark(256).await, 1, "what is said in a thread");
    assert_eq!(mark(257).await, 0);
    house.close().await;
}

#[tokio::test]
async fn whoever_loses_a_room_hears_no_more_of_it() {
    let house = peopled().await;
    let bob = known(&house, "bob").await;
    let carol = known(&house, "carol").await;
    let query = RoomWatchQuery::default();
    denied(carol.watch_room("sre", &query).await.map(drop));
    denied(carol.room("sre", &RoomQuery::default()).await);
    denied(bob.room("admin@sre", &RoomQuery::default()).await);
    let mut lines = follow(&bob, "sre").await;
    say(&bob, "sre", "good morning").await.unwrap();
    next(&mut lines).await;
    let none = SetHumanRole {
        team: Some("sre".to_owned()),
        ..SetHumanRole::default()
    };
    let id = house.id().await;
    let taken = house.client.set_human_role("bob", &none, &id).await;
    taken.unwrap();
    denied(say(&bob, "sre", "and now?").await);
    say(&house.client, "sre", "he has gone").await.unwrap();
    let ended = tokio::time::timeout(PATIENCE, async {
        let mut seen = Vec::new();
        while let Some(event) = lines.next().await.unwrap() {
            seen.push(event);
        }
        seen
    });
    let seen = ended.await.expect("the stream ends");
    assert!(
        matches!(seen.as_slice(), [RoomEvent::Ended { reason }] if reason.contains("read")),
        "{seen:?}"
    );
    house.close().await;
}

#[tokio::test]
async fn a_room_that_is_not_there_is_told_so() {
    let house = peopled().await;
    for room in ["sra", "@sra", "sre/nobody", "a@b@c"] {
        let refused = say(&house.client, room, "hello").await.unwrap_err();
        let ClientError::Refused { refusal } = refused else {
            panic!("{room}: {refused:?}");
        };
        let code = refusal.error.code;
        let is_told = matches!(code, Code::NotFound | Code::Invalid);
        assert!(is_told, "{room}: {refusal:?}");
    }
    house.close().await;
}

#[tokio::test]
async fn nobody_can_forestall_a_step_of_the_managers_answer_or_a_line_of_an_agent() {
    let house = peopled().await;
    let said = PostMessage {
        text: "good morning".to_owned(),
        ..PostMessage::default()
    };
    let bob = known(&house, "bob").await;
    let attempt = AttemptId {
        case: CaseId(1),
        number: 1,
    };
    let own = [RequestId::of_answer(2, 0), RequestId::of_line(attempt, 0)];
    for id in own.iter().map(RequestId::as_str) {
        let refused = bob.post_message("sre", &said, id).await;
        let Err(ClientError::Refused { refusal }) = refused else {
            panic!("{id}: {refused:?}");
        };
        assert_eq!(refusal.error.code, Code::Invalid, "{refusal:?}");
        assert!(
            refusal.error.message.contains("personas' own"),
            "{refusal:?}"
        );
    }
    assert_eq!(own[1].as_str(), "said-c-1.1-0");
    house.close().await;
}
