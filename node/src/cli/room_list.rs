//! `domo room list`: the rooms that one may enter.

use clap::Args;

use super::console::Console;
use super::print::Paper;
use super::stop::Stop;
use super::verb::Verb;
use crate::admin::wire::RoomPage;

/// List rooms: those of teams, and one's own with the Manager, butlers and workers
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  domo room list
  domo room list --output json")]
pub(crate) struct RoomList {}

impl Verb for RoomList {
    async fn run(self, console: &Console) -> Result<(), Stop> {
        let page = console
            .ask(async |client| Ok(client.rooms().await?))
            .await?;
        console.list(&page, page.rooms.is_empty(), None, table)
    }
}

fn table(page: &RoomPage, paper: &Paper) -> String {
    let rows = page.rooms.iter().map(|room| {
        [
            room.name.clone(),
            room.unread.to_string(),
            room.threads.to_string(),
            room.title.clone(),
        ]
    });
    paper.table(["ROOM", "UNREAD", "THREADS", "FOR"], rows.collect())
}
