//! `domo demo`: the example from brief to report, on a cluster of its own that is gone afterwards.
//!
//! ```text
//! folders ─► nodes ─► apply the example ─► submit its case ─► watch ─────► report
//!    ▲         ▲                                    │ kill the Manager's node ▲  │
//!    │         │                                    └─► another case, at once ┘  │
//!    └─────────┴──────── taken away again, also after Ctrl-C ◄───────────────────┘
//! ```

mod cluster;
mod node;
mod place;
pub(super) mod tally;

use clap::Args;
use config::document::{self, Known, Source};
use config::examples;
use runtime::clock::Deadline;

use super::apply::uploaded;
use super::console::Console;
use super::ends::Ends;
use super::live::Shown;
use super::moment::rough;
use super::print;
use super::stop::Stop;
use super::verb::Verb;
use super::wait;
use crate::admin::client::Client;
use crate::admin::wire::{
    ApplyQuery, Attachment, CaseQuery, CaseStatus, CaseView, Consistency, OpenCase, Opened,
};

use cluster::DemoCluster;
use tally::Tally;

use std::time::Duration;

/// The example's team.
const TEAM: &str = "sre";
/// The example takes seconds; on a machine that is busy with other things, many of them.
const CASE_LIMIT: Duration = Duration::from_mins(5);
/// Another node leads within a second or two; on a machine that is busy, within many.
const TAKEOVER_LIMIT: Duration = Duration::from_mins(1);
/// Time between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// See an example case go from brief to report, while the Manager's node is killed
///
/// Starts three nodes in a temporary folder, describes the site-reliability team of the example, hands
/// it the case of a pod that does not start together with a recorded cluster, kills the node that holds
/// the Manager in the middle of it (SIGKILL), hands over another case, shows what happens, prints the
/// report, and takes everything away again. Needs nothing but this program.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  domo demo
  domo demo --nodes 1
  domo demo --keep
  domo demo --output json")]
pub(crate) struct Demo {
    /// Keeps the nodes running until Ctrl-C, to look around
    #[arg(long)]
    keep: bool,
    /// How many nodes; with one, none is killed
    #[arg(long, value_name = "COUNT", default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=7))]
    nodes: u8,
}

impl Verb for Demo {
    async fn run(self, console: &Console) -> Result<(), Stop> {
        let mut ends = Ends::listen()?;
        let mut cluster = DemoCluster::new(place::make()?, self.nodes);
        let (count, place) = (self.nodes, cluster.place());
        print::note(&format!("starting {count} nodes in {place}"));
        let played = tokio::select! {
            played = play(console, &mut cluster, self.nodes) => played,
            () = ends.come() => Err(interrupted()),
        };
        if self.keep && played.is_ok() {
            if let Err(stop) = cluster.start_again().await {
                print::note(&format!("the node that was killed is not back: {stop}"));
            }
            print::note(&cluster.way_in());
            ends.come().await;
        }
        let cleared = cluster.clear().await;
        match played {
            Err(Stop::Interrupted { .. }) => Err(interrupted()),
            played => played.and(cleared),
        }
    }
}

/// The whole demo.
async fn play(console: &Console, cluster: &mut DemoCluster, count: u8) -> Result<(), Stop> {
    let began = runtime::clock::boot();
    cluster.start().await?;
    let leading = cluster.leading(&cluster.client(0)).await?;
    // Asked of a node that lives to the end.
    let client = cluster.client(usize::from(count > 1 && leading == 0));
    let engine = client.status().await?.node.engine;
    print::note(&format!(
        "the cluster is ready; its agents are run by {engine}"
    ));
    apply(&client).await?;
    let opened = submit(&client).await?;
    print::note(&format!(
        "case {} is open: {}",
        opened.case,
        examples::SRE_BRIEF
    ));
    let shown = Shown::Remark;
    let following = wait::to_the_end(
        console,
        &client,
        &opened.case,
        CASE_LIMIT,
        shown,
        |_| Ok(()),
    );
    let mut acknowledged = vec![opened.case.clone()];
    let mut closed = Vec::new();
    let mut takeover = None;
    if count > 1 {
        let killing = kill_the_manager(cluster, &client, &opened.case);
        let (case, killed) = tokio::try_join!(following, killing)?;
        let (other, took) = killed;
        closed.push(*case);
        closed.push(until_closed(&client, &other).await?);
        acknowledged.push(other);
        takeover = Some(took);
    } else {
        closed.push(*following.await?);
    }
    let took = runtime::clock::boot().since(began);
    let known = client.cases(&CaseQuery::default()).await?;
    let report = client.report(&opened.case).await?;
    let tally = Tally::of(&acknowledged, &known.cases, &closed, takeover, report);
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
    closed.iter().try_for_each(wait::judged)
}

/// Kills the node that holds the Manager once the case has begun, and hands over another case at
/// once; answers it, and how long nobody took it.
async fn kill_the_manager(
    cluster: &mut DemoCluster,
    client: &Client,
    case: &str,
) -> Result<(String, Duration), Stop> {
    let is_begun = |status: CaseStatus| !matches!(status, CaseStatus::Open);
    while !is_begun(
        client
            .case(case, Consistency::Linearizable)
            .await?
            .line
            .status,
    ) {
        tokio::time::sleep(LOOK_EVERY).await;
    }
    let request = client.request_id().await?;
    let wanted = wanted(client).await?;
    let leading = cluster.leading(client).await?;
    let killed = runtime::clock::boot();
    cluster.kill(leading).await;
    print::note(&format!(
        "node demo-{} held the Manager and is killed",
        leading + 1
    ));
    let deadline = Deadline::after(TAKEOVER_LIMIT);
    let opened = loop {
        match client.open_case(&wanted, &request).await {
            Ok(opened) => break opened,
            Err(error) if deadline.is_over() => return Err(error.into()),
            // The same request again is the same case.
            Err(_) => tokio::time::sleep(LOOK_EVERY).await,
        }
    };
    let took = runtime::clock::boot().since(killed);
    let leading = cluster.leading(client).await?;
    print::note(&format!(
        "case {} was taken {} ms after the kill; node demo-{} holds the Manager",
        opened.case,
        took.as_millis(),
        leading + 1
    ));
    Ok((opened.case, took))
}

async fn until_closed(client: &Client, case: &str) -> Result<CaseView, Stop> {
    let deadline = Deadline::after(CASE_LIMIT);
    loop {
        let seen = client.case(case, Consistency::Linearizable).await?;
        if seen.line.status == CaseStatus::Closed {
            return Ok(seen);
        }
        if deadline.is_over() {
            return Err(Stop::mend(
                format!("case {case} is not over after {} s", CASE_LIMIT.as_secs()),
                "",
            ));
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
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
    let case = wanted(client).await?;
    let request = client.request_id().await?;
    Ok(client.open_case(&case, &request).await?)
}

/// The example's case.
async fn wanted(client: &Client) -> Result<OpenCase, Stop> {
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
    Ok(OpenCase {
        team: Some(TEAM.to_owned()),
        title: None,
        brief: examples::SRE_BRIEF.to_owned(),
        attachments,
        playbook: None,
    })
}

fn interrupted() -> Stop {
    Stop::Interrupted {
        what: "interrupted; the demo's nodes are stopped, and their folder is gone".to_owned(),
    }
}
