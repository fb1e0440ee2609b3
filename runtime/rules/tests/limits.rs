//! Limits hold, and what reaches one is told which.

#[path = "limits/cluster.rs"]
mod cluster;
#[path = "limits/people.rs"]
mod people;

use cluster::{Cluster, amend, brief, limit, name, playbook, sam, worker};
use rules::attempt::{AttemptOutcome, Body};
use rules::case::{Attachment, Report};
use rules::command::Request;
use rules::human::TeamRole;
use rules::id::{AttemptId, BlobRef, CaseId, RequestId, WorkerId};
use rules::limits;
use rules::roster::{self, HumanSpec};
use rules::verdict::Outcome;
use rules::{Command, Who};

#[test]
fn a_team_has_so_many_open_cases_and_no_more() {
    let mut cluster = Cluster::new();
    for _ in 0..limits::MAX_OPEN_CASES_PER_TEAM {
        cluster.open().unwrap();
    }
    let max = limits::MAX_OPEN_CASES_PER_TEAM;
    assert_eq!(
        cluster.open(),
        Err(limit("max_open_cases_per_team", max)),
        "one more than the limit"
    );
}

/// A case with one file of the largest size that a case may have.
fn heavy(number: u64) -> Command {
    let mut sha256 = [0; 32];
    sha256[..8].copy_from_slice(&number.to_le_bytes());
    let blob = BlobRef {
        sha256,
        bytes: limits::MAX_CASE_BYTES,
    };
    Command::OpenCase {
        team: Some(name("sre")),
        title: "a recording".to_owned(),
        brief: brief("look"),
        attachments: vec![Attachment {
            path: "recording".to_owned(),
            blob,
        }],
        playbook: None,
    }
}

#[test]
fn a_team_s_open_cases_name_so_many_bytes_until_one_of_them_is_closed() {
    let mut cluster = Cluster::new();
    let most = limits::MAX_TEAM_BYTES / limits::MAX_CASE_BYTES;
    for number in 0..most {
        assert!(cluster.sam(heavy(number)).verdict.is_ok(), "{number}");
    }
    let max = usize::try_from(limits::MAX_TEAM_BYTES).unwrap();
    let refused = cluster.sam(heavy(most)).verdict;
    assert_eq!(refused, Err(limit("max_team_bytes", max)));
    // What names no more than before is no matter of room.
    let case = CaseId(1);
    assert!(cluster.open().is_ok());
    assert_eq!(cluster.sam(amend(case)).verdict, Ok(Outcome::Done));
    let reason = "over".to_owned();
    cluster.sam(Command::CancelCase { case, reason });
    let text = || Body::Inline("{}".to_owned());
    let report = Report {
        summary: String::new(),
        root_cause: None,
        recommendation: None,
        impact: None,
        document: text(),
        markdown: text(),
    };
    let report = Command::ReportCase {
        case,
        generation: cluster.state.cases[&case].generation,
        report: Box::new(report),
    };
    let said = cluster.says(cluster.butler(), report);
    assert_eq!(said.verdict, Ok(Outcome::Done));
    assert!(cluster.sam(heavy(most)).verdict.is_ok(), "there is room");
}

#[test]
fn fifty_thousand_people_who_come_in_pieces_are_one_change() {
    let mut cluster = Cluster::new();
    let person = |number: u32| HumanSpec {
        name: name(&format!("person{number}")),
        display: None,
        employee: Some(name(&number.to_string())),
        teams: std::iter::once((name("sre"), TeamRole::Member)).collect(),
    };
    let pieces = roster::in_pieces((0..50_000).map(person).collect(), [7; 32]);
    assert!(pieces.len() > 1, "they fit into no entry");
    let revisions = |cluster: &Cluster| {
        let people = &cluster.state.people;
        (people.revision, people.revision_of(Some(&name("sre"))))
    };
    let before = revisions(&cluster);
    let last = pieces.len() - 1;
    for (number, (put, piece)) in pieces.into_iter().enumerate() {
        assert_eq!(revisions(&cluster), before);
        assert_eq!(
            cluster.state.people.humans.len(),
            0,
            "nobody is there before all are"
        );
        let said = cluster.sam(Command::PutHumans { put, piece });
        if number < last {
            assert_eq!(said.verdict, Ok(Outcome::Done));
        } else {
            let created = 50_000;
            assert_eq!(
                said.verdict,
                Ok(Outcome::Applied {
                    created,
                    changed: 0,
                    unchanged: 0,
                    removed: 0
                })
            );
        }
    }
    let after = revisions(&cluster);
    assert_eq!(
        (after.0, after.1),
        (before.0, before.1 + 1),
        "the team's roles, once"
    );
}

#[test]
fn a_brief_has_so_many_versions_and_no_more() {
    let mut cluster = Cluster::new();
    let case = cluster.open().unwrap();
    for _ in 1..limits::MAX_BRIEFS {
        assert_eq!(cluster.sam(amend(case)).verdict, Ok(Outcome::Done));
    }
    let refused = cluster.sam(amend(case)).verdict;
    assert_eq!(refused, Err(limit("max_briefs", limits::MAX_BRIEFS)));
}

#[test]
fn a_case_has_so_many_attempts_and_then_its_stage_fails() {
    let mut cluster = Cluster::new();
    let case = cluster.open().unwrap();
    cluster.plan(case);
    let worker: WorkerId = name("sre/hand");
    for _ in 0..limits::MAX_CASE_ATTEMPTS {
        assert!(cluster.state.cases[&case].ending.is_none());
        let (worker, reason) = (worker.clone(), "it hangs".to_owned());
        cluster.sam(Command::ReplaceWorker { worker, reason });
    }
    let case = &cluster.state.cases[&case];
    assert_eq!(case.attempts.len(), limits::MAX_CASE_ATTEMPTS as usize);
    assert_eq!(
        case.ending_reason.as_deref(),
        Some("stage look failed: the case has used all its 4096 attempts")
    );
    let history = &case.history;
    assert!(history.events.len() <= limits::MAX_HISTORY, "it is bounded");
    assert_eq!(history.events[0].what.to_string(), "opened");
    assert!(history.dropped > 0, "and says what it dropped");
}

#[test]
fn a_case_without_attempts_left_ends_also_when_its_stage_waited_in_line() {
    let mut cluster = Cluster::new();
    let [spent, other] = [(); 2].map(|()| cluster.open().unwrap());
    cluster.plan(spent);
    for _ in 1..limits::MAX_CASE_ATTEMPTS {
        let (worker, reason) = (name("sre/hand"), "it hangs".to_owned());
        cluster.sam(Command::ReplaceWorker { worker, reason });
    }
    cluster.sam(amend(spent));
    cluster.plan(other);
    cluster.plan(spent);
    assert!(cluster.state.cases[&spent].ending.is_none());
    let (case, reason) = (other, "enough".to_owned());
    cluster.sam(Command::CancelCase { case, reason });
    assert_eq!(
        cluster.state.cases[&spent].ending_reason.as_deref(),
        Some("stage look failed: the case has used all its 4096 attempts")
    );
}

#[test]
fn a_team_has_so_many_playbooks_and_each_can_still_be_changed() {
    let mut cluster = Cluster::new();
    let called: Vec<String> = (0..=limits::MAX_PLAYBOOKS)
        .map(|n| format!("p{n}"))
        .collect();
    let mut put = |names: &[String]| {
        let put = names.iter().map(|name| playbook(name)).collect();
        let remove = Vec::new();
        let described = cluster.sam(Command::ApplyDocuments { put, remove });
        described.verdict.map(|_| ())
    };
    let max = limits::MAX_PLAYBOOKS;
    assert_eq!(put(&called), Err(limit("max_playbooks", max)));
    for _ in 0..2 {
        assert_eq!(
            put(&called[..max]),
            Ok(()),
            "the second time nothing is new"
        );
    }
    assert_eq!(put(&called[max..]), Err(limit("max_playbooks", max)));
}

#[test]
fn a_team_has_so_many_workers_and_each_can_still_be_changed() {
    let mut cluster = Cluster::new();
    let max = limits::MAX_WORKERS_PER_TEAM;
    let called: Vec<String> = (1..=max).map(|n| format!("w{n}")).collect();
    let mut put = |names: &[String]| {
        let put = names.iter().map(|name| worker(name)).collect();
        let remove = Vec::new();
        let described = cluster.sam(Command::ApplyDocuments { put, remove });
        described.verdict.map(|_| ())
    };
    assert_eq!(put(&called), Err(limit("max_workers_per_team", max)));
    for _ in 0..2 {
        assert_eq!(put(&called[1..]), Ok(()), "the second time nothing is new");
    }
    assert_eq!(put(&called), Err(limit("max_workers_per_team", max)));
}

#[test]
fn a_case_keeps_so_many_request_ids_and_the_others_get_their_hour() {
    let mut cluster = Cluster::new();
    let case = cluster.open().unwrap();
    for at in 0..2 * limits::MAX_CASE_REQUESTS {
        let id = RequestId::new(&format!("r-{at}")).unwrap();
        let request = Some(Request { id, digest: 7 });
        let reason = "wait".to_owned();
        let command = if at % 2 == 0 {
            Command::PauseCase { case, reason }
        } else {
            Command::ResumeCase { case }
        };
        let heard = cluster.hears(request, 0, sam(), command);
        assert_eq!(heard.verdict, Ok(Outcome::Done));
    }
    let case = &cluster.state.cases[&case];
    assert_eq!(case.requests.len(), limits::MAX_CASE_REQUESTS);
}

#[test]
fn a_result_that_breaks_a_limit_leaves_the_attempt_as_it_is() {
    let mut cluster = Cluster::new();
    let case = cluster.open().unwrap();
    cluster.plan(case);
    let worker = Who::Worker {
        worker: name("sre/hand"),
        epoch: cluster.state.workers[&name("sre/hand")].epoch,
    };
    let finish = |summary: String| Command::FinishAttempt {
        attempt: AttemptId { case, number: 1 },
        outcome: AttemptOutcome::Succeeded(rules::attempt::StageResult {
            summary,
            document: Body::Inline("{}".to_owned()),
            artifacts: Vec::new(),
        }),
    };
    let max = limits::MAX_SUMMARY_BYTES;
    let refused = cluster.says(worker.clone(), finish("x".repeat(max + 1)));
    assert_eq!(refused.verdict, Err(limit("max_summary_bytes", max)));
    let taken = cluster.says(worker, finish("x".repeat(max)));
    assert_eq!(taken.verdict, Ok(Outcome::Done));
    let report = Report {
        summary: "x".repeat(max + 1),
        root_cause: None,
        recommendation: None,
        impact: None,
        document: Body::Inline("{}".to_owned()),
        markdown: Body::Inline(String::new()),
    };
    let command = Command::ReportCase {
        case,
        generation: 1,
        report: Box::new(report),
    };
    let refused = cluster.says(cluster.butler(), command);
    assert_eq!(refused.verdict, Err(limit("max_summary_bytes", max)));
}
