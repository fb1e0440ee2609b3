//! Lists: filters, pages, and cases that are closed while a page is made.

use node::admin::client::ClientError;
use node::admin::wire::{
    ApplyQuery, CancelCase, CaseQuery, CaseStatus, Code, Document, TeamQuery, WorkerQuery,
    WorkerStatus,
};
use rules::attempt::Body;

use super::house::{House, report, team};

#[tokio::test]
async fn open_and_closed_cases_stand_on_one_list_page_by_page() {
    let house = House::open().await;
    house.describe().await;
    for number in 1..=7u64 {
        let id = house.submit(&format!("case {number}")).await;
        if number % 2 == 0 {
            let why = CancelCase::default();
            house
                .client
                .cancel_case(&id.to_string(), &why, &house.id().await)
                .await
                .unwrap();
            house
                .report(
                    id,
                    report(Body::Inline("{}".into()), Body::Inline("x".into())),
                )
                .await;
        }
    }
    let list = async |query: CaseQuery| {
        let mut query = CaseQuery {
            limit: Some(2),
            ..query
        };
        let (mut all, mut pages) = (Vec::new(), 0);
        loop {
            let page = house.client.cases(&query).await.unwrap();
            assert!(page.cases.len() <= 2);
            all.extend(page.cases.into_iter().map(|case| case.id));
            pages += 1;
            match page.next {
                Some(next) => query.after = Some(next),
                None => return (all.join(" "), pages),
            }
        }
    };
    let of = |status: &str| CaseQuery {
        status: Some(status.to_owned()),
        ..CaseQuery::default()
    };
    let (all, pages) = list(CaseQuery::default()).await;
    assert_eq!((all.as_str(), pages), ("c-7 c-6 c-5 c-4 c-3 c-2 c-1", 4));
    assert_eq!(list(of("open")).await.0, "c-7 c-5 c-3 c-1");
    assert_eq!(list(of("cancelled")).await.0, "c-6 c-4 c-2");
    assert_eq!(list(of("closed, open")).await.0, all);
    assert_eq!(list(of("failed,succeeded")).await.0, "");
    let team = |team: &str| CaseQuery {
        team: Some(team.to_owned()),
        ..CaseQuery::default()
    };
    assert_eq!(list(team("sre")).await.0, all);
    assert_eq!(list(team("none")).await.0, "");
    let since = |since: &str| CaseQuery {
        since: Some(since.to_owned()),
        ..CaseQuery::default()
    };
    assert_eq!(list(since("2020-01-01")).await.0, all);
    assert_eq!(list(since("9000-01-01T00:00Z")).await.0, "");
    house.close().await;
}

#[tokio::test]
async fn a_wrong_filter_is_refused_with_what_was_meant() {
    let house = House::open().await;
    let queries = [
        CaseQuery {
            status: Some("runing".to_owned()),
            ..CaseQuery::default()
        },
        CaseQuery {
            since: Some("yesterday".to_owned()),
            ..CaseQuery::default()
        },
        CaseQuery {
            limit: Some(0),
            ..CaseQuery::default()
        },
        CaseQuery {
            limit: Some(1001),
            ..CaseQuery::default()
        },
        CaseQuery {
            team: Some("SRE".to_owned()),
            ..CaseQuery::default()
        },
        CaseQuery {
            after: Some("x".to_owned()),
            ..CaseQuery::default()
        },
    ];
    for query in queries {
        let refused = house.client.cases(&query).await.unwrap_err();
        assert_eq!(refused.code(), Some(Code::Invalid), "{query:?}: {refused}");
    }
    let wrong = WorkerQuery {
        status: Some("bussy".to_owned()),
        ..WorkerQuery::default()
    };
    let refused = house.client.workers(&wrong).await.unwrap_err().to_string();
    assert!(refused.contains("did you mean `busy`?"), "{refused}");
    house.close().await;
}

#[tokio::test]
async fn teams_and_workers_are_listed_in_pages_of_their_names() {
    let house = House::open().await;
    let mut documents = team();
    let Document::Worker(worker) = documents[1].clone() else {
        panic!()
    };
    for number in 0..250 {
        let name = format!("w-{number:03}");
        documents.push(Document::Worker(node::admin::wire::WorkerDocument {
            name,
            ..worker.clone()
        }));
    }
    house
        .client
        .apply(&documents, &ApplyQuery::default(), None)
        .await
        .unwrap();
    let mut query = WorkerQuery {
        team: Some("sre".to_owned()),
        ..WorkerQuery::default()
    };
    for is_of_team in [true, false] {
        query.team = is_of_team.then(|| "sre".to_owned());
        query.after = None;
        let mut names = Vec::new();
        loop {
            let page = house.client.workers(&query).await.unwrap();
            names.extend(page.workers.into_iter().map(|worker| worker.id));
            query.after = page.next;
            if query.after.is_none() {
                break;
            }
        }
        assert_eq!(names.len(), 251);
        assert!(names.is_sorted());
    }
    let homeless = WorkerQuery {
        status: Some("homeless".to_owned()),
        ..WorkerQuery::default()
    };
    assert_eq!(
        house.client.workers(&homeless).await.unwrap().workers.len(),
        100
    );
    house.place().await;
    assert_eq!(house.client.workers(&homeless).await.unwrap().workers, []);
    let shown = house.client.worker("sre", "w-007").await.unwrap();
    assert_eq!(
        (shown.line.status, shown.placed_because.as_deref()),
        (WorkerStatus::Asleep, Some("the only node"))
    );
    let teams = house.client.teams(&TeamQuery::default()).await.unwrap();
    assert_eq!(
        (teams.teams.len(), teams.teams[0].workers, teams.next),
        (1, 251, None)
    );
    let refused = house.client.team("sri").await.unwrap_err();
    assert_eq!(refused.hint().as_deref(), Some("did you mean sre?"));
    house.close().await;
}

#[tokio::test]
async fn the_status_counts_what_is_there_at_once() {
    let house = House::open().await;
    let before = house.client.status().await.unwrap();
    assert_eq!(
        (before.node.name.as_str(), before.node.engine.as_str()),
        ("one", "process: bubblewrap")
    );
    assert_eq!(before.cluster.leader.as_deref(), Some("n-1"));
    assert!(before.ledger.is_writable);
    house.describe().await;
    for number in 1..=3u64 {
        let id = house.submit("x").await;
        let status = house.client.status().await.unwrap();
        assert_eq!(
            (status.cases.open, status.cases.not_closed()),
            (1, number),
            "read your own writes"
        );
        house.plan(id).await;
    }
    let status = house.client.status().await.unwrap();
    assert_eq!(
        (status.teams, status.workers.total, status.workers.busy),
        (1, 1, 1)
    );
    let line = &house
        .client
        .cases(&CaseQuery::default())
        .await
        .unwrap()
        .cases[0];
    assert_eq!(
        (line.status, line.stages, line.live_attempts),
        (CaseStatus::Running, Some(1), 1)
    );
    house.close().await;
}

#[tokio::test]
async fn without_a_daemon_the_client_says_so() {
    let house = House::open().await;
    let client = house.client.clone();
    house.close().await;
    let error = client.status().await.unwrap_err();
    assert!(matches!(error, ClientError::NoDaemon { .. }), "{error:?}");
    assert_eq!(error.exit_code(), 3);
    assert!(!client.socket().exists(), "the socket goes with its daemon");
}
