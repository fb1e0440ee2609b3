//! What a command of the command line answered.

use serde_json::Value;

/// Of a long command line, so much is told.
const SHOWN_CHARS: usize = 200;

/// How the command was called, how it ended and what it said.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Its arguments, for messages.
    pub asked: String,
    /// 0 done, 1 refused, 2 wrong usage, 3 no daemon, 4 outcome unknown; -1 when a signal ended it.
    pub code: i32,
    /// Data.
    pub stdout: String,
    /// Everything else.
    pub stderr: String,
}

impl Answer {
    /// The same answer, when it ended well.
    ///
    /// # Panics
    /// When it did not.
    #[expect(
        clippy::return_self_not_must_use,
        reason = "it is a demand, kept or not"
    )]
    pub fn ok(self) -> Answer {
        self.ended_with(0)
    }

    /// The same answer, when it was refused.
    ///
    /// # Panics
    /// When it was not.
    #[expect(
        clippy::return_self_not_must_use,
        reason = "it is a demand, kept or not"
    )]
    pub fn refused(self) -> Answer {
        self.ended_with(1)
    }

    /// The same answer, when it ended with this code.
    ///
    /// # Panics
    /// When it ended otherwise.
    #[expect(
        clippy::return_self_not_must_use,
        reason = "it is a demand, kept or not"
    )]
    pub fn ended_with(self, code: i32) -> Answer {
        assert_eq!(self.code, code, "{self}");
        self
    }

    /// What it printed, as JSON.
    ///
    /// # Panics
    /// When that is no JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|why| panic!("no JSON: {why}\n{self}"))
    }
}

impl std::fmt::Display for Answer {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let asked: String = self.asked.chars().take(SHOWN_CHARS).collect();
        writeln!(out, "`domo {asked}` ended with {}", self.code)?;
        writeln!(out, "stdout: {}", self.stdout.trim_end())?;
        write!(out, "stderr: {}", self.stderr.trim_end())
    }
}
