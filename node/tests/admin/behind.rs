//! A node that follows another: what it shows while it is behind, and does when it is alone.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;

use node::admin::client::ClientError;
use node::admin::limits::DoorLimits;
use node::admin::wire::{Code, Consistency, TeamRole};
use rules::human::ADMIN;
use rules::id::{HumanName, NodeId, TokenName};
use rules::{Command, Who};
use runtime::ledger::{Carried, Ledger, Links, NoAnswer, OpenOptions};
use runtime::policy::Policies;
use tokio::sync::watch;

use super::house::{House, PATIENCE, facts, tell, usual};
use super::people::{denied, human, known, open, put};

/// The one that votes, and the one whose socket is asked.
const LEADER: NodeId = NodeId(1);
const FOLLOWER: NodeId = NodeId(2);

/// What carries calls between the two.
#[derive(Debug, Default)]
struct Board {
    ledgers: RwLock<BTreeMap<NodeId, Ledger>>,
    /// Nodes that hear nothing of what the other one says.
    deaf: Mutex<BTreeSet<NodeId>>,
    /// Answers that the follower got.
    answered: watch::Sender<u64>,
}

#[derive(Debug)]
struct Wire(NodeId, Arc<Board>);

impl Links for Wire {
    fn call(&self, to: NodeId, call: Vec<u8>, limit: Duration) -> Carried<'_> {
        let Self(from, board) = self;
        Box::pin(async move {
            let ledger = board.ledgers.read().unwrap().get(&to).cloned();
            let is_deaf = board.deaf.lock().unwrap().contains(&to);
            let ledger = ledger.filter(|_| !is_deaf).ok_or(NoAnswer::NoLink(to))?;
            let answer = tokio::time::timeout(limit, ledger.answer(*from, &call)).await;
            if *from == FOLLOWER {
                board.answered.send_modify(|count| *count += 1);
            }
            answer.ok().flatten().ok_or(NoAnswer::TooLate(to))
        })
    }
}

impl Board {
    fn set(&self, deaf: impl IntoIterator<Item = NodeId>) {
        *self.deaf.lock().unwrap() = deaf.into_iter().collect();
    }
}

/// Two nodes, of whom one votes; people ask the other.
struct Pair {
    board: Arc<Board>,
    leader: Ledger,
    house: House,
    _folder: tempfile::TempDir,
}

async fn ledger(board: &Arc<Board>, folder: &std::path::Path, node: NodeId) -> Ledger {
    let mut options = OpenOptions::new(folder.join("ledger"), node);
    let judge = Policies::new(config::policy::SCHEMA, config::policy::MATRIX);
    options.judge = Arc::new(judge.unwrap());
    let wire = Arc::new(Wire(node, Arc::clone(board)));
    let (ledger, _changes) = Ledger::open_linked(options, wire).await.unwrap();
    board.ledgers.write().unwrap().insert(node, ledger.clone());
    ledger
}

fn root() -> Who {
    Who::Human(HumanName::new(ADMIN).unwrap())
}

impl Pair {
    async fn found(limits: DoorLimits) -> Self {
        let (board, folder) = (Arc::<Board>::default(), tempfile::tempdir().unwrap());
        let leader = ledger(&board, folder.path(), LEADER).await;
        leader.init_single().await.unwrap();
        let beside = tempfile::tempdir().unwrap();
        let follower = ledger(&board, beside.path(), FOLLOWER).await;
        let facts_of = |node, name| Command::JoinNode {
            facts: facts(node, name),
        };
        tell(&leader, Who::Node(LEADER), facts_of(LEADER, "one")).await;
        let hash = [1; 32];
        let mint = Command::MintToken {
            token: TokenName::new("join").unwrap(),
            hash,
            valid_ms: 3_600_000,
        };
        tell(&leader, root(), mint).await;
        let (name, key) = ("two".to_owned(), [2; 32]);
        let admit = Command::AdmitNode { hash, name, key };
        tell(&leader, Who::Node(LEADER), admit).await;
        tell(&leader, Who::Node(FOLLOWER), facts_of(FOLLOWER, "two")).await;
        let house = House::around(beside, follower, limits, BTreeMap::new());
        house
            .until(|state| {
                state
                    .nodes
                    .values()
                    .filter(|node| node.has_joined())
                    .count()
                    == 2
            })
            .await;
        house.describe().await;
        Self {
            board,
            leader,
            house,
            _folder: folder,
        }
    }

    async fn close(self) {
        let follower = self.house.ledger.clone();
        self.house.close().await;
        follower.close().await;
        self.leader.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_lost_the_right_gets_nothing_newer_from_a_node_that_was_behind() {
    let pair = Pair::found(usual()).await;
    put(&pair.house, vec![human("bob", Some(TeamRole::Member))]).await;
    let bob = known(&pair.house, "bob").await;
    let case = open(&bob, "look").await.unwrap();
    bob.case(&case, Consistency::Linearizable).await.unwrap();
    pair.board.set([FOLLOWER]);
    let human = HumanName::new("bob").unwrap();
    tell(&pair.leader, root(), Command::RemoveHuman { human }).await;
    // The follower knows nothing of it: it lets him in, and asks how far it must be.
    let mut answered = pair.board.answered.subscribe();
    let before = *answered.borrow_and_update();
    let asked = tokio::spawn(async move { bob.case(&case, Consistency::Linearizable).await });
    let is_asked = answered.wait_for(|count| *count > before);
    let is_asked = tokio::time::timeout(PATIENCE, is_asked).await;
    is_asked.expect("the follower asks the leader").unwrap();
    assert!(!asked.is_finished(), "it waits until it has caught up");
    pair.board.set([]);
    let refused = denied(asked.await.unwrap());
    assert!(refused.starts_with("no right to read cases"), "{refused}");
    pair.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_that_the_cluster_keeps_is_handed_out_on_the_record_or_to_root_alone() {
    let mut limits = usual();
    // How long a deed waits at most for its record.
    limits.request = Duration::from_secs(3);
    let pair = Pair::found(limits).await;
    let house = &pair.house;
    put(house, vec![human("ada", None)]).await;
    house.make_admin("ada").await;
    let ada = known(house, "ada").await;
    drop(ada.backup(Consistency::Local).await.unwrap());
    pair.board.set([LEADER, FOLLOWER]);
    let Err(ClientError::Refused { refusal }) = ada.backup(Consistency::Local).await else {
        panic!("a backup left off the record");
    };
    assert_eq!(refusal.error.code, Code::NoLeader, "{refusal:?}");
    assert!(
        refusal.error.message.contains("cannot be recorded"),
        "{refusal:?}"
    );
    let export = ada.export_audit().await;
    assert!(matches!(export, Err(ClientError::Refused { .. })));
    drop(house.client.backup(Consistency::Local).await.unwrap());
    pair.board.set([]);
    pair.close().await;
}
