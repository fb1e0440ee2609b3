//! The limits of the rules, each with its name and its reason.

/// Names: what fits into a DNS label, so that they serve as container and host names too.
pub const MAX_NAME_BYTES: usize = 63;
/// Names of nodes: what a host may be called; short enough to stand in the reason of a placement.
pub const MAX_NODE_NAME_BYTES: usize = 255;
/// Addresses of nodes: the longest host name of DNS and a port.
pub const MAX_ADDRESS_BYTES: usize = 255 + 6;
/// Nodes of the cluster: placement looks at each.
pub const MAX_NODES: usize = 1000;
/// The greatest number of a node; numbers are never used again, so this bounds what is remembered of removed nodes.
pub const MAX_NODE_NUMBER: u64 = 100_000;
/// Voters: more make every entry slower and the cluster no safer in practice.
pub const MAX_VOTERS: usize = 7;
/// Voters that the cluster wants where nobody pins more: the fewest that outlive one of them.
pub const WANTED_VOTERS: usize = 3;
/// Tokens that are good at the same time: one for each host that is being set up.
pub const MAX_TOKENS: usize = 64;
/// The longest life of a token: a week, so that a forgotten one is no open door.
pub const MAX_TOKEN_VALID_MS: u64 = 7 * 24 * 3_600_000;
/// Request ids: two UUIDs and a stamp fit well.
pub const MAX_REQUEST_ID_BYTES: usize = 128;
/// A value in the ledger; what is larger is a blob, so that no entry delays the heartbeats behind it.
pub const MAX_INLINE_BYTES: usize = 16 * 1024;
/// One line for people: a title, a reason, a summary's first sentence.
pub const MAX_LINE_BYTES: usize = 1024;
/// A result's or report's summary: a screen of text.
pub const MAX_SUMMARY_BYTES: usize = 4 * 1024;
/// Documents in one `apply`: as many as fit into one entry.
pub const MAX_DOCUMENTS: usize = 1024;
/// One entry: below a quarter of what a link carries without delaying others.
pub const MAX_ENTRY_BYTES: usize = 256 * 1024;
/// Stages of a plan: more is a program, not a plan that a person can follow.
pub const MAX_STAGES: usize = 256;
/// Attempts of one stage that failed by themselves.
pub const MAX_ATTEMPTS: u32 = 20;
/// Attempts of one stage that were lost with their container or node, which is not the stage's fault.
pub const MAX_LOST: u32 = 8;
/// Attempts of one case in all: bounds what an endless amending and replacing can pile up.
pub const MAX_CASE_ATTEMPTS: u32 = 4096;
/// How often a bad plan is sent back to the butler's agent before the case fails.
pub const MAX_PLAN_REFUSALS: usize = 3;
/// Reasons kept of one refused plan.
pub const MAX_REASONS: usize = 20;
/// Versions of a case's brief.
pub const MAX_BRIEFS: usize = 100;
/// Everything that a case names: attachments, long briefs, results and artifacts; with the largest
/// blob four times over there is room for a day's recordings.
pub const MAX_CASE_BYTES: u64 = 256 << 20;
/// How often a cluster began again: the newest ones are kept.
pub const MAX_BEGINNINGS: usize = 16;
/// Epochs that are left out when a cluster begins again: more than the old one can have given since.
pub const EPOCH_LEAP: u64 = 1_000_000;
/// Everything that a team's open cases name: sixty-four cases of the largest kind, so that no team fills
/// the disks of all.
pub const MAX_TEAM_BYTES: u64 = 16 << 30;
/// Targets of the cluster.
pub const MAX_TARGETS: usize = 1000;
/// Methods that a target says something of: more than HTTP has.
pub const MAX_TARGET_METHODS: usize = 64;
/// Teams that a target is for.
pub const MAX_TARGET_TEAMS: usize = 1000;
/// An effect's key: a case, a stage and a digest fit, and so does the header that carries it.
pub const MAX_EFFECT_KEY_BYTES: usize = 192;
/// Effects of a case: an agent that does more is a loop, and each of them may have to be settled by hand.
pub const MAX_CASE_EFFECTS: usize = 1000;
/// Attachments of a case.
pub const MAX_ATTACHMENTS: usize = 1000;
/// Artifacts of a result.
pub const MAX_ARTIFACTS: usize = 1000;
/// Events that a case keeps of its own history; the ledger has them all.
pub const MAX_HISTORY: usize = 2000;
/// Open cases of the cluster: bounds the state's memory.
pub const MAX_OPEN_CASES: usize = 100_000;
/// Open cases of one team, so that no team takes all the room.
pub const MAX_OPEN_CASES_PER_TEAM: usize = 20_000;
/// Teams of the cluster.
pub const MAX_TEAMS: usize = 20_000;
/// Workers of the cluster.
pub const MAX_WORKERS: usize = 200_000;
/// Workers of one team: a butler looks at each when it looks for a free one.
pub const MAX_WORKERS_PER_TEAM: usize = 1000;
/// Playbooks of one team.
pub const MAX_PLAYBOOKS: usize = 100;
/// Skills of one agent.
pub const MAX_SKILLS: usize = 64;
/// Cores of one agent, in thousandths: a thousand cores are more than a host has.
pub const MAX_AGENT_CPU_MILLI: u64 = 1_000_000;
/// Memory of one agent: 16 TiB, so that even the promises of all workers together are a number.
pub const MAX_AGENT_MEMORY_BYTES: u64 = 16 << 40;
/// Processes and threads of one agent: what a kernel can number.
pub const MAX_AGENT_PIDS: u64 = 4 << 20;
/// Output of one attempt: more than the blobs of a case may hold is of no use.
pub const MAX_AGENT_OUTPUT_BYTES: u64 = 1 << 40;
/// Attempts that one worker runs at once.
pub const MAX_PARALLEL: u32 = 10_000;
/// The longest time limit of a stage or an agent: a week.
pub const MAX_STAGE_LIMIT_MS: u64 = 7 * 24 * 3_600_000;
/// Placements in one entry.
pub const MAX_PLACEMENTS: usize = 256;
/// How long an id is remembered after its request, or after its case is closed: an hour outlasts every client's patience.
pub const REQUEST_MEMORY_MS: u64 = 3_600_000;
/// Request ids that are remembered as long as their case is open; those after them get their hour.
pub const MAX_CASE_REQUESTS: usize = 1000;
/// Remembered ids beyond those of open cases: the oldest go first, so that a flood of requests cannot fill the memory.
pub const MAX_REMEMBERED: usize = 100_000;
/// The longest step of the clock in one entry: a leader ticks far more often, so more is a fault of its clock.
pub const MAX_TICK_MS: u64 = 60_000;
/// Human accounts: four times the people of the largest roster.
pub const MAX_HUMANS: usize = 200_000;
/// Teams of one human.
pub const MAX_HUMAN_TEAMS: usize = 100;
/// Tokens of one human: one for each program that speaks for them.
pub const MAX_HUMAN_TOKENS: usize = 16;
/// The longest life of a human's token: a year, so that a forgotten one ends some day.
pub const MAX_HUMAN_TOKEN_VALID_MS: u64 = 366 * 24 * 3_600_000;
/// Pieces of a roster: with entries of their largest size it holds more people than there may be.
pub const MAX_PIECES: u32 = 128;
/// Rosters of which not all has come, before version 5: as many as people import at the same time.
pub const MAX_STAGED: usize = 4;
/// Those who have each begun to send a roster, since version 5: the largest ones take some 100 MiB.
pub const MAX_STAGERS: usize = 16;
/// How long the rest of a roster is waited for: its pieces follow each other within seconds.
pub const STAGED_MS: u64 = 600_000;
/// Policies of the organisation: each is looked at for each decision that is not remembered.
pub const MAX_POLICIES: usize = 100;
/// Denials in one entry: those who are denied more get one line together.
pub const MAX_DENIALS: usize = 256;
/// Cases whose texts are erased: a state that holds their numbers is some hundred KiB larger.
pub const MAX_ERASED: usize = 100_000;
/// Posts of a room that the state keeps: what a screen shows; older ones are read from the archive.
pub const MAX_KEPT_POSTS: usize = 100;
/// Posts in the thread of a case: beyond it a talk is about something else.
pub const MAX_THREAD_POSTS: usize = 500;
/// Text of a case's thread: a case is held in memory and archived whole.
pub const MAX_THREAD_BYTES: usize = 1 << 20;
/// Names that one post speaks to.
pub const MAX_MENTIONS: usize = 8;
/// Messages to one attempt: more is not steered, it is done anew with a better brief.
pub const MAX_ATTEMPT_MESSAGES: usize = 32;
/// Posts of personas that have an agent act before a person has spoken: two agents that answer each
/// other for ever are stopped here.
pub const MAX_CHAIN: u32 = 10;
/// The time over which a persona's posts are counted.
pub const PACE_MS: u64 = 60_000;
/// Posts of one persona in that time: more is a loop, and nobody reads it.
pub const MAX_PACE_POSTS: u32 = 20;
/// Posts of a room that wait for the Manager: he works them off one after the other.
pub const MAX_UNANSWERED: usize = 16;
/// Rooms in which something was said: those of all teams, and as many between two.
pub const MAX_ROOMS: usize = 40_000;
/// Steps of a chaos plan: more is a program, and nobody could say what of it did harm.
pub const MAX_CHAOS_STEPS: usize = 64;
/// The longest chaos run: whoever wants more begins another one.
pub const MAX_CHAOS_MS: u64 = 3_600_000;
/// How long the nodes have to arm for a chaos run, or to disarm once it is ended; it takes them a second.
pub const CHAOS_ARM_MS: u64 = 30_000;
/// What is kept of what was done: each step on each node of a cluster of the usual size.
pub const MAX_CHAOS_DID: usize = 1000;
/// Read markers of a room: beyond them, those go that are furthest behind, but never the newest.
pub const MAX_MARKS: usize = 1000;
