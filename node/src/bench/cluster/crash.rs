//! P3b: how long nobody acts for the Manager who has panicked while his process goes on.

use std::time::Duration;

use runtime::clock::{self, Deadline};

use super::trio::Trio;
use crate::admin::client::Client;
use crate::admin::wire::{Consistency, OpenCase};
use crate::bench::own_node::Ground;
use crate::bench::sheet::{Figure, Limit, Sheet};
use crate::bench::statistics::Samples;
use crate::bench::{BenchError, crowd};

/// A case has its team within this, or something is wrong.
const ROUTE_LIMIT: Duration = Duration::from_secs(30);
/// How often a case is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(1);
/// Between two panics: five within half a minute are a loop, after which another node leads.
const APART: Duration = Duration::from_secs(8);

/// Has the Manager panic so many times, each time with a case that only he can give a team.
pub(super) async fn measure(
    ground: &Ground,
    sheet: &mut Sheet,
    panics: usize,
) -> Result<(), BenchError> {
    let trio = Trio::start(ground).await?;
    crowd::front_desk(&trio.nodes[0]).await?;
    let (mut usual, mut after) = (Vec::new(), Vec::new());
    for _ in 0..panics {
        let leader = trio.leader().await?;
        let client = trio.nodes[leader].client();
        let began = clock::boot_us();
        routed(client).await?;
        usual.push(clock::boot_us() - began);
        client.crash("manager").await?;
        let began = clock::boot_us();
        routed(client).await?;
        after.push(clock::boot_us() - began);
        tokio::time::sleep(APART).await;
    }
    let (usual, after) = (Samples::new(usual), Samples::new(after));
    let name = "P3b a case gets its team from the Manager";
    sheet.add(Figure::new(
        format!("{name}, usually, p99"),
        usual.p99_ms(),
        "ms",
    ));
    let name = format!("{name}, {panics} times just after his panic");
    sheet.add(Figure::new(format!("{name}, p50"), after.p50_ms(), "ms"));
    let p99 = Figure::new(format!("{name}, p99"), after.p99_ms(), "ms");
    sheet.add(p99.gate(Limit::AtMost(50.0)).aim(Limit::AtMost(10.0)));
    Ok(())
}

/// Hands in a case that names no team, and waits until it has one.
async fn routed(client: &Client) -> Result<(), BenchError> {
    let case = OpenCase {
        title: Some("a case that is measured".to_owned()),
        brief: format!("something for the {}", crowd::FRONT_DESK_TOPIC),
        ..OpenCase::default()
    };
    let opened = client.open_case(&case, &client.request_id().await?).await?;
    let deadline = Deadline::after(ROUTE_LIMIT);
    loop {
        let case = client.case(&opened.case, Consistency::Local).await?;
        if case.line.team.is_some() {
            return Ok(());
        }
        if deadline.is_over() {
            return Err(BenchError::Late {
                what: "a case got no team",
                limit_s: ROUTE_LIMIT.as_secs(),
                seen: format!("{:?}", case.line.status),
            });
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
