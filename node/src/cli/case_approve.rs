//! `domo case approve`: lets a stage begin that waits for it.

use clap::Args;

use super::console::Console;
use super::stop::Stop;
use super::verb::Verb;
use super::wish::Wish;
use crate::admin::client::Client;
use crate::admin::wire::{ApprovalState, ApproveStage, Consistency};

/// Let a stage begin that waits for an approval
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  domo case approve c-1 restart-gateway
  domo case approve c-1 --note \"maintenance window until 06:00\"")]
pub(crate) struct CaseApprove {
    /// The case, as in c-1
    case: String,
    /// The stage; needed only where several wait
    stage: Option<String>,
    /// What there is to say to it
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true
    )]
    note: String,
    #[command(flatten)]
    wish: Wish,
}

impl Verb for CaseApprove {
    async fn run(self, console: &Console) -> Result<(), Stop> {
        let (case, note) = (&self.case, ApproveStage { note: self.note });
        let (done, stage) = console
            .ask(async |client| {
                let stage = waiting_stage(&client, case, self.stage).await?;
                let ask = async |id: &str| client.approve_stage(case, &stage, &note, id).await;
                let done = console.change(&client, &self.wish, None, ask).await?;
                Ok((done, stage))
            })
            .await?;
        console.done(&done, &format!("stage {stage} of case {case} is approved"))
    }
}

/// The named stage, or the only one that waits for an approval.
pub(crate) async fn waiting_stage(
    client: &Client,
    case: &str,
    named: Option<String>,
) -> Result<String, Stop> {
    if let Some(stage) = named {
        return Ok(stage);
    }
    let view = client.case(case, Consistency::Linearizable).await?;
    let asked = view.plan.into_iter().filter(|stage| {
        stage
            .approval
            .as_ref()
            .is_some_and(|approval| approval.state == ApprovalState::Asked)
    });
    let mut stages: Vec<String> = asked.map(|stage| stage.name).collect();
    match (stages.pop(), stages.is_empty()) {
        (Some(only), true) => Ok(only),
        (Some(last), false) => {
            stages.push(last);
            let hint = format!("name one of them: {}", stages.join(", "));
            Err(Stop::rephrase(
                format!("several stages of case {case} wait for an approval"),
                hint,
            ))
        }
        (None, _) => Err(Stop::mend(
            format!("no stage of case {case} waits for an approval"),
            format!("see `domo case show {case}`"),
        )),
    }
}
