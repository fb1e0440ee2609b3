//! `domo case answer`: takes a stage over and answers it by hand.

use std::fs::File;
use std::path::{Path, PathBuf};

use clap::Args;
use rules::limits::MAX_SUMMARY_BYTES;
use serde_json::Value;

use super::attach;
use super::console::Console;
use super::stop::Stop;
use super::verb::Verb;
use super::wish::Wish;
use super::words::{LONGEST_TEXT_BYTES, Words, bounded, cannot_read};
use crate::admin::wire::AnswerStage;

/// Answer a stage by hand
///
/// The stage's running attempt is ended, and the answer becomes its result. The text is the summary;
/// a whole result, as agents write it into result.json, can be given with --result.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  domo case answer c-1 instance-status \"all pods run but mse-gateway-0\"
  domo case answer c-1 instance-status --result result.json --attach pods.json")]
pub(crate) struct CaseAnswer {
    /// The case, as in c-1
    case: String,
    /// The stage
    stage: String,
    #[command(flatten)]
    words: Words,
    /// The whole result as JSON; its `summary` serves where no text is given
    #[arg(long, value_name = "FILE")]
    result: Option<PathBuf>,
    /// A file or folder of evidence; may be given many times
    #[arg(long, value_name = "PATH")]
    attach: Vec<PathBuf>,
    #[command(flatten)]
    wish: Wish,
}

impl Verb for CaseAnswer {
    async fn run(self, console: &Console) -> Result<(), Stop> {
        let document = self.result.as_deref().map(document).transpose()?;
        let summary = self.summary(document.as_ref())?;
        let (case, stage) = (&self.case, &self.stage);
        let done = console
            .ask(async |client| {
                let artifacts = attach::hand_over(&client, &self.attach).await?;
                let answer = AnswerStage {
                    summary,
                    document,
                    artifacts,
                };
                let ask = async |id: &str| client.answer_stage(case, stage, &answer, id).await;
                console.change(&client, &self.wish, None, ask).await
            })
            .await?;
        console.done(&done, &format!("stage {stage} of case {case} is answered"))
    }
}

impl CaseAnswer {
    fn summary(&self, document: Option<&Value>) -> Result<String, Stop> {
        let of_document = document.and_then(|document| document.get("summary")?.as_str());
        match of_document {
            Some(summary) if !self.words.is_given() => Ok(summary.to_owned()),
            Some(_) | None => self
                .words
                .read("max_summary_bytes", MAX_SUMMARY_BYTES as u64),
        }
    }
}

fn document(path: &Path) -> Result<Value, Stop> {
    let shown = path.display().to_string();
    let file = File::open(path).map_err(|error| cannot_read(&shown, &error))?;
    let text = bounded(file, &shown, "max_result_bytes", LONGEST_TEXT_BYTES)?;
    serde_json::from_str(&text)
        .map_err(|error| Stop::mend(format!("{shown} is no JSON: {error}"), ""))
}
