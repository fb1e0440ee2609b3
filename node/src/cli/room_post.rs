//! `domo room post`: says something in a room, or in the thread of a case.

use std::path::PathBuf;

use clap::Args;

use super::attach;
use super::console::Console;
use super::print;
use super::stop::Stop;
use super::verb::Verb;
use super::wish::Wish;
use super::words::Words;
use crate::admin::wire::{PostMessage, Posted};

/// The longest post: what fits into an entry of the ledger.
const LONGEST_POST_BYTES: u64 = 16 << 10;

/// Say something in a room
///
/// `@NAME` speaks to the team's butler, which opens a case (or amends the one in whose thread it is
/// said), or to a worker, whose running agent reads it. In the room `manager` plain commands build
/// teams: say `help` there.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  domo room post sre \"@sre-bot pod mse-gateway-0 is Pending\"
  domo room post sre --thread c-1 \"@disk look at the node first\"
  domo room post manager help
  domo room post manager --attach roster.xlsx \"create an SRE team for daily operations with a team-butler sre-bot\"
  uptime | domo room post sre")]
pub(crate) struct RoomPost {
    /// The room: `sre`, `manager`, `@sre` (its butler alone), `sre/disk` (a worker alone)
    room: String,
    #[command(flatten)]
    words: Words,
    /// The case in whose thread it is said, as in c-1
    #[arg(long, value_name = "CASE")]
    thread: Option<String>,
    /// A file or folder to hand along; may be given many times
    #[arg(long, value_name = "PATH")]
    attach: Vec<PathBuf>,
    #[command(flatten)]
    wish: Wish,
}

impl Verb for RoomPost {
    async fn run(self, console: &Console) -> Result<(), Stop> {
        let text = self.words.read("max_inline_bytes", LONGEST_POST_BYTES)?;
        let room = &self.room;
        let posted = console
            .ask(async |client| {
                let said = PostMessage {
                    text,
                    thread: self.thread.clone(),
                    attachments: attach::hand_over(&client, &self.attach).await?,
                };
                let ask = async |id: &str| client.post_message(room, &said, id).await;
                console.change(&client, &self.wish, None, ask).await
            })
            .await?;
        if console.printer.is_json() {
            return Ok(console.printer.json(&posted)?);
        }
        print::note(&told(&posted));
        Ok(())
    }
}

fn told(posted: &Posted) -> String {
    let mut told = format!("post {}", posted.number);
    if let Some(case) = &posted.case {
        told = format!("{told}, for case {case}: `domo case watch {case}`");
    }
    if !posted.heard_by.is_empty() {
        let attempts = posted.heard_by.join(", ");
        told =
            format!("{told}; read by attempt {attempts}, in the thread of whose case it answers");
    }
    if !posted.unheard.is_empty() {
        let unheard = posted.unheard.join(", ");
        told = format!(
            "{told}; nobody reads it for {unheard}, which runs nothing here: a word to the butler \
             opens a case"
        );
    }
    told
}

#[cfg(test)]
mod tests {
    use super::{Posted, told};

    #[test]
    fn a_post_tells_what_it_set_going() {
        let mut posted = Posted {
            number: 7,
            case: None,
            heard_by: Vec::new(),
            unheard: Vec::new(),
            request_id: "r".to_owned(),
        };
        assert_eq!(told(&posted), "post 7");
        posted.case = Some("c-1".to_owned());
        posted.heard_by = vec!["c-1.2".to_owned()];
        assert_eq!(
            told(&posted),
            "post 7, for case c-1: `domo case watch c-1`; read by attempt c-1.2, in the thread of whose \
             case it answers"
        );
    }

    #[test]
    fn a_post_that_nobody_reads_tells_what_to_do() {
        let posted = Posted {
            number: 7,
            case: None,
            heard_by: Vec::new(),
            unheard: vec!["sre/disk".to_owned()],
            request_id: "r".to_owned(),
        };
        assert_eq!(
            told(&posted),
            "post 7; nobody reads it for sre/disk, which runs nothing here: a word to the butler opens \
             a case"
        );
    }
}
