//! Several ledgers in one process, over links that a test can cut.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "cluster/crowd.rs"]
mod crowd;
#[path = "cluster/leases.rs"]
mod leases;

use std::collections::BTreeSet;
use std::time::Duration;

use rules::duty::Subject;
use rules::id::NodeId;
use rules::node::Role;
use rules::right::Right;
use rules::{Command, Outcome, Rejection, Verdict, Who};
use runtime::audit::verify::Known;
use runtime::ledger::{Ledger, ProposeError};

use crowd::{Crowd, case_count, open_case, proposal, until};

#[tokio::test(flavor = "multi_thread")]
async fn three_nodes_become_voters_and_agree() {
    let crowd = Crowd::of(3).await;
    for node in crowd.nodes() {
        let opened = open_case(crowd.ledger(node), &format!("asked of {node}"), None).await;
        assert!(matches!(opened, Ok(Ok(Outcome::Opened(_)))), "{opened:?}");
    }
    for node in crowd.nodes() {
        let ledger = crowd.ledger(node).clone();
        ledger.linearize().await.unwrap();
        assert_eq!(case_count(&ledger), 3, "on {node}");
    }
    let heads = crowd.nodes().into_iter().map(|node| {
        let ledger = crowd.ledger(node);
        ledger.read(|state| (state.index, state.audit.clone()))
    });
    let heads: Vec<_> = heads.collect();
    assert!(heads.windows(2).all(|two| two[0] == two[1]), "{heads:?}");
    crowd.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_off_leader_acknowledges_nothing_and_another_takes_over() {
    let mut crowd = Crowd::of(3).await;
    let old = crowd.leader().await;
    crowd.cut_off(old);
    let lost = {
        let ledger = crowd.ledger(old).clone();
        tokio::spawn(async move { open_case(&ledger, "into the void", None).await })
    };
    let new = crowd.leader_but(old).await;
    let heard: Result<Verdict, ProposeError> =
        open_case(crowd.ledger(new), "heard", Some("heard-1")).await;
    assert!(matches!(heard, Ok(Ok(_))), "{heard:?}");
    crowd.heal(old);
    let lost = lost.await.unwrap();
    assert!(
        matches!(
            lost,
            Err(ProposeError::Unknown | ProposeError::NoLeader { .. })
        ),
        "{lost:?}"
    );
    let ledger: &Ledger = crowd.ledger(old);
    until(
        || ledger.read(|state| state.cases.len()),
        |cases| *cases == 1,
    )
    .await;
    assert!(!ledger.status().is_leader);
    crowd.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_request_through_two_leaders_happens_once() {
    let mut crowd = Crowd::of(3).await;
    let old = crowd.leader().await;
    let follower = crowd.nodes().into_iter().find(|node| *node != old).unwrap();
    let first = open_case(crowd.ledger(follower), "once", Some("once-1"))
        .await
        .unwrap();
    crowd.cut_off(old);
    let again = open_case(crowd.ledger(follower), "once", Some("once-1"))
        .await
        .unwrap();
    assert_eq!(first, again);
    crowd.heal(old);
    crowd.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_have_happened_is_never_called_undone_though_nobody_leads_in_the_end() {
    let mut crowd = Crowd::of(3).await;
    let leader = crowd.leader().await;
    let asked = crowd.nodes().into_iter().find(|node| *node != leader);
    let asked = asked.unwrap();
    crowd.lose_answers(leader, asked);
    let said = {
        let ledger = crowd.ledger(asked).clone();
        tokio::spawn(async move { open_case(&ledger, "heard", Some("heard-1")).await })
    };
    until(|| case_count(crowd.ledger(leader)), |cases| *cases == 1).await;
    crowd.cut_off(asked);
    let said = said.await.unwrap();
    assert!(matches!(said, Err(ProposeError::Unknown)), "{said:?}");
    crowd.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_away_for_long_is_given_a_snapshot_and_the_closed_cases() {
    let mut crowd = Crowd::of(3).await;
    let leader = crowd.leader().await;
    let away = crowd
        .nodes()
        .into_iter()
        .find(|node| *node != leader)
        .unwrap();
    let gone = crowd.open_on(leader, "closed meanwhile").await;
    until(|| case_count(crowd.ledger(away)), |cases| *cases == 1).await;
    crowd.cut_off(away);
    let mut changes = crowd.changes(away);
    crowd.close_opened(leader, gone).await;
    for number in 0..29 {
        crowd.close_case(leader, &format!("case {number}")).await;
    }
    for number in 0..1400 {
        let opened = open_case(crowd.ledger(leader), &format!("open {number}"), None).await;
        opened.unwrap().unwrap();
    }
    crowd.ledger(leader).snapshot().await.unwrap();
    until(
        || crowd.ledger(leader).status().purged,
        |purged| *purged > 200,
    )
    .await;
    crowd.heal(away);
    let ledger = crowd.ledger(away);
    until(|| case_count(ledger), |cases| *cases == 1400).await;
    until(|| ledger.archive().count(), |cases| *cases == 30).await;
    // The records that the snapshot has jumped over come from the others.
    until(|| ledger.audit().gap(), Option::is_none).await;
    let (count, head) = ledger.read(|state| (state.audit.count, state.audit.head));
    let whose = "the state".to_owned();
    let verified = ledger.audit().verify(&[Known { count, head, whose }]);
    let verified = verified.unwrap();
    assert_eq!((verified.fault, verified.first), (None, 1));
    assert!(verified.heads.len() == 1 && count > 1400, "{count} records");
    assert!(ledger.status().snapshot_index > 0);
    let touched = changes.next().await.unwrap();
    assert!(
        touched.contains(&Subject::Case(gone)),
        "a case that is gone is looked at again"
    );
    crowd.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_that_rotted_where_it_lay_is_made_anew_and_ends_nobody_s_consensus() {
    let mut crowd = Crowd::of(3).await;
    let leader = crowd.leader().await;
    let away = crowd
        .nodes()
        .into_iter()
        .find(|node| *node != leader)
        .unwrap();
    crowd.cut_off(away);
    for number in 0..1200 {
        crowd.open_on(leader, &format!("open {number}")).await;
    }
    // Whoever of them leads by now.
    for node in crowd.nodes().into_iter().filter(|node| *node != away) {
        let ledger = crowd.ledger(node);
        until(|| case_count(ledger), |cases| *cases == 1200).await;
        ledger.snapshot().await.unwrap();
        until(|| ledger.status().purged, |purged| *purged > 100).await;
        let snapshot = std::fs::read_dir(crowd.snapshots(node)).unwrap();
        let snapshot = snapshot.last().unwrap().unwrap().path();
        let mut bytes = std::fs::read(&snapshot).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(&snapshot, bytes).unwrap();
    }
    crowd.heal(away);
    until(|| case_count(crowd.ledger(away)), |cases| *cases == 1200).await;
    crowd.open_on(away, "one more").await;
    crowd.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn leadership_is_handed_over_without_an_error() {
    let crowd = Crowd::of(3).await;
    let old = crowd.leader().await;
    let follower = crowd.nodes().into_iter().find(|node| *node != old).unwrap();
    crowd.ledger(old).hand_over(Some(follower)).await.unwrap();
    for number in 0..50 {
        let opened = open_case(crowd.ledger(old), &format!("case {number}"), None).await;
        assert!(matches!(opened, Ok(Ok(_))), "{opened:?}");
    }
    assert_eq!(crowd.leader().await, follower);
    crowd.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_only_voter_gives_its_place_to_another() {
    let crowd = Crowd::of_whom(2, 1).await;
    let (old, new) = (NodeId(1), NodeId(2));
    crowd.set_role(old, Role::Learner).await;
    assert_eq!(crowd.leader_but(old).await, new);
    for node in [old, new] {
        let voters = || crowd.ledger(node).status().voters;
        until(voters, |voters| *voters == BTreeSet::from([new])).await;
        let opened = open_case(crowd.ledger(node), &format!("asked of {node}"), None).await;
        assert!(matches!(opened, Ok(Ok(Outcome::Opened(_)))), "{opened:?}");
    }
    crowd.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_quorum_nothing_is_acknowledged_and_with_one_all_goes_on() {
    let mut crowd = Crowd::of(3).await;
    let one = NodeId(1);
    for node in crowd.nodes() {
        crowd.cut_off(node);
    }
    let refused = open_case(crowd.ledger(one), "nobody hears it", None).await;
    assert!(refused.is_err(), "{refused:?}");
    for node in crowd.nodes() {
        crowd.heal(node);
    }
    let patience = Duration::from_secs(20);
    let opened = tokio::time::timeout(patience, async {
        loop {
            if let Ok(Ok(opened)) = open_case(crowd.ledger(one), "heard", Some("h")).await {
                return opened;
            }
        }
    });
    assert!(matches!(opened.await, Ok(Outcome::Opened(_))));
    crowd.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_node_speaks_for_another_one() {
    let crowd = Crowd::of(3).await;
    let leader = crowd.leader().await;
    let mut others = crowd.nodes().into_iter().filter(|node| *node != leader);
    let (from, other) = (others.next().unwrap(), others.next().unwrap());
    let say = async |node| {
        let admit = Command::AdmitNode {
            hash: [1; 32],
            name: "a-newcomer".to_owned(),
            key: [9; 32],
        };
        let said = proposal(Who::Node(node), admit, None);
        crowd.ledger(from).propose(said).await.unwrap()
    };
    let refused = say(other).await;
    let Err(Rejection::Denied { right, .. }) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(right, Right::SpeakForNode);
    let own = say(from).await;
    assert!(matches!(own, Ok(Outcome::Admitted(_))), "{own:?}");
    crowd.close().await;
}
