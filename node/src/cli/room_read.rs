//! `domo room read`: what was said and done in a room or a thread, and what comes.

use clap::Args;

use super::console::{Console, interrupt};
use super::follow::{AWAY_LIMIT, Follower, OfRoom, Seen};
use super::moment::{Since, since};
use super::print::{self, Paper};
use super::screen;
use super::stop::Stop;
use super::verb::Verb;
use super::wish::Wish;
use crate::admin::client::Client;
use crate::admin::wire::{MarkRead, RoomEntry, RoomEvent, RoomQuery, RoomView};

/// Read a room: what people and personas said, and what was done
///
/// Shows the newest entries and marks them as read. With --output json each entry is one line when it
/// is followed, and one page else.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  domo room read sre
  domo room read sre --thread c-1
  domo room read sre --follow
  domo room read manager --since 2h --output json
  domo room read sre --limit 20 --before 1200")]
pub(crate) struct RoomRead {
    /// The room: `sre`, `manager`, `@sre` (its butler alone), `sre/disk` (a worker alone)
    room: String,
    /// Only the thread of this case, as in c-1
    #[arg(long, value_name = "CASE")]
    thread: Option<String>,
    /// Only what came since: `2h` (so long ago), `2026-03-01` or `2026-03-01T09:30Z`
    #[arg(long, value_name = "TIME", value_parser = since)]
    since: Option<Since>,
    /// Entries at most
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: Option<u32>,
    /// Only what came before this place, which an earlier page named
    #[arg(long, value_name = "INDEX")]
    before: Option<u64>,
    /// Goes on showing what comes, until it is interrupted
    #[arg(long, conflicts_with = "before")]
    follow: bool,
    /// Leaves the read marker where it is
    #[arg(long)]
    keep_unread: bool,
}

impl Verb for RoomRead {
    async fn run(self, console: &Console) -> Result<(), Stop> {
        let now_ms = runtime::clock::wall().0;
        let query = RoomQuery {
            thread: self.thread.clone(),
            since: self.since.as_ref().map(|since| since.at(now_ms)),
            limit: self.limit,
            before: self.before,
            after: None,
        };
        console
            .ask(async |client| {
                let view = client.room(&self.room, &query).await?;
                if console.printer.is_json() && !self.follow {
                    console.printer.json(&view)?;
                } else {
                    let mut entries = view.entries.iter();
                    entries.try_for_each(|entry| self.show(console, entry))?;
                }
                if view.entries.is_empty() {
                    print::note("nothing was said here");
                }
                if let Some(before) = view.before {
                    print::note(&format!("there is more: --before {before}"));
                }
                let newest = view.entries.iter().filter_map(|entry| entry.post).max();
                self.mark(&client, newest, view.read_up_to).await?;
                if self.follow {
                    tokio::select! {
                        ended = self.follow(console, &client, &view) => ended?,
                        () = interrupt() => {}
                    }
                }
                Ok(())
            })
            .await
    }
}

impl RoomRead {
    fn show(&self, console: &Console, entry: &RoomEntry) -> Result<(), Stop> {
        if console.printer.is_json() {
            return Ok(print::json_line(entry)?);
        }
        let paper = console.printer.paper();
        Ok(print::text(&shown(entry, self.thread.is_some(), &paper))?)
    }

    /// Shows what comes behind the first page, as it comes.
    async fn follow(
        &self,
        console: &Console,
        client: &Client,
        first: &RoomView,
    ) -> Result<(), Stop> {
        let newest = first.entries.last().map(|entry| entry.index);
        let last = newest.unwrap_or(first.freshness.applied_index);
        let of_last = first.entries.iter().rev();
        let of_last = of_last.take_while(|entry| entry.index == last).count();
        let room = OfRoom {
            room: self.room.clone(),
            thread: self.thread.clone(),
        };
        let mut follower = Follower::behind(client.clone(), room, last, of_last);
        loop {
            match follower.next().await? {
                Seen::Event(event) => self.tell(console, client, &event).await?,
                Seen::Away(why) => print::note(&format!(
                    "{why}; asking again for up to {} s",
                    AWAY_LIMIT.as_secs()
                )),
                Seen::Back => print::note("the daemon answers again"),
            }
        }
    }

    async fn tell(
        &self,
        console: &Console,
        client: &Client,
        event: &RoomEvent,
    ) -> Result<(), Stop> {
        match event {
            RoomEvent::Entry(entry) => {
                self.show(console, entry)?;
                self.mark(client, entry.post, 0).await
            }
            RoomEvent::Progress { attempt, text, .. } if !console.printer.is_json() => {
                print::note(&format!("{attempt}: {}", screen::line(text)));
                Ok(())
            }
            RoomEvent::Progress { .. }
            | RoomEvent::Ended { .. }
            | RoomEvent::Quiet
            | RoomEvent::Unnamed => Ok(()),
        }
    }

    /// Marks what was shown as read.
    async fn mark(
        &self,
        client: &Client,
        newest: Option<u64>,
        read_up_to: u64,
    ) -> Result<(), Stop> {
        let Some(up_to) = newest.filter(|newest| *newest > read_up_to && !self.keep_unread) else {
            return Ok(());
        };
        let id = Wish::default().id(client).await?;
        let mark = MarkRead { up_to };
        client.mark_read(&self.room, &mark, &id).await?;
        Ok(())
    }
}

fn shown(entry: &RoomEntry, in_thread: bool, paper: &Paper) -> String {
    let case = entry.case.as_ref().filter(|_| !in_thread);
    let case = case.map(|case| format!(" [{case}]")).unwrap_or_default();
    let number = entry
        .post
        .map(|post| format!(" #{post}"))
        .unwrap_or_default();
    let verb = if entry.post.is_some() { ":" } else { " ·" };
    let files = if entry.attachments.is_empty() {
        String::new()
    } else {
        format!(" ({})", screen::line(&entry.attachments.join(", ")))
    };
    let text = screen::block(&entry.text);
    let text = text.trim_end().replace('\n', "\n    ");
    let (at, by) = (paper.when(&entry.at), screen::line(&entry.by));
    format!("{at}{number}{case} {by}{verb} {text}{files}\n")
}

#[cfg(test)]
mod tests {
    use super::{Paper, RoomEntry, shown};
    use crate::admin::wire::Moment;

    #[test]
    fn what_was_said_and_what_was_done_look_different_and_cannot_write_to_the_terminal() {
        let mut entry = RoomEntry {
            index: 3,
            at: Moment::from_ms(0),
            by: "ann".to_owned(),
            kind: "post".to_owned(),
            post: Some(2),
            case: Some("c-1".to_owned()),
            text: "a\u{1b}[2Jb\nc".to_owned(),
            attachments: Vec::new(),
            answers: None,
            heard_by: Vec::new(),
        };
        let paper = Paper::default();
        assert_eq!(
            shown(&entry, false, &paper),
            "1970-01-01T00:00:00.000Z #2 [c-1] ann: ab\n    c\n"
        );
        (entry.post, entry.text) = (None, "planned with 3 stages".to_owned());
        assert_eq!(
            shown(&entry, true, &paper),
            "1970-01-01T00:00:00.000Z ann · planned with 3 stages\n"
        );
    }
}
