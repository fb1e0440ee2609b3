//! The deeds: what each word of a brief makes the agent do.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use nix::sys::signal::{SigSet, Signal};
use serde_json::{Value, json};

use super::ask;
use super::probe;
use super::result::{Outcome, write_whole};
use super::talk;

/// The argument that makes this program a child which does nothing.
pub const CHILD: &str = "--child";
/// How often a file that is awaited is looked for.
pub const AWAIT_STEP: Duration = Duration::from_millis(20);
/// What is written at a time by a flood.
const FLOOD_PIECE_BYTES: usize = 64 << 10;
/// More children than any limit of a test allows.
const BOMB_CHILDREN: usize = 100_000;
/// Of a file that a brief asks for, so much is quoted.
const QUOTED_BYTES: usize = 4 << 10;

/// One line of what is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deed {
    verb: String,
    rest: String,
}

impl Deed {
    /// The deeds of the arguments, the stage and the brief that are meant for this attempt.
    pub fn all(arguments: &[String], agent: &Agent) -> Result<Vec<Deed>, String> {
        let mut deeds = Vec::new();
        for line in arguments {
            if line.starts_with("agent") {
                deeds.extend(Deed::read(line, agent.attempt)?);
            } else {
                deeds.push(Deed::new(line));
            }
        }
        for name in ["stage.md", "brief.md"] {
            let text = fs::read_to_string(agent.input.join(name)).unwrap_or_default();
            for line in text.lines() {
                deeds.extend(Deed::read(line, agent.attempt)?);
            }
        }
        Ok(deeds)
    }

    fn new(line: &str) -> Deed {
        let (verb, rest) = line.trim().split_once(' ').unwrap_or((line.trim(), ""));
        Deed {
            verb: verb.to_owned(),
            rest: rest.to_owned(),
        }
    }

    /// The deed of a line of text, where it has one for this attempt.
    fn read(line: &str, attempt: u64) -> Result<Option<Deed>, String> {
        let Some(rest) = line.trim().strip_prefix("agent") else {
            return Ok(None);
        };
        if let Some(deed) = rest.strip_prefix(": ") {
            return Ok(Some(Deed::new(deed)));
        }
        let Some((number, deed)) = rest
            .strip_prefix('[')
            .and_then(|rest| rest.split_once("]: "))
        else {
            return Ok(None);
        };
        let (digits, is_open) = number
            .strip_suffix('+')
            .map_or((number, false), |number| (number, true));
        let from: u64 = digits
            .parse()
            .map_err(|_| format!("`{number}` is no attempt"))?;
        let is_meant = attempt == from || (is_open && attempt > from);
        Ok(is_meant.then(|| Deed::new(deed)))
    }
}

/// The agent, with what it has to say so far.
#[derive(Debug)]
pub struct Agent {
    input: PathBuf,
    output: PathBuf,
    attempt: u64,
    case: String,
    outcome: Outcome,
    is_written: bool,
}

impl Agent {
    /// The agent of the attempt whose folders these are; it leaves a mark that it was started.
    pub fn new(input: PathBuf, output: PathBuf) -> Agent {
        let card = fs::read_to_string(input.join("case.json")).unwrap_or_default();
        let card: Value = serde_json::from_str(&card).unwrap_or_default();
        // A second start of the same attempt would leave a second line.
        append(&output.join("starts"), "started\n").ok();
        Agent {
            attempt: card["attempt"].as_u64().unwrap_or(1),
            case: card["case"].as_str().unwrap_or_default().to_owned(),
            input,
            output,
            outcome: Outcome::default(),
            is_written: false,
        }
    }

    /// Does one after the other, and ends with a result.
    pub fn do_all(&mut self, deeds: &[Deed]) -> Result<ExitCode, String> {
        for deed in deeds {
            if let Some(code) = self.do_one(&deed.verb, &deed.rest)? {
                return Ok(code);
            }
        }
        if !self.is_written {
            let starts = fs::read_to_string(self.output.join("starts")).unwrap_or_default();
            let summary = format!(
                "did {} deeds in attempt {}, started {} times",
                deeds.len(),
                self.attempt,
                starts.lines().count()
            );
            write_whole(&self.output, &self.outcome.json(&summary))?;
        }
        Ok(ExitCode::SUCCESS)
    }

    /// Does one thing; an exit code ends the agent.
    fn do_one(&mut self, verb: &str, rest: &str) -> Result<Option<ExitCode>, String> {
        match verb {
            "say" => append(&self.output.join("progress.log"), &format!("{rest}\n"))?,
            "post" => append(&self.output.join("say.log"), &format!("{rest}\n"))?,
            "hear" => {
                let heard = talk::hear(&self.input, rest.parse().unwrap_or(1));
                self.outcome.find("heard", &heard);
            }
            "answer" => talk::answer(&self.input, &self.output, rest)?,
            "print" => put(&mut std::io::stdout(), format!("{rest}\n").as_bytes())?,
            "complain" => put(&mut std::io::stderr(), format!("{rest}\n").as_bytes())?,
            "sleep" => std::thread::sleep(duration(rest)?),
            "await" => wait_for(&self.output.join(rest)),
            "hang" => rest_for_ever(),
            "deaf" => {
                let politely: SigSet = [Signal::SIGTERM, Signal::SIGINT].into_iter().collect();
                politely.thread_block().map_err(|why| why.to_string())?;
            }
            "exit" => {
                let code: u8 = rest
                    .parse()
                    .map_err(|_| format!("`{rest}` is no exit code"))?;
                return Ok(Some(ExitCode::from(code)));
            }
            "abort" => std::process::abort(),
            "flood" => self.flood(rest)?,
            "spill" => {
                let cut: SigSet = [Signal::SIGXFSZ].into_iter().collect();
                cut.thread_block().map_err(|why| why.to_string())?;
                // What no longer fits is not missed.
                let _ = self.flood(rest);
            }
            "allocate" => allocate(bytes(rest)?),
            "fork" => children(rest.parse().map_err(|_| format!("`{rest}` is no number"))?)?,
            "bomb" => {
                let why = children(BOMB_CHILDREN).err().unwrap_or_default();
                self.outcome.find("the bomb ended", &[why]);
            }
            "half" => {
                let half = "{\"version\": 1, \"summary\": \"this is the first ha";
                fs::write(self.output.join("result.json"), half).map_err(|why| why.to_string())?;
                self.is_written = true;
            }
            "nothing" => self.is_written = true,
            "write" => {
                self.outcome.sum_up(rest);
                write_whole(&self.output, &self.outcome.json(rest))?;
                self.is_written = true;
            }
            "raw" => {
                write_whole(&self.output, rest)?;
                self.is_written = true;
            }
            _ => self.tell(verb, rest)?,
        }
        Ok(None)
    }

    /// Puts something into the result.
    fn tell(&mut self, verb: &str, rest: &str) -> Result<(), String> {
        match verb {
            "summary" => self.outcome.sum_up(rest),
            "cause" => self.outcome.say("root_cause", json!(rest)),
            "advise" => self.outcome.say("recommendation", json!(rest)),
            "impact" => self.outcome.say("impact", json!(rest)),
            "find" => self.outcome.find(rest, &[]),
            "plan" => {
                let plan: Value = serde_json::from_str(rest).map_err(|why| why.to_string())?;
                self.outcome.say("plan", plan);
            }
            "must" => {
                let said = ask::ask(&rest.replace("CASE", &self.case))?;
                let is_done = said
                    .first()
                    .is_some_and(|line| line.starts_with("status=2"));
                if !is_done {
                    return Err(format!("{rest}: {}", said.join(", ")));
                }
            }
            "ask" => {
                let said = ask::ask(rest)?;
                self.outcome.find(&format!("ask {rest}"), &said);
            }
            "probe" => self.outcome.find("probe", &probe::all()),
            "env" => {
                let all: Vec<String> = std::env::vars()
                    .map(|(name, value)| format!("{name}={value}"))
                    .collect();
                self.outcome.find("env", &all);
            }
            "inputs" => {
                let mut found = Vec::new();
                list(&self.input, &self.input, &mut found);
                found.sort();
                self.outcome.find("inputs", &found);
            }
            "read" => {
                let read = fs::read(rest).map_err(|why| why.to_string());
                let said = read.map_or_else(
                    |why| format!("refused: {why}"),
                    |text| {
                        String::from_utf8_lossy(&text[..text.len().min(QUOTED_BYTES)]).into_owned()
                    },
                );
                self.outcome.find(&format!("read {rest}"), &[said]);
            }
            "artifact" => {
                let (name, size) = rest.split_once(' ').unwrap_or((rest, "10"));
                let folder = self.output.join("artifacts");
                fs::create_dir_all(&folder).map_err(|why| why.to_string())?;
                let text = vec![b'a'; usize::try_from(bytes(size)?).unwrap_or(usize::MAX)];
                fs::write(folder.join(name), text).map_err(|why| why.to_string())?;
            }
            other => return Err(format!("`{other}` is no deed")),
        }
        Ok(())
    }

    /// `flood 10MiB stdout`, `flood 10MiB stderr` or `flood 10MiB FILE`.
    fn flood(&self, rest: &str) -> Result<(), String> {
        let (size, to) = rest.split_once(' ').unwrap_or((rest, "stdout"));
        let mut left = usize::try_from(bytes(size)?).unwrap_or(usize::MAX);
        let mut into: Box<dyn Write> = match to {
            "stdout" => Box::new(std::io::stdout()),
            "stderr" => Box::new(std::io::stderr()),
            name => Box::new(File::create(self.output.join(name)).map_err(|why| why.to_string())?),
        };
        let piece = vec![b'x'; FLOOD_PIECE_BYTES];
        while left > 0 {
            let now = left.min(piece.len());
            put(&mut into, &piece[..now])?;
            left -= now;
        }
        Ok(())
    }
}

/// Ends the agent with what is wrong.
pub fn give_up(why: &str) -> ExitCode {
    put(
        &mut std::io::stderr(),
        format!("test-agent: {why}\n").as_bytes(),
    )
    .ok();
    ExitCode::from(70)
}

/// Does nothing, for ever.
pub fn rest_for_ever() -> ! {
    loop {
        std::thread::park();
    }
}

fn put(into: &mut dyn Write, what: &[u8]) -> Result<(), String> {
    into.write_all(what)
        .and_then(|()| into.flush())
        .map_err(|why| why.to_string())
}

/// Adds a line to a file.
pub fn append(path: &Path, line: &str) -> Result<(), String> {
    let open = OpenOptions::new().create(true).append(true).open(path);
    let mut file = open.map_err(|why| why.to_string())?;
    put(&mut file, line.as_bytes())
}

fn wait_for(path: &Path) {
    while !path.exists() {
        std::thread::sleep(AWAIT_STEP);
    }
}

fn children(count: usize) -> Result<(), String> {
    let own = std::env::current_exe().map_err(|why| why.to_string())?;
    for number in 0..count {
        let mut child = Command::new(&own);
        child
            .arg(CHILD)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        child
            .spawn()
            .map_err(|why| format!("child {number}: {why}"))?;
    }
    Ok(())
}

/// Takes memory and writes into each page of it, so that it is really there.
fn allocate(size_bytes: u64) {
    let mut kept: Vec<Vec<u8>> = Vec::new();
    let mut left = size_bytes;
    while left > 0 {
        let now = left.min(1 << 20);
        kept.push(vec![1; usize::try_from(now).unwrap_or(usize::MAX)]);
        left -= now;
    }
    std::hint::black_box(&kept);
}

fn list(root: &Path, folder: &Path, into: &mut Vec<String>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            list(root, &path, into);
        } else if let (Ok(below), Ok(text)) = (path.strip_prefix(root), fs::read(&path)) {
            into.push(format!(
                "{} {} {:016x}",
                below.display(),
                text.len(),
                digest(&text)
            ));
        }
    }
}

/// FNV-1a over 64 bits: enough to see that a file came through whole.
fn digest(text: &[u8]) -> u64 {
    text.iter().fold(0xcbf2_9ce4_8422_2325, |sum, byte| {
        (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// `10`, `10KiB`, `10MiB`.
fn bytes(text: &str) -> Result<u64, String> {
    let units = [
        ("KiB", 1 << 10),
        ("MiB", 1 << 20),
        ("GiB", 1 << 30),
        ("", 1),
    ];
    let found = units.iter().find_map(|(unit, size)| {
        let count: u64 = text.trim().strip_suffix(unit)?.parse().ok()?;
        Some(count * size)
    });
    found.ok_or_else(|| format!("`{text}` is no size"))
}

/// `250ms`, `3s`.
fn duration(text: &str) -> Result<Duration, String> {
    let units = [("ms", 1), ("s", 1000)];
    let found = units.iter().find_map(|(unit, ms)| {
        let count: u64 = text.trim().strip_suffix(unit)?.parse().ok()?;
        Some(Duration::from_millis(count * ms))
    });
    found.ok_or_else(|| format!("`{text}` is no duration"))
}
