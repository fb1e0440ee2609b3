//! The spool against everything that an agent may have left in it, and what a power cut leaves.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::time::Duration;

use runtime::spool::{
    AttemptLimits, AttemptName, AttemptObserved, CONTRACT_VERSION, Content, Ending, Exit, InFile,
    Inside, Order, Owner, Spool, SpoolError,
};

/// How long a hint may take before it is taken for lost.
const LIMIT: Duration = Duration::from_mins(1);

fn spool() -> (tempfile::TempDir, Spool, AttemptName) {
    let home = tempfile::tempdir().expect("a temporary folder");
    let owner = Owner {
        uid: nix::unistd::geteuid().as_raw(),
        gid: nix::unistd::getegid().as_raw(),
    };
    let spool = Spool::lay_out(home.path().join("box"), owner, Inside::own_root());
    let spool = spool.expect("a new folder can be laid out");
    let name = AttemptName::new("a-1").expect("a plain name");
    spool
        .prepare(&name, &[])
        .expect("a new attempt can be prepared");
    (home, spool, name)
}

fn order() -> Order {
    Order {
        version: CONTRACT_VERSION,
        argv: vec!["agent".into()],
        env: [].into(),
        stdin: None,
        limits: AttemptLimits::default(),
        is_alongside: false,
        gateway: None,
    }
}

#[test]
fn names_are_single_plain_components() {
    for bad in [
        "",
        ".",
        "..",
        "a/b",
        "A",
        "a b",
        "a.b",
        "ä",
        &"x".repeat(41),
    ] {
        AttemptName::new(bad).unwrap_err();
        serde_json::from_value::<AttemptName>(bad.into()).unwrap_err();
    }
    assert_eq!(AttemptName::new("c-1-2").unwrap().as_str(), "c-1-2");
}

#[test]
fn an_attempt_goes_through_its_states_and_each_step_may_be_repeated() {
    let (_home, spool, name) = spool();
    let is_ordered = |is_ordered| AttemptObserved::NotStarted { is_ordered };
    assert_eq!(spool.observe(&name).unwrap(), is_ordered(false));
    for _ in 0..2 {
        spool.order(&name, &order()).unwrap();
        spool.prepare(&name, &[]).unwrap();
        assert_eq!(spool.observe(&name).unwrap(), is_ordered(true));
    }
    fs::write(spool.run_folder(&name).join("started.json"), "{}").unwrap();
    assert_eq!(spool.observe(&name).unwrap(), AttemptObserved::Running);
    let exit = spool.lose(&name).unwrap();
    assert_eq!(exit.ending, Ending::Lost);
    assert_eq!(
        spool.observe(&name).unwrap(),
        AttemptObserved::Exited(exit.clone())
    );
    assert_eq!(spool.lose(&name).unwrap(), exit);
    assert_eq!(spool.attempts().unwrap(), std::slice::from_ref(&name));
    for _ in 0..2 {
        spool.discard(&name).unwrap();
        assert_eq!(spool.attempts().unwrap(), []);
    }
}

#[test]
fn half_an_order_is_none_and_is_written_again() {
    let (_home, spool, name) = spool();
    for half in ["", "{\"version\":1,\"argv\":[", "\0\0\0\0"] {
        fs::write(spool.in_folder(&name).join("order.json"), half).unwrap();
        let observed = spool.observe(&name).unwrap();
        assert_eq!(
            observed,
            AttemptObserved::NotStarted { is_ordered: false },
            "{half:?}"
        );
    }
    spool.order(&name, &order()).unwrap();
    let observed = spool.observe(&name).unwrap();
    assert_eq!(observed, AttemptObserved::NotStarted { is_ordered: true });
}

#[test]
fn an_exit_that_the_agent_spoilt_says_nothing() {
    for spoilt in ["", "{}", "[]", "{\"version\":1}"] {
        let (_home, spool, name) = spool();
        spool.order(&name, &order()).unwrap();
        fs::write(spool.run_folder(&name).join("exit.json"), spoilt).unwrap();
        let lost = AttemptObserved::Exited(Exit::bare(Ending::Lost));
        assert_eq!(spool.observe(&name).unwrap(), lost, "{spoilt:?}");
    }
    let (home, spool, name) = spool();
    spool.order(&name, &order()).unwrap();
    let secret = home.path().join("secret");
    fs::write(
        &secret,
        serde_json::to_vec(&Exit::bare(Ending::Code(0))).unwrap(),
    )
    .unwrap();
    symlink(&secret, spool.run_folder(&name).join("exit.json")).unwrap();
    let lost = AttemptObserved::Exited(Exit::bare(Ending::Lost));
    assert_eq!(spool.observe(&name).unwrap(), lost, "a link was followed");
}

#[test]
fn input_lands_below_its_folder_or_nowhere() {
    let (_home, spool, _) = spool();
    let name = AttemptName::new("a-2").unwrap();
    let file = |path: &str| InFile {
        path: path.into(),
        content: Content::Bytes(b"x".into()),
    };
    for bad in [
        "",
        "/etc/x",
        "../x",
        "a/../../x",
        "./x",
        "order.json",
        "cancel.json",
    ] {
        let refused = spool.prepare(&name, &[file(bad)]).unwrap_err();
        assert!(
            matches!(refused, SpoolError::BadPath { .. }),
            "{bad}: {refused}"
        );
    }
    spool
        .prepare(&name, &[file("attachments/a/b.json")])
        .unwrap();
    let written = spool.in_folder(&name).join("attachments/a/b.json");
    let mode = fs::metadata(&written).unwrap().permissions().mode();
    assert_eq!(
        (fs::read(written).unwrap(), mode & 0o777),
        (b"x".to_vec(), 0o644)
    );
}

#[test]
fn only_plain_files_of_the_agent_are_collected_and_the_rest_is_named() {
    let (home, spool, name) = spool();
    let out = spool.out_folder(&name);
    fs::create_dir_all(out.join("artifacts/deep")).unwrap();
    fs::write(out.join("artifacts/deep/a.txt"), "inside").unwrap();
    fs::write(home.path().join("secret"), "secret").unwrap();
    symlink(home.path(), out.join("way-out")).unwrap();
    symlink(home.path().join("secret"), out.join("artifacts/secret")).unwrap();
    nix::unistd::mkfifo(&out.join("pipe"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    let _socket = UnixListener::bind(out.join("socket")).unwrap();
    fs::write(out.join(std::ffi::OsStr::from_bytes(b"\xff\xfe")), "").unwrap();
    fs::write(out.join("line\nbreak"), "").unwrap();
    fs::create_dir_all(out.join(vec!["d"; 40].join("/"))).unwrap();
    fs::File::create(out.join("sparse"))
        .unwrap()
        .set_len(1 << 40)
        .unwrap();
    let collected = spool.collect(&name).unwrap();
    let files: Vec<(&str, u64)> = collected
        .files
        .iter()
        .map(|file| (file.path.as_str(), file.bytes))
        .collect();
    assert_eq!(files, [("artifacts/deep/a.txt", 6), ("sparse", 1 << 40)]);
    let mut why: Vec<&str> = collected
        .skipped
        .iter()
        .map(|left| left.why.as_str())
        .collect();
    why.sort_unstable();
    let expected = [
        "it is a pipe",
        "it is a socket",
        "it is a symbolic link",
        "it is a symbolic link",
        "it is too deep",
        "its name is not printable UTF-8",
        "its name is not printable UTF-8",
    ];
    assert_eq!(why, expected, "{:?}", collected.skipped);
    for path in [
        "way-out/secret",
        "artifacts/secret",
        "../../secret",
        "/etc/passwd",
        "pipe",
        "",
    ] {
        collected.open(path).unwrap_err();
    }
    let refused = collected.read("sparse", 1_000).unwrap_err().to_string();
    assert!(refused.contains("at most 1000 are read"), "{refused}");
    assert_eq!(collected.read("absent", 1_000).unwrap(), None);
}

#[test]
fn a_file_of_someone_else_is_no_result() {
    assert!(
        nix::unistd::geteuid().is_root(),
        "only root can give files away"
    );
    let (_home, spool, name) = spool();
    let path = spool.out_folder(&name).join("result.json");
    fs::write(&path, r#"{"summary":"x"}"#).unwrap();
    std::os::unix::fs::chown(&path, Some(12_345), None).unwrap();
    let collected = spool.collect(&name).unwrap();
    let refused = collected
        .result(&Exit::bare(Ending::Code(0)))
        .unwrap_err()
        .to_string();
    assert!(refused.contains("a file of another owner"), "{refused}");
    assert_eq!(collected.files, []);
}

#[test]
fn a_folder_of_countless_files_is_listed_to_its_limit_and_removed_whole() {
    let (_home, spool, name) = spool();
    let out = spool.out_folder(&name);
    for number in 0..12_000 {
        fs::write(out.join(number.to_string()), "").unwrap();
    }
    let collected = spool.collect(&name).unwrap();
    assert_eq!(collected.files.len(), 10_000);
    assert_eq!(
        collected.skipped[0].why,
        "there are more entries than are listed"
    );
    spool.discard(&name).unwrap();
    assert!(!out.exists());
}

#[tokio::test]
async fn a_watch_tells_of_an_exit_and_of_progress_and_can_be_many() {
    let (_home, spool, name) = spool();
    spool.order(&name, &order()).unwrap();
    let watcher = runtime::spool::SpoolWatcher::new();
    let (first, second) = (
        watcher.attempt(&spool, &name),
        watcher.attempt(&spool, &name),
    );
    let (run, out) = (spool.run_folder(&name), spool.out_folder(&name));
    fs::write(out.join("progress.log"), "looking\n").unwrap();
    assert!(first.changed_within(LIMIT).await && second.changed_within(LIMIT).await);
    assert_eq!(spool.progress(&name, 0).lines, ["looking"]);
    fs::write(
        run.join(".new"),
        serde_json::to_vec(&Exit::bare(Ending::Code(0))).unwrap(),
    )
    .unwrap();
    fs::rename(run.join(".new"), run.join("exit.json")).unwrap();
    assert!(first.changed_within(LIMIT).await);
    drop(first);
    assert!(second.changed_within(LIMIT).await);
    fs::write(out.join("progress.log"), "on\n").unwrap();
    assert!(
        second.changed_within(LIMIT).await,
        "the one that ended took the other's hints along"
    );
    assert!(matches!(
        spool.observe(&name).unwrap(),
        AttemptObserved::Exited(_)
    ));
}
