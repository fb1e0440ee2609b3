//! `domo bench …`: what Majordomo costs on this machine, measured on nodes of the bench's own.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};

use super::console::{Console, interrupt};
use super::print::Paper;
use super::stop::Stop;
use crate::bench::case::Spans;
use crate::bench::cluster::{Crowd, Part, Plan, Steps};
use crate::bench::sheet::number;
use crate::bench::{self, BenchError, Figure, Ground, Sheet};

/// Measure what Majordomo costs on this machine
#[derive(Args, Debug)]
pub(crate) struct Bench {
    #[command(subcommand)]
    which: Which,
}

#[derive(Subcommand, Debug)]
enum Which {
    /// Measure what the disk and the cores allow
    #[command(after_help = "Examples:\n  domo bench bound\n  domo bench bound --folder /var/lib")]
    Bound {
        #[command(flatten)]
        place: Place,
    },
    /// Measure whole cases: alone, many at once, and at a steady rate
    #[command(after_help = "\
Examples:
  domo bench case
  domo bench case --clients 256 --seconds 30 --output json")]
    Case {
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        time: Time,
        /// Clients that hand cases in at once
        #[arg(long, default_value_t = bench::case::MANY)]
        clients: usize,
    },
    /// Measure a cluster: whole cases, the loss of the Manager and of nodes, overload, growth
    Cluster(Cluster),
    /// Measure how long it takes until a case is taken in for good
    #[command(after_help = "Examples:\n  domo bench submit\n  domo bench submit --seconds 30")]
    Submit {
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        time: Time,
    },
    /// Measure how soon a node answers, and how often
    #[command(after_help = "Examples:\n  domo bench reads\n  domo bench reads --seconds 30")]
    Reads {
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        time: Time,
    },
    /// Measure the memory of workers that have nothing to do
    #[command(after_help = "\
Examples:
  domo bench workers
  domo bench workers --counts 1000,10000 --output json")]
    Workers {
        #[command(flatten)]
        place: Place,
        /// How many workers there are, for one node each
        #[arg(long, value_delimiter = ',', default_values_t = [10_000, 100_000])]
        counts: Vec<usize>,
    },
    /// Measure how long a node with a long past takes until it serves again
    #[command(
        after_help = "Examples:\n  domo bench restart\n  domo bench restart --entries 100000"
    )]
    Restart {
        #[command(flatten)]
        place: Place,
        /// How many entries its ledger has seen
        #[arg(long, default_value_t = 1_000_000)]
        entries: u64,
    },
    /// Measure what a node costs that has workers and no work
    #[command(after_help = "Examples:\n  domo bench idle\n  domo bench idle --workers 10000")]
    Idle {
        #[command(flatten)]
        place: Place,
        /// How many workers it has
        #[arg(long, default_value_t = 1_000)]
        workers: usize,
        /// How long is measured
        #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3600))]
        seconds: u64,
    },
    /// Measure how long it takes to decide whether somebody may
    #[command(after_help = "Examples:\n  domo bench policy\n  domo bench policy --output json")]
    Policy {
        #[command(flatten)]
        time: Time,
    },
    /// Measure how long a cold start takes, and how large the program is
    #[command(after_help = "Examples:\n  domo bench start\n  domo bench start --output json")]
    Start {
        #[command(flatten)]
        place: Place,
    },
    /// Measure what the record of who asked what adds to each entry
    #[command(after_help = "Examples:\n  domo bench audit\n  domo bench audit --records 1000000")]
    Audit {
        #[command(flatten)]
        place: Place,
        /// How many records are made
        #[arg(long, default_value_t = 200_000)]
        records: u64,
    },
    /// Measure what is added to the engine's own time until an agent runs
    #[command(after_help = "\
Examples:
  domo bench agent
  domo bench agent --docker-socket /run/docker.sock --output json")]
    Agent {
        #[command(flatten)]
        place: Place,
        /// Where a Docker engine listens
        #[arg(long, value_name = "PATH", default_value = "/var/run/docker.sock")]
        docker_socket: PathBuf,
    },
    /// Answers at once whatever it is asked, in place of agents
    #[command(hide = true)]
    StubAgent {
        /// Where it listens
        socket: PathBuf,
    },
    /// Says when it began; an agent that is measured
    #[command(hide = true)]
    FirstLine,
}

/// Each part has a cluster of its own; all of them together take about an hour.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  domo bench cluster
  domo bench cluster --only case,failover,loss
  domo bench cluster --only failover --times 100 --output json
  domo bench cluster --only growth --teams 10,100 --nodes 3,5 --closed 0,10000")]
struct Cluster {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    time: Time,
    /// Only these parts: case, failover, crash, hand-over, held, loss, placing, overload, idle,
    /// crowded, growth, encryption
    #[arg(long, value_name = "PART", value_delimiter = ',', value_parser = part)]
    only: Vec<Part>,
    /// Clients that hand cases in at once
    #[arg(long, default_value_t = bench::case::MANY)]
    clients: usize,
    /// How often the Manager or a node is broken; of lost nodes a quarter
    #[arg(long, default_value_t = 20)]
    times: usize,
    /// How long it is overloaded, and idle
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    long_seconds: u64,
    /// Idle workers of the crowd
    #[arg(long, value_name = "COUNT", default_value_t = 100_000)]
    crowd_workers: usize,
    /// Open cases of the crowd
    #[arg(long, value_name = "COUNT", default_value_t = 10_000)]
    crowd_cases: usize,
    /// How many teams there are, for one step each
    #[arg(long, value_delimiter = ',', default_values_t = [10, 100, 1_000, 10_000])]
    teams: Vec<usize>,
    /// How many nodes there are, for one step each
    #[arg(long, value_delimiter = ',', default_values_t = [3, 10, 50])]
    nodes: Vec<u8>,
    /// How many cases are closed, for one step each
    #[arg(long, value_delimiter = ',', default_values_t = [0, 100_000, 1_000_000])]
    closed: Vec<u64>,
}

fn part(name: &str) -> Result<Part, String> {
    let names = || Part::ALL.map(|(name, _)| name);
    Part::of(name).ok_or_else(|| {
        let near = config::near::hint(name, names());
        format!("the parts are {}{near}", names().join(", "))
    })
}

impl Cluster {
    async fn measure(self) -> Result<Sheet, BenchError> {
        let plan = Plan {
            parts: if self.only.is_empty() {
                Part::ALL.map(|(_, part)| part).to_vec()
            } else {
                self.only
            },
            clients: self.clients.max(1),
            spans: self.time.spans(),
            times: self.times.max(1),
            long: Duration::from_secs(self.long_seconds),
            crowd: Crowd {
                workers: self.crowd_workers,
                cases: self.crowd_cases,
            },
            steps: Steps {
                teams: self.teams,
                nodes: self.nodes,
                closed: self.closed,
            },
        };
        bench::cluster::run(&self.place.ground()?, &plan).await
    }
}

#[derive(Args, Debug)]
struct Place {
    /// The folder for the nodes that are measured: its disk counts [default: for temporary files]
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,
}

#[derive(Args, Debug)]
struct Time {
    /// How long each figure is measured
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3600))]
    seconds: u64,
}

impl Place {
    fn ground(self) -> Result<Ground, BenchError> {
        Ground::here(self.folder.unwrap_or_else(bench::usual_folder))
    }
}

impl Time {
    fn span(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }

    fn spans(&self) -> Spans {
        Spans {
            warm: Duration::from_secs(2),
            measured: self.span(),
        }
    }
}

impl Bench {
    /// Measures and shows what came out.
    pub(crate) fn run(self, console: &Console) -> Result<(), Stop> {
        if let Which::FirstLine = self.which {
            // Before anything else: this line is what is measured.
            return Ok(super::print::text(&bench::agent::first_line())?);
        }
        // On all cores, as the clients of a node are many processes.
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build();
        let runtime = runtime
            .map_err(|error| Stop::mend(format!("this process gets no event loop: {error}"), ""))?;
        runtime.block_on(async {
            let sheet = tokio::select! {
                sheet = self.which.measure() => sheet?,
                // What was started ends with what is dropped here.
                () = interrupt() => {
                    return Err(Stop::Interrupted { what: "nothing was measured to its end".into() });
                }
            };
            if let Some(sheet) = sheet {
                console.printer.show(&sheet, view)?;
            }
            Ok(())
        })
    }
}

impl Which {
    async fn measure(self) -> Result<Option<Sheet>, BenchError> {
        let sheet = match self {
            Self::Bound { place } => bench::bound::run(&place.ground()?.folder).await,
            Self::Case {
                place,
                time,
                clients,
            } => {
                let spans = time.spans();
                bench::case::run(&place.ground()?, clients.max(1), spans).await
            }
            Self::Cluster(cluster) => cluster.measure().await,
            Self::Submit { place, time } => bench::submit::run(&place.ground()?, time.span()).await,
            Self::Reads { place, time } => bench::reads::run(&place.ground()?, time.span()).await,
            Self::Workers { place, counts } => bench::workers::run(&place.ground()?, &counts).await,
            Self::Restart { place, entries } => {
                bench::restart::run(&place.ground()?, entries).await
            }
            Self::Idle {
                place,
                workers,
                seconds,
            } => {
                let span = Duration::from_secs(seconds);
                bench::idle::run(&place.ground()?, workers, span).await
            }
            Self::Policy { time } => bench::policy::run(time.span()).await,
            Self::Audit { place, records } => bench::audit::run(&place.ground()?, records).await,
            Self::Start { place } => bench::start::run(&place.ground()?).await,
            Self::Agent {
                place,
                docker_socket,
            } => bench::agent::run(&place.ground()?, &docker_socket).await,
            Self::FirstLine => return Ok(None),
            Self::StubAgent { socket } => {
                bench::stub::run(&socket).await?;
                return Ok(None);
            }
        };
        sheet.map(Some)
    }
}

impl From<BenchError> for Stop {
    fn from(error: BenchError) -> Self {
        let mut what = error.to_string();
        let mut source = std::error::Error::source(&error);
        while let Some(error) = source {
            what = format!("{what}: {error}");
            source = error.source();
        }
        Self::mend(what, "")
    }
}

fn view(sheet: &Sheet, paper: &Paper) -> String {
    let mut text = sheet.conditions.join("\n");
    text.push('\n');
    let rows = sheet.figures.iter().map(row).collect();
    text.push_str(&paper.table(["FIGURE", "MEASURED", "BOUND", "GATE", "AIM", ""], rows));
    text
}

fn row(figure: &Figure) -> [String; 6] {
    let limit = |limit: &Option<bench::Limit>| limit.map_or_else(String::new, |l| l.to_string());
    let bound = figure.bound.map_or_else(String::new, |bound| {
        let times = bench::times(figure.value, bound);
        format!("{times:.1} × {}", number(bound))
    });
    [
        figure.name.clone(),
        format!("{} {}", number(figure.value), figure.unit)
            .trim()
            .to_owned(),
        bound,
        limit(&figure.gate),
        limit(&figure.aim),
        figure.standing().to_owned(),
    ]
}

#[cfg(test)]
mod tests {
    use super::view;
    use crate::bench::{Figure, Limit, Sheet};
    use crate::cli::print::Paper;

    #[test]
    fn a_figure_stands_beside_its_bound_its_gate_and_its_aim() {
        let mut sheet = Sheet {
            bench: "case",
            ..Sheet::default()
        };
        sheet.under("two cores");
        let figure = Figure::new("case, p50", 4.5, "ms").bound(1.5);
        sheet.add(figure.gate(Limit::AtMost(6.0)).aim(Limit::AtMost(4.0)));
        assert_eq!(
            view(&sheet, &Paper::default()),
            "\
two cores
FIGURE     MEASURED  BOUND       GATE  AIM
case, p50  4.50 ms   3.0 × 1.50  ≤ 6   ≤ 4  within its gate
"
        );
    }
}
