//! A trial: a cluster on hosts of its own, clients that hand cases over, a nemesis, and the truths.
//!
//! ```text
//! cluster ─► teams ─► clients and watchers ─► nemesis ─► heal ─► evidence ─► truths ─► tally
//! ```

use std::collections::BTreeMap;
use std::env;
use std::fmt;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use crate::cluster::{Cluster, Standing};
use crate::disk::SmallDisk;
use crate::docker::DockerEngine;
use crate::fault::{Fault, Part};
use crate::folder::Lab;
use crate::heal;
use crate::nemesis::{Done, Nemesis, Phase, QUIET};
use crate::node::{Engine, Node};
use crate::oracle::{Client, Evidence, Orders, Outcome, Watch};
use crate::target::Target;
use crate::team::{Stage, Team, Worker};
use crate::truth;
use crate::wait::tell;

/// The teams; their butlers and workers spread over the nodes.
const TEAMS: [&str; 3] = ["red", "green", "blue"];
/// Clients that hand cases over at the same time.
const CLIENTS: u64 = 4;
/// Between two cases of a client: work for an agent that takes a part of it, and no overload.
const PAUSE: Duration = Duration::from_millis(150);
/// So that an idle worker's box is soon gone, and whatever stays is an orphan.
const IDLE: (&str, &str) = ("agents.idle_after_ms", "2s");
/// Of the small disk: room for a ledger, a trial's cases and the copy of `domo` that boxes run.
const DISK_BYTES: u64 = 512 << 20;
/// So that personas can be broken.
const BREAKABLE: (&str, &str) = ("chaos.allowed", "true");

/// What is tried.
#[derive(Clone, Debug)]
pub struct Trial {
    /// Names it, and everything that clients draw is drawn from it.
    pub seed: u64,
    /// How many nodes.
    pub nodes: usize,
    /// How many of them vote: three, or all.
    pub voters: usize,
    /// What runs the agents: containers or processes.
    pub engine: Engine,
    /// What is done to them.
    pub nemesis: Nemesis,
}

/// What came of a trial.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// The seed.
    pub seed: u64,
    /// Faults that were put on, by kind, by what they hit and by what was going on.
    pub faults: BTreeMap<(Fault, &'static str, &'static str), usize>,
    /// Cases in the end.
    pub cases: usize,
    /// Wishes that were acknowledged, refused, and whose end nobody knows.
    pub told: [usize; 3],
    /// Acknowledged cases that are not there.
    pub lost: usize,
    /// Requests with more than one case, and cases with more than one plan, result or report.
    pub doubled: usize,
    /// Whenever the leader was hit: the longest until something was newly acknowledged.
    pub worst_takeover_ms: u64,
    /// Daemons that ended by themselves.
    pub fallen: usize,
    /// What does not hold.
    pub breaches: Vec<String>,
}

impl Trial {
    /// Makes it, in the lab's folder.
    pub fn run(&self, lab: &Lab) -> Tally {
        let mut cluster = self.cluster(lab);
        let target = Target::start_among(lab, &cluster.another_host("target"));
        let (first, others) = (TEAMS[0], ["--for", TEAMS[1], "--for", TEAMS[2]]);
        target.add(cluster.node(1), first, &others);
        cluster.node(1).apply(&teams(lab)).ok();
        let sockets: Vec<_> = (1..=self.nodes)
            .map(|number| cluster.node(number).socket())
            .collect();
        let watches = sockets.iter().cloned().enumerate();
        let watches: Vec<Watch> = watches
            .map(|(at, socket)| Watch::start(at + 1, socket))
            .collect();
        let clients = (0..CLIENTS).map(|number| {
            Client::start(Orders {
                sockets: sockets.clone(),
                teams: TEAMS.map(str::to_owned).to_vec(),
                name: format!("s{}-{number}", self.seed),
                seed: self.seed << 8 | number,
                pause: PAUSE,
                rest_first: QUIET,
                break_off: cluster.broken_off(),
            })
        });
        let clients: Vec<Client> = clients.collect();
        let (done, active) = self.nemesis.rage(&mut cluster);
        let fallen = heal::heal(&mut cluster, active);
        let mut evidence = Evidence {
            calls: clients.into_iter().flat_map(Client::finish).collect(),
            unsettled: heal::settle(&cluster),
            left: heal::sweep(&cluster),
            ..Evidence::default()
        };
        evidence.sightings = watches.into_iter().flat_map(Watch::finish).collect();
        evidence.cases = (1..=self.nodes)
            .map(|number| heal::cases(&cluster, number))
            .collect();
        evidence.reached = target.reached();
        lab.file("faults.txt", format!("{done:#?}"));
        lab.file("evidence.txt", format!("{evidence:#?}"));
        Tally::of(self.seed, &done, fallen.len(), &evidence)
    }

    /// The nodes; the last has a disk of its own that can be full, and containers are in an engine of
    /// the trial's own that can be broken.
    fn cluster(&self, lab: &Lab) -> Cluster {
        let is_docker = self.engine == Engine::Docker;
        let engine = is_docker.then(|| DockerEngine::start(lab.path()));
        let kind = engine
            .as_ref()
            .map_or(Engine::Process, |engine| Engine::DockerAt(engine.socket()));
        let disk = SmallDisk::mount(lab.path(), DISK_BYTES);
        let build = |number: usize| {
            let name = format!("n{number}");
            let node = Node::named(lab, &name, &kind, &[IDLE, BREAKABLE]);
            if number == self.nodes {
                node.with_data(disk.path().join(name))
            } else {
                node
            }
        };
        let mut cluster = Cluster::start_of_voters(self.voters, self.nodes, build);
        cluster.own_disk(self.nodes, disk);
        if let Some(engine) = engine {
            cluster.own_engine(engine);
        }
        cluster
    }
}

impl Tally {
    /// Tells it to whoever reads the test's output, and adds it to the table of a soak, where
    /// there is one.
    ///
    /// # Panics
    /// When the table cannot be written.
    pub fn note(&self) {
        tell(&self.to_string());
        if let Some(folder) = env::var_os("DOMO_TEST_TABLES").map(PathBuf::from) {
            fs::create_dir_all(&folder).expect("the soak's folder can be made");
            let table = File::options()
                .create(true)
                .append(true)
                .open(folder.join("chaos.txt"));
            let mut table = table.expect("the soak's table can be written");
            writeln!(table, "{self}").expect("the soak's table can be written");
            let hits = File::options()
                .create(true)
                .append(true)
                .open(folder.join("chaos-faults.tsv"));
            let mut hits = hits.expect("the soak's table can be written");
            for ((fault, whom, phase), count) in &self.faults {
                let seed = self.seed;
                writeln!(hits, "{seed}\t{fault}\t{whom}\t{phase}\t{count}")
                    .expect("the soak's table can be written");
            }
        }
    }

    fn of(seed: u64, done: &[Done], fallen: usize, evidence: &Evidence) -> Tally {
        let breaches = truth::breaches(evidence);
        let count = |what: &str| breaches.iter().filter(|said| said.contains(what)).count();
        let mut tally = Tally {
            seed,
            cases: evidence.all_cases().len(),
            lost: count(" is lost"),
            doubled: count(" is doubled") + count(" once: ") + count("one accepted result"),
            fallen,
            ..Tally::default()
        };
        for call in &evidence.calls {
            let at = match call.outcome {
                Outcome::Acknowledged(_) => 0,
                Outcome::Refused(_) => 1,
                Outcome::Unknown => 2,
            };
            tally.told[at] += 1;
        }
        for fault in done {
            let hit = (fault.fault, whom(fault), phase(fault));
            *tally.faults.entry(hit).or_default() += 1;
            if fault.standing == Standing::Leader
                && let Some(silence) = evidence.silence_after(fault.at_ms)
            {
                tally.worst_takeover_ms = tally.worst_takeover_ms.max(silence);
            }
        }
        tally.breaches = breaches;
        tally
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [acknowledged, refused, unknown] = self.told;
        let listed = |of: &dyn Fn(&(Fault, &'static str, &'static str)) -> String| {
            let mut counts: BTreeMap<String, usize> = BTreeMap::new();
            for (hit, count) in &self.faults {
                *counts.entry(of(hit)).or_default() += count;
            }
            let counts = counts.iter().map(|(what, count)| format!("{what} {count}"));
            counts.collect::<Vec<_>>().join(", ")
        };
        write!(
            out,
            "seed {}: {} faults ({}; {}; {}), {} cases, {acknowledged} acknowledged, {refused} refused, \
             {unknown} unknown, {} lost, {} doubled, worst takeover {} ms, {} fallen, {} breaches",
            self.seed,
            self.faults.values().sum::<usize>(),
            listed(&|hit| hit.0.to_string()),
            listed(&|hit| hit.1.to_owned()),
            listed(&|hit| hit.2.to_owned()),
            self.cases,
            self.lost,
            self.doubled,
            self.worst_takeover_ms,
            self.fallen,
            self.breaches.len(),
        )
    }
}

/// Whom it hit.
fn whom(done: &Done) -> &'static str {
    match done.standing {
        _ if done.fault.part() == Part::Clients => "client",
        Standing::Leader => "leader",
        Standing::Follower => "follower",
        Standing::Host => "host",
    }
}

/// What was going on.
fn phase(done: &Done) -> &'static str {
    match done.phase {
        Phase::Idle => "idle",
        Phase::Loaded => "loaded",
        Phase::Failover => "in failover",
        Phase::MembershipChange => "in change of voters",
    }
}

/// Three teams of two workers each: one takes a moment, the other does to the target what may be
/// repeated under its key, and what may not.
fn teams(lab: &Lab) -> String {
    let limits = "limits: {cpu: 0.1, memory: 32MiB, pids: 16}";
    let team = |name: &&str| {
        let worker = |name: &str| Worker::new(name).line("parallel: 4").line(limits);
        Team::new(lab, name)
            .worker(worker("eyes"))
            .worker(worker("hands"))
            .stage(
                Stage::new("look", "eyes")
                    .deed("sleep 50ms")
                    .line("attempts: 5"),
            )
            .stage(
                Stage::new("act", "hands")
                    .after("look")
                    .deed("must PUT kube/act/CASE")
                    .deed("must POST kube/tell/CASE")
                    .line("attempts: 5"),
            )
            .yaml()
    };
    TEAMS.iter().map(team).collect::<Vec<_>>().join("---\n")
}
