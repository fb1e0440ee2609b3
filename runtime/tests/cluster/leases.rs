//! Leases between real ledgers, over real sockets that a test can silence.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use rules::Command;
use rules::Who;
use rules::id::{AttemptId, Epoch, NodeId, TeamName, WorkerId, WorkerName};
use rules::node::Health;
use runtime::clock::Deadline;
use runtime::lease::{Connecting, Guard, LeaseOptions, Leases, Line, Lines, Link};
use runtime::workshop::{Bench, Doing, Ended, Frozen, Job, Workshop};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

use crate::crowd::{Crowd, proposal, until};

/// Who is silenced, and where everybody's leases are.
#[derive(Debug, Default)]
struct Street {
    silenced: Mutex<BTreeSet<NodeId>>,
    leases: Mutex<BTreeMap<NodeId, Leases>>,
}

#[derive(Debug)]
struct Door(NodeId, Arc<Street>);

impl Lines for Door {
    fn connect(&self, to: NodeId) -> Connecting<'_> {
        let (from, street) = (self.0, Arc::clone(&self.1));
        Box::pin(async move {
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            let connecting = TcpStream::connect(listener.local_addr()?);
            let (near, far) = tokio::join!(connecting, listener.accept());
            let wire = |socket| Wire {
                socket,
                ends: [from, to],
                street: Arc::clone(&street),
            };
            let leases = street.leases.lock().unwrap().get(&to).cloned();
            let leases = leases.ok_or(io::ErrorKind::NotConnected)?;
            leases.take(from, Box::new(wire(far?.0)));
            Ok(Box::new(wire(near?)) as Box<dyn Line>)
        })
    }

    fn link(&self, _: NodeId) -> Option<Link> {
        None
    }
}

/// A socket that hears and says nothing while one of its ends is silenced.
struct Wire {
    socket: TcpStream,
    ends: [NodeId; 2],
    street: Arc<Street>,
}

impl Wire {
    fn is_silenced(&self) -> bool {
        let silenced = self.street.silenced.lock().unwrap();
        self.ends.iter().any(|end| silenced.contains(end))
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        let read = Pin::new(&mut self.socket).poll_read(context, into);
        if self.is_silenced() {
            into.set_filled(before);
            return Poll::Pending;
        }
        read
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.is_silenced() {
            return Poll::Ready(Ok(bytes.len()));
        }
        Pin::new(&mut self.socket).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}

/// A workshop with one container, of a worker that no state knows.
#[derive(Debug, Default)]
struct Shed {
    is_frozen: Mutex<bool>,
    is_there: Mutex<bool>,
    told: Mutex<Vec<&'static str>>,
}

impl Shed {
    fn tell(&self, what: &'static str) {
        let mut told = self.told.lock().unwrap();
        if told.last() != Some(&what) {
            told.push(what);
        }
    }

    fn told(&self) -> Vec<&'static str> {
        self.told.lock().unwrap().clone()
    }
}

impl Workshop for Shed {
    fn run<'a>(&'a self, _: &'a Job, _: &'a (dyn Fn() + Send + Sync)) -> Doing<'a, Ended> {
        Box::pin(std::future::pending())
    }

    fn end<'a>(&'a self, _: &'a Bench, _: AttemptId) -> Doing<'a, ()> {
        Box::pin(async { Ok(()) })
    }

    fn attempts<'a>(&'a self, _: &'a Bench) -> Doing<'a, BTreeSet<AttemptId>> {
        Box::pin(async { Ok(BTreeSet::new()) })
    }

    fn rest<'a>(&'a self, _: &'a Bench) -> Doing<'a, ()> {
        Box::pin(async { Ok(()) })
    }

    fn benches(&self) -> Doing<'_, Vec<Bench>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn clear<'a>(&'a self, _: &'a Bench) -> Doing<'a, ()> {
        self.tell("cleared");
        *self.is_there.lock().unwrap() = false;
        Box::pin(async { Ok(()) })
    }

    fn freeze(&self, _: Deadline) -> Doing<'_, Frozen> {
        self.tell("frozen");
        *self.is_frozen.lock().unwrap() = true;
        Box::pin(async { Ok(Frozen::default()) })
    }

    fn frozen(&self) -> Doing<'_, Vec<Bench>> {
        let bench = Bench {
            worker: WorkerId {
                team: TeamName::new("crew").unwrap(),
                name: WorkerName::new("ann").unwrap(),
            },
            epoch: Epoch(7),
        };
        let is_frozen = *self.is_frozen.lock().unwrap() && *self.is_there.lock().unwrap();
        let frozen = is_frozen.then_some(bench).into_iter().collect();
        Box::pin(async { Ok(frozen) })
    }

    fn thaw<'a>(&'a self, _: &'a Bench, _: &'a BTreeSet<AttemptId>) -> Doing<'a, ()> {
        self.tell("thawed");
        Box::pin(async { Ok(()) })
    }
}

struct Host {
    leases: Leases,
    guard: Guard,
    shed: Arc<Shed>,
}

fn host(crowd: &Crowd, street: &Arc<Street>, node: NodeId) -> Host {
    let options = LeaseOptions {
        node,
        incarnation: 1,
        ledger: crowd.ledger(node).clone(),
        lines: Arc::new(Door(node, Arc::clone(street))),
    };
    let leases = Leases::start(options).unwrap();
    street.leases.lock().unwrap().insert(node, leases.clone());
    let shed = Arc::new(Shed::default());
    *shed.is_there.lock().unwrap() = true;
    let guard = leases.isolate(Arc::clone(&shed) as _);
    Host {
        leases,
        guard,
        shed,
    }
}

/// What the Manager does: says what he thinks of nodes, until the state says this of one.
async fn judge_until(crowd: &Crowd, by: (NodeId, &Host), node: NodeId, health: Health) {
    let (leader, host) = by;
    let ledger = crowd.ledger(leader);
    let deadline = Deadline::after(std::time::Duration::from_secs(30));
    loop {
        for opinion in host.leases.opinions() {
            let (node, incarnation) = (opinion.node, opinion.incarnation);
            if opinion.health == Health::Down && !host.leases.condemn(node, incarnation) {
                continue;
            }
            let judge = Command::JudgeNode {
                node,
                incarnation,
                health: opinion.health,
                reason: opinion.reason,
            };
            let term = ledger.status().term;
            let said = ledger.propose(proposal(Who::Manager { term }, judge, None));
            said.await.unwrap().unwrap();
        }
        let found = ledger.read(|state| {
            let node = &state.nodes[&node];
            (node.health, node.health_because.clone())
        });
        if found.0 == health {
            return;
        }
        assert!(!deadline.is_over(), "not {health} but {found:?}");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_cut_off_freezes_before_it_is_down_and_kills_what_was_superseded() {
    let mut crowd = Crowd::of(3).await;
    let street = Arc::new(Street::default());
    let nodes = crowd.nodes();
    let hosts: BTreeMap<NodeId, Host> = nodes
        .iter()
        .map(|node| (*node, host(&crowd, &street, *node)))
        .collect();
    let isolated = || {
        let isolated = hosts.iter().filter(|(_, host)| host.guard.is_isolated());
        isolated
            .map(|(node, host)| (*node, host.leases.status()))
            .collect::<Vec<_>>()
    };
    until(isolated, Vec::is_empty).await;
    let leader = crowd.leader().await;
    let lost = nodes.iter().copied().find(|node| *node != leader).unwrap();
    street.silenced.lock().unwrap().insert(lost);
    crowd.cut_off(lost);
    let cut = &hosts[&lost];
    judge_until(&crowd, (leader, &hosts[&leader]), lost, Health::Suspect).await;
    judge_until(&crowd, (leader, &hosts[&leader]), lost, Health::Down).await;
    assert!(!cut.leases.holds(), "{:?}", cut.leases.status());
    assert!(cut.guard.is_isolated());
    assert_eq!(cut.shed.told(), ["frozen"]);
    crowd.heal(lost);
    street.silenced.lock().unwrap().remove(&lost);
    until(
        || cut.leases.status().trouble,
        |why| {
            why.as_ref()
                .is_some_and(|why| why.contains("holds this node for down"))
        },
    )
    .await;
    assert!(cut.guard.is_isolated(), "it is still called down");
    judge_until(&crowd, (leader, &hosts[&leader]), lost, Health::Up).await;
    until(isolated, Vec::is_empty).await;
    until(|| cut.shed.told(), |told| told == &["frozen", "cleared"]).await;
    for (node, host) in hosts.iter().filter(|(node, _)| **node != lost) {
        assert!(host.shed.told().is_empty(), "{node} was never isolated");
    }
    drop(hosts);
    street.leases.lock().unwrap().clear();
    crowd.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_is_started_again_within_its_lease_freezes_nothing() {
    let crowd = Crowd::of(3).await;
    let street = Arc::new(Street::default());
    let others: Vec<Host> = crowd
        .nodes()
        .into_iter()
        .map(|node| host(&crowd, &street, node))
        .collect();
    for node in crowd.nodes() {
        let again = host(&crowd, &street, node);
        assert!(again.guard.is_isolated(), "before it has a lease");
        until(|| again.leases.status(), |_| !again.guard.is_isolated()).await;
        assert!(again.shed.told().is_empty(), "{:?}", again.shed.told());
    }
    drop(others);
    street.leases.lock().unwrap().clear();
    crowd.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_alone_holds_its_lease_without_asking() {
    let crowd = Crowd::of(1).await;
    let alone = host(&crowd, &Arc::default(), NodeId(1));
    until(|| alone.leases.status(), |_| !alone.guard.is_isolated()).await;
    assert!(alone.leases.opinions().is_empty());
    assert!(alone.shed.told().is_empty());
    drop(alone);
    crowd.close().await;
}
