//! `domo case reject`: refuses to let a stage begin.

use clap::Args;

use super::case_approve::waiting_stage;
use super::console::Console;
use super::stop::Stop;
use super::verb::Verb;
use super::wish::Wish;
use crate::admin::wire::RejectStage;

/// Refuse to let a stage begin that waits for an approval
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  domo case reject c-1 restart-gateway --reason \"not during business hours\"
  domo case reject c-1")]
pub(crate) struct CaseReject {
    /// The case, as in c-1
    case: String,
    /// The stage; needed only where several wait
    stage: Option<String>,
    /// Why
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true
    )]
    reason: String,
    #[command(flatten)]
    wish: Wish,
}

impl Verb for CaseReject {
    async fn run(self, console: &Console) -> Result<(), Stop> {
        let (case, why) = (
            &self.case,
            RejectStage {
                reason: self.reason,
            },
        );
        let (done, stage) = console
            .ask(async |client| {
                let stage = waiting_stage(&client, case, self.stage).await?;
                let ask = async |id: &str| client.reject_stage(case, &stage, &why, id).await;
                let done = console.change(&client, &self.wish, None, ask).await?;
                Ok((done, stage))
            })
            .await?;
        console.done(&done, &format!("stage {stage} of case {case} is rejected"))
    }
}
