//! Handing a job in: its inputs as files, its kernel's configuration, and the order.

use std::path::PathBuf;

use rules::attempt::Body;
use rules::team::AgentSpec;

use super::{Boxes, SHOWN_TEXT_BYTES, blocking, unread};
use crate::gateway::Token;
use crate::kernel::{AttemptContext, Kernel, KernelSettings, Skill};
use crate::spool::{AttemptLimits, AttemptName, Content, InFile, Spool, TOKEN};
use crate::workshop::{Input, Job, WorkshopError};

impl Boxes {
    /// Lays the attempt's folder out and orders it.
    pub(super) async fn order(
        &self,
        job: &Job,
        kernel: &dyn Kernel,
        spool: &Spool,
        name: &AttemptName,
    ) -> Result<(), WorkshopError> {
        let context = self.context(job, spool, name).await?;
        let start = kernel
            .order(&context)
            .map_err(|error| WorkshopError::Never(error.to_string()))?;
        let limits = AttemptLimits {
            out_bytes: job.agent.limits.output_bytes,
            grace_ms: self.grace_ms,
            // The ledger's clock decides; twice its limit ends what no daemon looks after any more.
            time_limit_ms: Some(job.limit_ms.saturating_mul(2)),
            ..AttemptLimits::default()
        };
        for input in &job.inputs {
            if let Body::Blob(blob) = &input.body {
                let brought = self.blobs.bring(blob).await;
                brought.map_err(|error| unread(&error))?;
            }
        }
        let (own_files, mut order) = start.into_order(limits);
        order.is_alongside = job.parallel > 1;
        order.gateway = Some(spool.inside().socket(name));
        let mut files: Vec<InFile> = job.inputs.iter().map(|input| self.file(input)).collect();
        files.extend(own_files);
        files.push(InFile {
            path: TOKEN.to_owned(),
            content: Content::Bytes(Token::fresh().as_bytes().to_vec()),
        });
        let (to, of) = (spool.clone(), name.clone());
        blocking(move || to.prepare(&of, &files)).await?;
        // Before the order: an agent may ask in its first instruction.
        self.let_in(job, spool, name);
        let (to, of) = (spool.clone(), name.clone());
        blocking(move || to.order(&of, &order)).await
    }

    fn file(&self, input: &Input) -> InFile {
        let content = match &input.body {
            Body::Inline(text) => Content::Bytes(text.clone().into_bytes()),
            Body::Blob(blob) => Content::CopyOf(self.blobs.path(blob)),
        };
        InFile {
            path: input.path.clone(),
            content,
        }
    }

    async fn context(
        &self,
        job: &Job,
        spool: &Spool,
        name: &AttemptName,
    ) -> Result<AttemptContext, WorkshopError> {
        let mut skills = Vec::new();
        for skill in job.agent.skills.keys() {
            let path = format!("skills/{skill}/SKILL.md");
            let text = self.shown(job, &path).await?.unwrap_or_default();
            skills.push(Skill {
                name: skill.to_string(),
                text,
            });
        }
        Ok(AttemptContext {
            attempt: name.clone(),
            inside: spool.inside().clone(),
            brief: self.shown(job, "brief.md").await?.unwrap_or_default(),
            task: self.shown(job, "stage.md").await?,
            soul: self.shown(job, "SOUL.md").await?,
            skills,
            settings: KernelSettings {
                command: job.agent.command.clone(),
                env: job.agent.env.clone(),
                brief_on_stdin: false,
            },
        })
    }

    /// An input as text for the kernel.
    async fn shown(&self, job: &Job, path: &str) -> Result<Option<String>, WorkshopError> {
        let Some(input) = job.inputs.iter().find(|input| input.path == path) else {
            return Ok(None);
        };
        match &input.body {
            Body::Inline(text) => Ok(Some(text.clone())),
            Body::Blob(blob) => {
                let bytes = self.blobs.read_limited(blob, SHOWN_TEXT_BYTES as u64).await;
                Ok(Some(
                    String::from_utf8_lossy(&bytes.map_err(|error| unread(&error))?).into_owned(),
                ))
            }
        }
    }
}

/// The agent's program on this host, shown to a box that has no image of its own to hold it.
pub(super) fn own_program(agent: &AgentSpec) -> Vec<PathBuf> {
    let is_bare = matches!(agent.image.as_str(), "" | "scratch");
    let program = agent.command.first().map(PathBuf::from);
    let program = program.filter(|path| is_bare && path.is_absolute());
    program.into_iter().collect()
}
