//! `domo chaos manager`: holds the Manager dead, lets him live again, or has him panic.

use clap::{Args, ValueEnum};

use super::console::Console;
use super::stop::Stop;
use super::verb::Verb;
use crate::admin::wire::{ManagerOrder, OrderManager};

/// Hold the Manager of a node dead, let him live again, or have him panic
///
/// Teams go on without him: only what needs a new place or has no team waits. It is done to the node
/// that is asked, until its daemon ends, and counts while that node leads.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  domo chaos manager hold
  domo chaos manager release
  domo chaos manager crash")]
pub(crate) struct ChaosManager {
    /// What is done to him
    #[arg(value_enum)]
    order: Order,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Order {
    /// He is held dead
    Hold,
    /// He may live again
    Release,
    /// He panics, and is started again
    Crash,
}

impl Verb for ChaosManager {
    async fn run(self, console: &Console) -> Result<(), Stop> {
        let (order, done) = match self.order {
            Order::Hold => (
                ManagerOrder::Hold,
                "is held dead; `domo chaos manager release` ends it",
            ),
            Order::Release => (ManagerOrder::Release, "may live again"),
            Order::Crash => (ManagerOrder::Crash, "was told to panic"),
        };
        let ordered = console
            .ask(async |client| Ok(client.order_manager(&OrderManager { order }).await?))
            .await?;
        console.done(&ordered, &format!("the Manager of {} {done}", ordered.node))
    }
}
