//! Following a case or a room, also over restarts of the daemon.
//!
//! ```text
//! open(from) ─► event, event, …
//!    ▲             │ broken off, silent, ended
//!    └─ back-off ──┘ bounded; whoever follows is told
//! ```
//!
//! # Invariant
//! No line that an entry made is seen twice, and none is missed. One entry can make several, so each
//! opening begins with the last entry that was seen, and passes over those of its lines that were.

use std::time::Duration;

use runtime::clock::Deadline;
use serde::de::DeserializeOwned;
use tokio::time::{sleep, timeout};

use super::stop::Stop;
use crate::admin::client::{Client, ClientError, Lines};
use crate::admin::wire::{Code, RoomEvent, RoomWatchQuery, WatchEvent};

/// A stream is taken for dead after so long without a line: three times what a node stays quiet.
const SILENCE_LIMIT: Duration = Duration::from_secs(45);
/// A daemon that is away for so long is not being restarted.
pub(crate) const AWAY_LIMIT: Duration = Duration::from_mins(1);
/// The first wait before the socket is tried again; each next one is twice as long.
const FIRST_BACKOFF: Duration = Duration::from_millis(50);
/// The longest such wait: how late at most a daemon that came back is noticed.
const LAST_BACKOFF: Duration = Duration::from_secs(1);

/// What can be followed.
pub(crate) trait Followed {
    /// What is told of it.
    type Event: DeserializeOwned;

    /// Opens the stream of what was behind that entry.
    async fn open(&self, client: &Client, from: u64) -> Result<Lines<Self::Event>, ClientError>;

    /// What an event says of its place.
    fn place(event: &Self::Event) -> Place<'_>;

    /// What to do when no daemon answers any more.
    fn later(&self) -> String;
}

/// Where an event stands.
pub(crate) enum Place<'a> {
    /// This entry made it.
    Entry(u64),
    /// No entry did.
    Between,
    /// It is the stream's last, for this reason.
    Ended(&'a str),
}

/// A case, followed to its end.
pub(crate) struct OfCase(pub(crate) String);

impl Followed for OfCase {
    type Event = WatchEvent;

    async fn open(&self, client: &Client, from: u64) -> Result<Lines<WatchEvent>, ClientError> {
        client.watch(&self.0, from).await
    }

    fn place(event: &WatchEvent) -> Place<'_> {
        match event {
            WatchEvent::History(line) => Place::Entry(line.index),
            WatchEvent::Ended { reason } => Place::Ended(reason),
            WatchEvent::Status { .. }
            | WatchEvent::Progress { .. }
            | WatchEvent::Closed { .. }
            | WatchEvent::Quiet
            | WatchEvent::Unnamed => Place::Between,
        }
    }

    fn later(&self) -> String {
        let case = &self.0;
        format!("start it again; the case goes on where it was: `domo case watch {case}`")
    }
}

/// A room, or the thread of a case.
pub(crate) struct OfRoom {
    pub(crate) room: String,
    pub(crate) thread: Option<String>,
}

impl Followed for OfRoom {
    type Event = RoomEvent;

    async fn open(&self, client: &Client, from: u64) -> Result<Lines<RoomEvent>, ClientError> {
        let query = RoomWatchQuery {
            thread: self.thread.clone(),
            from: Some(from),
        };
        client.watch_room(&self.room, &query).await
    }

    fn place(event: &RoomEvent) -> Place<'_> {
        match event {
            RoomEvent::Entry(entry) => Place::Entry(entry.index),
            RoomEvent::Ended { reason } => Place::Ended(reason),
            RoomEvent::Progress { .. } | RoomEvent::Quiet | RoomEvent::Unnamed => Place::Between,
        }
    }

    fn later(&self) -> String {
        let room = &self.room;
        format!("start it again; nothing is lost: `domo room read {room} --follow`")
    }
}

/// What whoever follows sees.
pub(crate) enum Seen<E> {
    /// Something of what is followed.
    Event(Box<E>),
    /// The daemon does not answer, for this reason; it is asked again for [`AWAY_LIMIT`].
    Away(String),
    /// It answers again.
    Back,
}

/// Follows one thing.
pub(crate) struct Follower<F: Followed> {
    client: Client,
    followed: F,
    /// The last entry of which a line was seen.
    last_index: u64,
    /// How many of its lines were seen.
    seen_of_last: usize,
    /// How many of them come again with this opening.
    to_skip: usize,
    lines: Option<Lines<F::Event>>,
    away: Option<Away>,
    /// The first event after the daemon came back, while that is told.
    first: Option<F::Event>,
}

/// Since when nobody answers.
struct Away {
    until: Deadline,
    backoff: Duration,
    /// Why, until whoever follows was told.
    untold: Option<String>,
}

impl<F: Followed> Follower<F> {
    /// Follows it from its beginning.
    pub(crate) fn new(client: Client, followed: F) -> Self {
        Self::behind(client, followed, 0, 0)
    }

    /// Follows it from behind the entry of which so many lines were seen.
    pub(crate) fn behind(
        client: Client,
        followed: F,
        last_index: u64,
        seen_of_last: usize,
    ) -> Self {
        Self {
            client,
            followed,
            last_index,
            seen_of_last,
            to_skip: 0,
            lines: None,
            away: None,
            first: None,
        }
    }

    /// What is seen next. A case's end is [`WatchEvent::Closed`]; nothing comes after it.
    pub(crate) async fn next(&mut self) -> Result<Seen<F::Event>, Stop> {
        loop {
            if let Some(seen) = self.step().await? {
                return Ok(seen);
            }
        }
    }

    async fn step(&mut self) -> Result<Option<Seen<F::Event>>, Stop> {
        if let Some(event) = self.first.take() {
            return self.heard(event);
        }
        if let Some(away) = &mut self.away {
            if let Some(why) = away.untold.take() {
                return Ok(Some(Seen::Away(why)));
            }
            if self.lines.is_none() {
                sleep(away.backoff).await;
                away.backoff = (away.backoff * 2).min(LAST_BACKOFF);
            }
        }
        let Some(lines) = &mut self.lines else {
            self.to_skip = self.seen_of_last;
            let from = self.last_index.saturating_sub(1);
            match self.followed.open(&self.client, from).await {
                Ok(lines) => self.lines = Some(lines),
                Err(error) => self.lost(error)?,
            }
            return Ok(None);
        };
        match timeout(SILENCE_LIMIT, lines.next()).await {
            Ok(Ok(Some(event))) if self.away.take().is_some() => {
                self.first = Some(event);
                Ok(Some(Seen::Back))
            }
            Ok(Ok(Some(event))) => self.heard(event),
            Ok(Ok(None)) => self
                .lost(broken("the stream ended too early"))
                .map(|()| None),
            Ok(Err(error)) => self.lost(error).map(|()| None),
            Err(_) => self.lost(broken("the daemon is silent")).map(|()| None),
        }
    }

    fn heard(&mut self, event: F::Event) -> Result<Option<Seen<F::Event>>, Stop> {
        match F::place(&event) {
            Place::Entry(index) if index == self.last_index => {
                if self.to_skip > 0 {
                    self.to_skip -= 1;
                    return Ok(None);
                }
                self.seen_of_last += 1;
            }
            Place::Entry(index) => {
                self.last_index = index;
                self.seen_of_last = 1;
                self.to_skip = 0;
            }
            Place::Ended(reason) => {
                let why = format!("the stream ended: {reason}");
                return self.lost(broken(&why)).map(|()| None);
            }
            Place::Between => {}
        }
        Ok(Some(Seen::Event(Box::new(event))))
    }

    /// Goes on trying, unless that cannot help.
    fn lost(&mut self, error: ClientError) -> Result<(), Stop> {
        self.lines = None;
        if !may_pass(&error) {
            return Err(error.into());
        }
        let why = reason(&error);
        match &mut self.away {
            Some(away) if away.until.is_over() => Err(Stop::LookLater {
                what: format!(
                    "no daemon answers any more since {} s: {why}",
                    AWAY_LIMIT.as_secs()
                ),
                hint: self.followed.later(),
            }),
            Some(_) => Ok(()),
            None => {
                let until = Deadline::after(AWAY_LIMIT);
                self.away = Some(Away {
                    until,
                    backoff: FIRST_BACKOFF,
                    untold: Some(why),
                });
                Ok(())
            }
        }
    }
}

/// Whether another try may succeed: the daemon is away, or has no time now.
fn may_pass(error: &ClientError) -> bool {
    match error {
        ClientError::NoDaemon { .. } | ClientError::Unknown { .. } => true,
        ClientError::Refused { refusal } => {
            matches!(
                refusal.error.code,
                Code::NoLeader | Code::Full | Code::Stopping | Code::TimedOut
            )
        }
        ClientError::NotUnderstood { .. } | ClientError::CannotRead { .. } => false,
    }
}

/// Why, without the request's words around it.
fn reason(error: &ClientError) -> String {
    match error {
        ClientError::NoDaemon { source, .. } => format!("no daemon answers: {source}"),
        ClientError::Unknown { why, .. } => why.clone(),
        ClientError::Refused { .. }
        | ClientError::NotUnderstood { .. }
        | ClientError::CannotRead { .. } => error.to_string(),
    }
}

fn broken(why: &str) -> ClientError {
    ClientError::Unknown {
        request_id: None,
        why: why.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
    use tokio::net::UnixListener;

    use super::{Follower, OfCase, Seen};
    use crate::admin::client::Client;
    use crate::admin::wire::WatchEvent;

    fn line(index: u64, text: &str) -> String {
        let at = r#"{"at":"2026-03-01T09:30:00.000Z","ms":1}"#;
        format!(
            r#"{{"event":"history","index":{index},"at":{at},"by":"root","kind":"x","text":"{text}"}}"#
        )
    }

    /// Answers one request after the other, each with its lines, and closes the connection; answers
    /// what was asked.
    async fn serve(socket: &Path, answers: Vec<Vec<String>>) -> Vec<String> {
        let listener = UnixListener::bind(socket).unwrap();
        let mut asked = Vec::new();
        for lines in answers {
            let (stream, _) = listener.accept().await.unwrap();
            let mut stream = BufReader::new(stream);
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") {
                stream.read_line(&mut head).await.unwrap();
            }
            asked.push(head.lines().next().unwrap_or_default().to_owned());
            let body = lines.join("\n") + "\n";
            let answer = format!("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{body}");
            stream.get_mut().write_all(answer.as_bytes()).await.unwrap();
        }
        asked
    }

    /// Follows until something is seen that is called `last`; answers all that was seen.
    async fn follow(socket: &Path, last: &str) -> Vec<String> {
        let mut follower = Follower::new(Client::new(socket), OfCase("c-1".to_owned()));
        let mut seen = Vec::new();
        while seen.last().is_none_or(|text: &String| text != last) {
            seen.push(match follower.next().await {
                Ok(Seen::Event(event)) => match &*event {
                    WatchEvent::History(line) => line.text.clone(),
                    WatchEvent::Status { .. }
                    | WatchEvent::Progress { .. }
                    | WatchEvent::Closed { .. }
                    | WatchEvent::Ended { .. }
                    | WatchEvent::Quiet
                    | WatchEvent::Unnamed => format!("{event:?}"),
                },
                Ok(Seen::Away(_)) => "away".to_owned(),
                Ok(Seen::Back) => "back".to_owned(),
                Err(stop) => format!("stop: {stop}"),
            });
        }
        seen
    }

    #[tokio::test]
    async fn a_daemon_that_comes_back_repeats_and_loses_no_line() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("admin.sock");
        // The second answer begins with the last entry that was seen, as it was asked to.
        let answers = vec![
            vec![line(1, "opened"), line(7, "planned")],
            vec![line(7, "planned"), line(7, "assigned"), line(9, "done")],
        ];
        let (asked, seen) = tokio::join!(serve(&socket, answers), follow(&socket, "done"));
        assert_eq!(
            seen,
            ["opened", "planned", "away", "back", "assigned", "done"]
        );
        assert!(asked[0].contains("from=0"), "{asked:?}");
        assert!(asked[1].contains("from=6"), "{asked:?}");
    }
}
