//! The `cli` kernel: any program is an agent that reads `in/`, writes `out/` and ends.
//!
//! # Why
//!
//! The contract is plain files and an exit code, so here is nothing to translate: the settings
//! name the program, the words in braces tell it where things are.

use super::{
    AttemptContext, AttemptOutcome, Collected, Exit, FailKind, FailReason, Kernel, KernelError,
    Start, failure_of,
};

/// Longest command line that is built, its arguments together: half of what the kernel takes.
const ARGV_LIMIT_BYTES: usize = 64 << 10;

/// Runs any program.
#[derive(Clone, Copy, Debug, Default)]
pub struct CliKernel;

impl Kernel for CliKernel {
    fn name(&self) -> &'static str {
        "cli"
    }

    fn order(&self, context: &AttemptContext) -> Result<Start, KernelError> {
        let bad = |why: &str| KernelError::BadSettings {
            kernel: "cli",
            why: why.to_owned(),
        };
        let settings = &context.settings;
        let words = Words::of(context);
        let mut argv: Vec<String> = settings.command.iter().map(|arg| words.fill(arg)).collect();
        let Some(program) = argv.first_mut() else {
            return Err(bad(
                "`command` is empty; give the program and its arguments",
            ));
        };
        if program.as_str() == "domo" {
            program.clone_from(&words.domo);
        }
        if argv.iter().map(String::len).sum::<usize>() > ARGV_LIMIT_BYTES {
            return Err(bad(
                "the command line is too long; let the program read brief.md instead",
            ));
        }
        if argv.iter().any(|arg| arg.contains('\0')) {
            return Err(bad("the command line has a zero byte in it"));
        }
        let env = settings
            .env
            .iter()
            .map(|(k, v)| (k.clone(), words.fill(v)))
            .collect();
        let stdin = settings
            .brief_on_stdin
            .then(|| context.brief.clone().into_bytes());
        Ok(Start {
            argv,
            env,
            stdin,
            home_files: Vec::new(),
        })
    }

    fn read(&self, exit: &Exit, out: &Collected) -> AttemptOutcome {
        if let Some(reason) = failure_of(exit, out) {
            return AttemptOutcome::Failed { reason };
        }
        match out.result(exit) {
            Ok(Some(result)) => AttemptOutcome::Succeeded {
                result: Box::new(result),
            },
            Ok(None) => {
                let text = "ended well but left no result: \
                            no result.json, no result.md and nothing on standard output";
                AttemptOutcome::Failed {
                    reason: FailReason::new(FailKind::NoResult, text),
                }
            }
            Err(bad) => AttemptOutcome::Failed {
                reason: FailReason::new(FailKind::BadResult, &format!("bad result: {bad}")),
            },
        }
    }
}

/// What the words in braces stand for.
struct Words {
    domo: String,
    pairs: [(&'static str, String); 6],
}

impl Words {
    fn of(context: &AttemptContext) -> Words {
        let (inside, attempt) = (&context.inside, &context.attempt);
        let domo = inside.domo.to_string_lossy().into_owned();
        let pairs = [
            ("{in}", inside.input(attempt).to_string_lossy().into_owned()),
            (
                "{out}",
                inside.output(attempt).to_string_lossy().into_owned(),
            ),
            (
                "{home}",
                inside.home(attempt).to_string_lossy().into_owned(),
            ),
            ("{domo}", domo.clone()),
            ("{brief}", context.brief.clone()),
            ("{task}", context.task.clone().unwrap_or_default()),
        ];
        Words { domo, pairs }
    }

    /// Fills each word in once, from left to right: a brief that has words in braces stays as it is.
    fn fill(&self, text: &str) -> String {
        let mut filled = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('{') {
            filled.push_str(&rest[..at]);
            rest = &rest[at..];
            if let Some((word, value)) = self.pairs.iter().find(|(word, _)| rest.starts_with(word))
            {
                filled.push_str(value);
                rest = &rest[word.len()..];
            } else {
                filled.push('{');
                rest = &rest[1..];
            }
        }
        filled.push_str(rest);
        filled
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::KernelSettings;
    use crate::spool::{AttemptName, Inside};

    fn context(command: &[&str]) -> AttemptContext {
        AttemptContext {
            attempt: AttemptName::new("c-1-2").unwrap(),
            inside: Inside::own_root(),
            brief: "look at {in}".into(),
            task: None,
            soul: None,
            skills: Vec::new(),
            settings: KernelSettings {
                command: command.iter().map(ToString::to_string).collect(),
                ..KernelSettings::default()
            },
        }
    }

    #[test]
    fn words_in_braces_are_filled_in_once() {
        let start = CliKernel
            .order(&context(&["domo", "{out}/x", "{brief}", "{else}{"]))
            .unwrap();
        assert_eq!(
            start.argv,
            ["/domo", "/agent/out/c-1-2/x", "look at {in}", "{else}{"]
        );
    }

    #[test]
    fn an_empty_command_is_refused_with_what_to_do() {
        let refused = CliKernel.order(&context(&[])).unwrap_err();
        assert!(
            refused.to_string().contains("give the program"),
            "{refused}"
        );
    }
}
