//! `domo demo`: the example from brief to report, on a node of its own that is gone afterwards.
//!
//! ```text
//! folder ─► node ─► apply the example ─► submit its case ─► watch ─► report
//!    ▲        ▲                                                        │
//!    └────────┴──────── taken away again, also after Ctrl-C ◄──────────┘
//! ```

mod node;
mod place;
mod tally;

use clap::Args;
use config::document::{self, Known, Source};
use config::examples;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::apply::uploaded;
use super::console::Console;
use super::live::Shown;
use super::moment::rough;
use super::print;
use super::stop::Stop;
use super::verb::Verb;
use super::wait;
use crate::admin::client::Client;
use crate::admin::wire::{ApplyQuery, Attachment, OpenCase, Opened};

use node::DemoNode;
use tally::Tally;

use std::time::Duration;

/// The example's team.
const TEAM: &str = "sre";
/// The example takes seconds; on a machine that is busy with other things, many of them.
const CASE_LIMIT: Duration = Duration::from_mins(5);

/// See an example case go from brief to report
///
/// Starts a node in a temporary folder, describes the site-reliability team of the example, hands it the
/// case of a pod that does not start together with a recorded cluster, shows what happens, prints the
/// report, and takes everything away again. Needs nothing but this program.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  domo demo
  domo demo --keep
  domo demo --output json")]
pub(crate) struct Demo {
    /// Keeps the node running until Ctrl-C, to look around
    #[arg(long)]
    keep: bool,
}

impl Verb for Demo {
    async fn run(self, console: &Console) -> Result<(), Stop> {
        let mut ends = Ends::listen()?;
        let place = place::make()?;
        print::note(&format!("starting a node in {}", place.path().display()));
        let mut node = DemoNode::start(place)?;
        let played = tokio::select! {
            played = play(console, &mut node) => played,
            () = ends.come() => Err(interrupted()),
        };
        if self.keep && played.is_ok() {
            print::note(&node.way_in());
            tokio::select! {
                () = ends.come() => {}
                () = node.ended() => print::note("the demo's node has ended"),
            }
        }
        let cleared = node.clear().await;
        match played {
            Err(Stop::Interrupted { .. }) => Err(interrupted()),
            played => played.and(cleared),
        }
    }
}

/// The whole demo on a node that was started.
async fn play(console: &Console, node: &mut DemoNode) -> Result<(), Stop> {
    let began = runtime::clock::boot();
    node.ready().await?;
    let client = node.client();
    let engine = client.status().await?.node.engine;
    print::note(&format!(
        "the node is ready; its agents are run by {engine}"
    ));
    apply(&client).await?;
    let opened = submit(&client).await?;
    print::note(&format!(
        "case {} is open: {}",
        opened.case,
        examples::SRE_BRIEF
    ));
    let shown = Shown::Remark;
    let case = wait::to_the_end(
        console,
        &client,
        &opened.case,
        CASE_LIMIT,
        shown,
        |_| Ok(()),
    )
    .await?;
    let took = runtime::clock::boot().since(began);
    let known = client
        .cases(&crate::admin::wire::CaseQuery::default())
        .await?;
    let report = client.report(&opened.case).await?;
    let tally = Tally::of(
        std::slice::from_ref(&opened.case),
        &known.cases,
        std::slice::from_ref(&*case),
        report,
    );
    if console.printer.is_json() {
        console.printer.json(&tally)?;
    } else {
        print::text(&client.report_markdown(&opened.case).await?)?;
        let took = rough(u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
        print::note(&format!("{tally}, in {took}"));
        print::note(
            "a node of your own: `domo node run --dev --data DIR`, then `domo apply --help`",
        );
    }
    wait::judged(&case)
}

/// Describes the example's team.
async fn apply(client: &Client) -> Result<(), Stop> {
    let known = Known {
        kernels: runtime::kernel::NAMES,
    };
    let bundle = examples::sre_bundle();
    let loaded =
        document::load(Source::Bundle(&bundle), &known).map_err(|mistakes| Stop::MendAll {
            what: "the example that is compiled in has mistakes".to_owned(),
            mistakes,
        })?;
    let documents = uploaded::all(client, &[loaded]).await?;
    let request = client.request_id().await?;
    let did = client
        .apply(&documents, &ApplyQuery::default(), Some(&request))
        .await?;
    print::note(&format!(
        "team {TEAM} is described: {} documents",
        did.created
    ));
    Ok(())
}

/// Hands the example's case over.
async fn submit(client: &Client) -> Result<Opened, Stop> {
    let mut attachments = Vec::new();
    for (path, bytes) in examples::sre() {
        if *path == examples::SRE_ATTACHMENT {
            let sha256 = client.upload(*bytes).await?.sha256;
            attachments.push(Attachment {
                path: (*path).to_owned(),
                sha256,
            });
        }
    }
    let case = OpenCase {
        team: Some(TEAM.to_owned()),
        title: None,
        brief: examples::SRE_BRIEF.to_owned(),
        attachments,
        playbook: None,
    };
    let request = client.request_id().await?;
    Ok(client.open_case(&case, &request).await?)
}

/// What ends the demo early; heard from before there is anything to take away.
struct Ends {
    interrupt: Signal,
    terminate: Signal,
}

impl Ends {
    fn listen() -> Result<Self, Stop> {
        let listen = |kind| {
            signal(kind)
                .map_err(|error| Stop::mend(format!("signals cannot be heard: {error}"), ""))
        };
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
        })
    }

    async fn come(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

fn interrupted() -> Stop {
    Stop::Interrupted {
        what: "interrupted; the demo's node is stopped, and its folder is gone".to_owned(),
    }
}
