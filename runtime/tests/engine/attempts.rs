//! An attempt from its order to its result, and each way in which it can end.

use runtime::kernel::{AttemptOutcome, CliKernel, FailKind, Kernel};
use runtime::spool::{AttemptLimits, AttemptName, Content, Ending, InFile, Order, Stopped};

use crate::bench::{Attempt, Bench, failure, order_for, processes_with, spec};

pub async fn an_ordered_attempt_runs_once_and_its_result_is_taken(bench: Bench) {
    let result = r#"result:{"version":1,"summary":"all is well","findings":[{"title":"t"}]}"#;
    let attempt = bench
        .run(&["count", "progress:looking", "say:hello", result])
        .await;
    let exit = attempt.exit().await;
    assert_eq!(exit.ending, Ending::Code(0), "{exit:?}");
    assert_eq!(exit.stdout.stored_bytes, 6);
    assert_eq!(attempt.text("count"), "once\n");
    assert_eq!(attempt.spool.progress(&attempt.name, 0).lines, ["looking"]);
    let AttemptOutcome::Succeeded { result } = CliKernel.read(&exit, &attempt.collect()) else {
        panic!("no result")
    };
    assert_eq!(
        (result.summary.as_str(), result.findings.len()),
        ("all is well", 1)
    );
    // Ordered again, by a daemon that does not know that it had been.
    let order = order_for(&attempt.spool, &["count"], AttemptLimits::default());
    attempt.spool.prepare(&attempt.name, &[]).unwrap();
    attempt.spool.order(&attempt.name, &order).unwrap();
    let next = bench.order(
        attempt.spool.clone(),
        "a-2",
        &["say:x"],
        AttemptLimits::default(),
    );
    next.exit().await;
    assert_eq!(attempt.text("count"), "once\n");
    bench.tidy().await;
}

pub async fn an_exit_code_and_a_signal_are_reported_with_the_last_words(bench: Bench) {
    let attempt = bench.run(&["err:the disk is on fire", "exit:3"]).await;
    let exit = attempt.exit().await;
    let (kind, text) = failure(&attempt, &exit);
    assert_eq!(kind, FailKind::ExitCode);
    assert_eq!(text, "ended with exit code 3; it said: the disk is on fire");
    let killed = bench.order(attempt.spool, "a-2", &["kill:9"], AttemptLimits::default());
    let exit = killed.exit().await;
    assert_eq!(exit.ending, Ending::Signal(9));
    assert!(!exit.oom);
    assert_eq!(failure(&killed, &exit).1, "killed by signal 9");
    let absent = order_for(&killed.spool, &[], AttemptLimits::default());
    let absent = Order {
        argv: vec!["/no/such/agent".into()],
        ..absent
    };
    let name = AttemptName::new("a-3").unwrap();
    killed.spool.prepare(&name, &[]).unwrap();
    killed.spool.order(&name, &absent).unwrap();
    let absent = Attempt::at(killed.spool.clone(), name, &bench);
    let exit = absent.exit().await;
    let (kind, text) = failure(&absent, &exit);
    assert_eq!(kind, FailKind::NotStarted);
    assert!(
        text.starts_with("`/no/such/agent` cannot be started: No such file"),
        "{text}"
    );
    bench.tidy().await;
}

pub async fn input_reaches_the_agent_as_the_contract_says(bench: Bench) {
    let spool = bench.engine.ensure(&spec()).await.unwrap().spool;
    let name = AttemptName::new("a-1").unwrap();
    let file = |path: &str, text: &str| InFile {
        path: path.into(),
        content: Content::Bytes(text.into()),
    };
    let files = [
        file("brief.md", "mend it"),
        file("skills/look/SKILL.md", "---\nname: look\n---\n"),
        file("home/.agent/config", "key = 1"),
        file("stdin", "from stdin"),
    ];
    spool.prepare(&name, &files).unwrap();
    let input = spool.inside().input(&name).display().to_string();
    let home = spool.inside().home(&name).display().to_string();
    let words = [
        format!("cat:{input}/brief.md"),
        format!("cat:{home}/.agent/config"),
        "stdin".to_owned(),
        "env:MAJORDOMO_IN".to_owned(),
        "env:MAJORDOMO_OUT".to_owned(),
        "env:HOME".to_owned(),
        "env:MOOD".to_owned(),
    ];
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let mut order = order_for(&spool, &words, AttemptLimits::default());
    order.stdin = Some("stdin".into());
    order.env.insert("MOOD".into(), "good".into());
    spool.order(&name, &order).unwrap();
    let attempt = Attempt::at(spool, name, &bench);
    let exit = attempt.exit().await;
    assert_eq!(
        exit.ending,
        Ending::Code(0),
        "{}",
        attempt.collect().stderr_text(4_096)
    );
    let output = attempt
        .spool
        .inside()
        .output(&attempt.name)
        .display()
        .to_string();
    let said = attempt.collect().stdout_text(4_096);
    let expected = [
        "mend it",
        "key = 1",
        "from stdin",
        &input,
        &output,
        &home,
        "good",
    ];
    assert_eq!(said.lines().collect::<Vec<_>>(), expected);
    let evil = file("../escape", "x");
    let other = AttemptName::new("a-2").unwrap();
    attempt.spool.prepare(&other, &[evil]).unwrap_err();
    bench.tidy().await;
}

pub async fn a_cancel_ends_the_agent_and_everything_that_it_left_behind(bench: Bench) {
    let attempt = bench
        .run(&[
            &format!("behind:{}", bench.word()),
            "ignore-term",
            "write:up:",
            "hang",
        ])
        .await;
    attempt.wrote("up").await;
    attempt.cancel(50);
    let exit = attempt.exit().await;
    assert_eq!(exit.stopped, Some(Stopped::Cancelled));
    assert_eq!(exit.ending, Ending::Signal(9));
    assert!(exit.left_behind >= 1, "{exit:?}");
    no_more_beats(&bench);
    bench.tidy().await;
}

pub async fn what_an_agent_leaves_behind_ends_with_it(bench: Bench) {
    let attempt = bench
        .run(&[
            &format!("behind:{}", bench.word()),
            "result:{\"summary\":\"ok\"}",
        ])
        .await;
    let exit = attempt.exit().await;
    assert!(exit.is_clean() && exit.left_behind == 1, "{exit:?}");
    no_more_beats(&bench);
    bench.tidy().await;
}

/// The exit is written after the last process is gone.
fn no_more_beats(bench: &Bench) {
    assert_eq!(
        processes_with(&format!("beat:{}", bench.word())),
        Vec::<String>::new()
    );
}

pub async fn a_polite_agent_has_its_grace_and_a_cancelled_order_never_starts(bench: Bench) {
    let attempt = bench.run(&["write:up:", "hang"]).await;
    attempt.wrote("up").await;
    let waiting = bench.order(
        attempt.spool.clone(),
        "a-2",
        &["count"],
        AttemptLimits::default(),
    );
    waiting.cancel(0);
    attempt.cancel(60_000);
    let exit = attempt.exit().await;
    assert_eq!(
        exit.ending,
        Ending::Signal(15),
        "it was killed, not asked: {exit:?}"
    );
    let exit = waiting.exit().await;
    assert_eq!(exit.stopped, Some(Stopped::Cancelled));
    assert!(matches!(exit.ending, Ending::NotStarted(_)), "{exit:?}");
    assert!(waiting.collect().files.is_empty());
    bench.tidy().await;
}

pub async fn half_a_result_and_hostile_ones_are_refused_by_name(bench: Bench) {
    let cases: [(&[&str], &str); 7] = [
        (
            &["write:result.json:{\"summary\":\"fi"],
            "result.json ends in the middle",
        ),
        (
            &["link:result.json:/etc/passwd"],
            "result.json is a symbolic link",
        ),
        (&["pipe:result.json"], "result.json is a pipe"),
        (
            &["write:result.json:{\"version\":9,\"summary\":\"x\"}"],
            "says version 9",
        ),
        (&["write:result.json:[]"], "result.json is not a result"),
        (&["write:result.md: "], "result.md says nothing"),
        (&[], "left no result"),
    ];
    let spool = bench.engine.ensure(&spec()).await.unwrap().spool;
    for (at, (words, expected)) in cases.into_iter().enumerate() {
        let name = format!("h-{at}");
        let attempt = bench.order(spool.clone(), &name, words, AttemptLimits::default());
        let exit = attempt.exit().await;
        assert!(exit.is_clean(), "{words:?}: {exit:?}");
        let (_, text) = failure(&attempt, &exit);
        assert!(text.contains(expected), "{words:?}: {text}");
    }
    bench.tidy().await;
}

pub async fn of_a_result_written_twice_the_one_at_the_end_counts(bench: Bench) {
    let words = [
        r#"result:{"summary":"first"}"#,
        "write:half:",
        "await:/dev/null",
        r#"result:{"summary":"second"}"#,
    ];
    let attempt = bench.run(&words).await;
    let exit = attempt.exit().await;
    let AttemptOutcome::Succeeded { result } = CliKernel.read(&exit, &attempt.collect()) else {
        panic!("no result")
    };
    assert_eq!(result.summary, "second");
    bench.tidy().await;
}

pub async fn an_agent_that_forges_its_end_has_ended(bench: Bench) {
    let forged = r#"forge:{"version":1,"ending":{"code":0}}"#;
    let attempt = bench
        .run(&[
            &format!("behind:{}", bench.word()),
            forged,
            "ignore-term",
            "write:up:",
            "hang",
        ])
        .await;
    attempt.wrote("up").await;
    // Half a forged file: nothing is known.
    assert_eq!(attempt.exit().await.ending, Ending::Lost);
    let next = bench.order(
        attempt.spool.clone(),
        "a-2",
        &["say:x"],
        AttemptLimits::default(),
    );
    assert!(next.exit().await.is_clean());
    no_more_beats(&bench);
    let third = bench.order(
        attempt.spool.clone(),
        "a-3",
        &["write:up:", "hang"],
        AttemptLimits::default(),
    );
    third.wrote("up").await;
    third.spool.discard(&third.name).unwrap();
    let last = bench.order(
        attempt.spool.clone(),
        "a-4",
        &["say:x"],
        AttemptLimits::default(),
    );
    assert!(last.exit().await.is_clean());
    bench.tidy().await;
}

pub async fn what_an_agent_plants_for_the_next_attempt_is_thrown_away(bench: Bench) {
    let name = AttemptName::new("a-1").unwrap();
    let spool = bench.engine.ensure(&spec()).await.unwrap().spool;
    let run = spool
        .inside()
        .home(&name)
        .parent()
        .unwrap()
        .parent()
        .unwrap()
        .join("a-2");
    let planted = format!("link:../a-2:{}", spool.inside().input(&name).display());
    let marked = format!("plant:{}", run.display());
    let attempt = bench.order(spool, "a-1", &[&marked, &planted], AttemptLimits::default());
    let exit = attempt.exit().await;
    let may_plant = !nix::unistd::geteuid().is_root();
    assert_eq!(exit.is_clean(), may_plant, "{exit:?}");
    let words = ["count", r#"result:{"summary":"mine"}"#];
    let next = bench.order(
        attempt.spool.clone(),
        "a-2",
        &words,
        AttemptLimits::default(),
    );
    assert!(next.exit().await.is_clean(), "{:?}", next.observe());
    assert_eq!(next.text("count"), "once\n");
    bench.tidy().await;
}
