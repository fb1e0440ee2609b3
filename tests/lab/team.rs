//! Teams for tests, as the YAML that a user would write.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::folder::Lab;

/// A team whose agents are the tests' own.
#[derive(Clone, Debug, Default)]
pub struct Team {
    agent: PathBuf,
    name: String,
    butler: Vec<String>,
    workers: Vec<Worker>,
    stages: Vec<Stage>,
}

/// A worker; its agent does these deeds, and then those of stage and brief.
#[derive(Clone, Debug, Default)]
pub struct Worker {
    name: String,
    deeds: Vec<String>,
    extra: String,
}

/// A stage of the team's playbook.
#[derive(Clone, Debug, Default)]
pub struct Stage {
    name: String,
    worker: String,
    after: Vec<String>,
    brief: String,
    extra: String,
}

impl Team {
    /// A team without workers and stages.
    pub fn new(lab: &Lab, name: &str) -> Team {
        Team {
            agent: lab.agent(),
            name: name.to_owned(),
            ..Team::default()
        }
    }

    /// A team of one worker, `hand`, with one stage, `work`.
    pub fn of_one(lab: &Lab, name: &str) -> Team {
        Team::new(lab, name)
            .worker(Worker::new("hand"))
            .stage(Stage::new("work", "hand"))
    }

    /// Its butler's agent does these deeds, one of which ought to be `plan`.
    #[must_use]
    pub fn butler(mut self, deeds: &[&str]) -> Team {
        self.butler = deeds.iter().map(ToString::to_string).collect();
        self
    }

    /// Adds a worker.
    #[must_use]
    pub fn worker(mut self, worker: Worker) -> Team {
        self.workers.push(worker);
        self
    }

    /// Adds a stage to its playbook.
    #[must_use]
    pub fn stage(mut self, stage: Stage) -> Team {
        self.stages.push(stage);
        self
    }

    /// The documents.
    pub fn yaml(&self) -> String {
        let mut text = format!(
            "kind: team\nname: {}\ntitle: A team of the lab\n",
            self.name
        );
        if !self.stages.is_empty() {
            text.push_str("playbook: routine\n");
        }
        write!(text, "butler:\n  name: {}-bot\n", self.name).expect(INFALLIBLE);
        if !self.butler.is_empty() {
            writeln!(text, "  command: {}", command(&self.agent, &self.butler)).expect(INFALLIBLE);
        }
        for worker in &self.workers {
            let command = command(&self.agent, &worker.deeds);
            write!(
                text,
                "---\nkind: worker\nname: {}\nteam: {}\ncommand: {command}\n{}",
                worker.name, self.name, worker.extra
            )
            .expect(INFALLIBLE);
        }
        if !self.stages.is_empty() {
            write!(
                text,
                "---\nkind: playbook\nname: routine\nteam: {}\nstages:\n",
                self.name
            )
            .expect(INFALLIBLE);
        }
        for stage in &self.stages {
            let after = stage.after.join(", ");
            write!(
                text,
                "  - name: {}\n    worker: {}\n    after: [{after}]\n    brief: {:?}\n{}",
                stage.name, stage.worker, stage.brief, stage.extra
            )
            .expect(INFALLIBLE);
        }
        text
    }
}

const INFALLIBLE: &str = "a String takes everything";

/// The command line, quoted as JSON strings, which YAML reads as well.
fn command(agent: &Path, deeds: &[String]) -> String {
    let words = std::iter::once(agent.display().to_string()).chain(deeds.iter().cloned());
    let words: Vec<String> = words
        .map(|word| serde_json::Value::String(word).to_string())
        .collect();
    format!("[{}]", words.join(", "))
}

impl Worker {
    /// A worker that does what stage and brief say.
    pub fn new(name: &str) -> Worker {
        Worker {
            name: name.to_owned(),
            ..Worker::default()
        }
    }

    /// It does this first.
    #[must_use]
    pub fn deed(mut self, deed: &str) -> Worker {
        self.deeds.push(deed.to_owned());
        self
    }

    /// One more line of its document, such as `limits: {memory: 64MiB}`.
    #[must_use]
    pub fn line(mut self, line: &str) -> Worker {
        writeln!(self.extra, "{line}").expect(INFALLIBLE);
        self
    }
}

impl Stage {
    /// A stage for this worker.
    pub fn new(name: &str, worker: &str) -> Stage {
        Stage {
            name: name.to_owned(),
            worker: worker.to_owned(),
            ..Stage::default()
        }
    }

    /// It begins after that stage.
    #[must_use]
    pub fn after(mut self, stage: &str) -> Stage {
        self.after.push(stage.to_owned());
        self
    }

    /// Its agent does this.
    #[must_use]
    pub fn deed(mut self, deed: &str) -> Stage {
        writeln!(self.brief, "agent: {deed}").expect(INFALLIBLE);
        self
    }

    /// One more line of its document, such as `attempts: 1`.
    #[must_use]
    pub fn line(mut self, line: &str) -> Stage {
        writeln!(self.extra, "    {line}").expect(INFALLIBLE);
        self
    }
}
