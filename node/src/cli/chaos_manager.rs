//! `domo chaos manager`: holds the Manager dead, lets him live again, or has him panic.

use clap::{Args, ValueEnum};

use super::console::Console;
use super::stop::Stop;
use super::verb::Verb;

/// Hold the Manager of a node dead, let him live again, or have him panic
///
/// Teams go on without him: only what needs a new place or has no team waits. It is done to the node
/// that is asked, until its daemon ends, and counts while that node leads. The node's
/// settings must allow it: `chaos.allowed = true`.
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
        let order = self.order;
        console
            .ask(async |client| {
                match order {
                    Order::Hold => client.hold_manager(true).await?,
                    Order::Release => client.hold_manager(false).await?,
                    Order::Crash => client.crash("manager").await?,
                }
                Ok(())
            })
            .await?;
        let done = match order {
            Order::Hold => "is held dead; `domo chaos manager release` ends it",
            Order::Release => "may live again",
            Order::Crash => "was told to panic",
        };
        let told = serde_json::json!({ "manager": done });
        console.done(&told, &format!("the Manager of this node {done}"))
    }
}
