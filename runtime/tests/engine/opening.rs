//! Which engine is opened, what it says of itself, and what is refused with what to do.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use runtime::clock::boot;
use runtime::engine::{
    BoxLimits, BoxSpec, Confinement, EngineChoice, EngineError, EngineSettings, Image, open,
};

use crate::bench::{Bench, DOMO, Kind, docker_socket, settings, spec};

fn data() -> tempfile::TempDir {
    tempfile::Builder::new().prefix("domo").tempdir().unwrap()
}

fn auto(data: &Path, socket: &Path) -> EngineSettings {
    EngineSettings {
        choice: EngineChoice::Auto,
        docker_socket: socket.to_owned(),
        confinement: None,
        ..settings(Kind::Bubblewrap, data)
    }
}

#[tokio::test]
async fn docker_auto_takes_docker_where_it_answers() {
    let data = data();
    let opened = open(&auto(data.path(), &docker_socket())).await.unwrap();
    assert_eq!(opened.description.engine, "docker");
    assert_eq!(opened.description.confinement, Confinement::Container);
    assert!(
        opened.why.starts_with("Docker answers at "),
        "{}",
        opened.why
    );
    assert!(!opened.description.version.is_empty());
}

#[tokio::test]
async fn auto_takes_processes_where_nothing_answers_and_says_so() {
    let data = data();
    let opened = open(&auto(data.path(), Path::new("/nowhere")))
        .await
        .unwrap();
    assert_eq!(opened.description.confinement, Confinement::Bubblewrap);
    assert!(
        opened.why.contains("no Docker engine answers at /nowhere"),
        "{}",
        opened.why
    );
    assert_eq!(opened.description.weaknesses, Vec::<String>::new());
}

#[tokio::test]
async fn an_engine_that_takes_calls_and_answers_none_is_absent_after_two_seconds() {
    let data = data();
    let socket = data.path().join("docker.sock");
    let _silent = UnixListener::bind(&socket).unwrap();
    let began = boot();
    let opened = open(&auto(data.path(), &socket)).await.unwrap();
    assert_eq!(opened.description.engine, "process");
    assert!(
        boot().since(began) < Duration::from_secs(20),
        "it took too long"
    );
    let only = EngineSettings {
        choice: EngineChoice::Docker,
        ..auto(data.path(), &socket)
    };
    let refused = open(&only).await.unwrap_err();
    assert!(
        matches!(refused, EngineError::Unreachable { .. }),
        "{refused}"
    );
    assert!(refused.is_passing());
}

#[tokio::test]
async fn processes_without_confinement_are_refused_unless_asked_for() {
    let data = data();
    let wanted = EngineSettings {
        unconfined: false,
        ..settings(Kind::Unconfined, data.path())
    };
    let refused = open(&wanted).await.unwrap_err().to_string();
    assert!(
        refused.contains("unconfined: it was not allowed"),
        "{refused}"
    );
    assert!(
        refused.contains("install bubblewrap or Docker"),
        "{refused}"
    );
    let opened = open(&settings(Kind::Unconfined, data.path()))
        .await
        .unwrap();
    assert_eq!(opened.description.confinement, Confinement::Nothing);
    assert!(
        opened
            .description
            .to_string()
            .contains("without any confinement")
    );
}

#[tokio::test]
async fn a_user_of_its_own_that_cannot_reach_its_box_is_found_out_at_the_start() {
    let data = data();
    let closed = std::fs::Permissions::from_mode(0o700);
    std::fs::set_permissions(data.path(), closed).unwrap();
    let refused = open(&settings(Kind::OwnUid, data.path()))
        .await
        .unwrap_err()
        .to_string();
    let expected = format!(
        "own uid: the agents' users cannot pass {}",
        data.path().display()
    );
    assert!(refused.contains(&expected), "{refused}");
}

#[tokio::test]
async fn docker_an_image_that_is_not_there_is_refused_and_not_pulled() {
    let bench = Bench::open(Kind::Docker).await;
    let wanted = BoxSpec {
        image: Image::Named("no-such-image:1".into()),
        ..spec()
    };
    let refused = bench.engine.ensure(&wanted).await.unwrap_err();
    assert!(!refused.is_passing());
    assert!(
        refused.to_string().contains("nothing is ever pulled"),
        "{refused}"
    );
    bench.tidy().await;
}

/// A program for this processor that does nothing but end with code 3.
#[cfg(target_arch = "x86_64")]
fn program_that_ends_at_once() -> Vec<u8> {
    let mut file = b"\x7fELF\x02\x01\x01".to_vec();
    file.resize(16, 0);
    let word = |file: &mut Vec<u8>, number: u64, bytes: usize| {
        file.extend_from_slice(&number.to_le_bytes()[..bytes]);
    };
    // Executable, x86-64, version 1, begins at its 120th byte, program headers at the 64th.
    for (number, bytes) in [
        (2, 2),
        (62, 2),
        (1, 4),
        (0x40_0078, 8),
        (64, 8),
        (0, 8),
        (0, 4),
    ] {
        word(&mut file, number, bytes);
    }
    for number in [64, 56, 1, 0, 0, 0] {
        word(&mut file, number, 2);
    }
    // One part to load, readable and executable: the whole file.
    for (number, bytes) in [(1, 4), (5, 4), (0, 8), (0x40_0000, 8), (0x40_0000, 8)] {
        word(&mut file, number, bytes);
    }
    for number in [132, 132, 0x1000] {
        word(&mut file, number, 8);
    }
    // mov edi, 3; mov eax, 60; syscall: exit(3).
    file.extend(b"\xbf\x03\x00\x00\x00\xb8\x3c\x00\x00\x00\x0f\x05");
    file
}

#[cfg(target_arch = "x86_64")]
#[tokio::test]
async fn docker_an_init_that_ends_at_once_is_found_out() {
    let data = data();
    let domo = data.path().join("no-domo");
    std::fs::write(&domo, program_that_ends_at_once()).unwrap();
    let wanted = EngineSettings {
        domo,
        ..settings(Kind::Docker, data.path())
    };
    let bench = Bench::open_with(Kind::Docker, wanted, data).await;
    for _ in 0..2 {
        let failed = bench.engine.ensure(&spec()).await.unwrap_err();
        assert!(
            failed.to_string().contains("its init ended at once"),
            "{failed}"
        );
        assert!(failed.is_passing());
    }
    bench.tidy().await;
}

#[tokio::test]
async fn what_can_never_work_is_refused_with_what_to_change() {
    let bench = Bench::open(Kind::Bubblewrap).await;
    let small = BoxLimits {
        memory_bytes: 1 << 20,
        ..spec().limits
    };
    let cases = [
        (
            BoxSpec {
                limits: small,
                ..spec()
            },
            "at least 8 MiB",
        ),
        (
            BoxSpec {
                programs: vec!["/no/such".into()],
                ..spec()
            },
            "/no/such is not there",
        ),
        (
            BoxSpec {
                programs: vec!["/".into()],
                ..spec()
            },
            "/ is not shown",
        ),
        (
            BoxSpec {
                programs: vec!["/run".into()],
                ..spec()
            },
            "/run is not shown",
        ),
        (
            BoxSpec {
                programs: vec![bench.data.path().into()],
                ..spec()
            },
            "is not shown",
        ),
        (
            BoxSpec {
                programs: vec!["/usr".into(); 33],
                ..spec()
            },
            "too many",
        ),
    ];
    for (wanted, expected) in cases {
        let refused = bench.engine.ensure(&wanted).await.unwrap_err();
        assert!(matches!(refused, EngineError::Refused { .. }), "{refused}");
        assert!(refused.to_string().contains(expected), "{refused}");
    }
    bench.tidy().await;
}

#[tokio::test]
async fn programs_and_the_gateways_folder_are_shown_to_the_box() {
    for kind in [Kind::Bubblewrap, Kind::Docker] {
        let bench = Bench::open(kind).await;
        let shown = tempfile::tempdir().unwrap();
        std::fs::write(shown.path().join("hello"), "from the host").unwrap();
        let open = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(shown.path(), open).unwrap();
        let wanted = BoxSpec {
            programs: vec![shown.path().to_owned()],
            ..spec()
        };
        let spool = bench.engine.ensure(&wanted).await.unwrap().spool;
        // What is put there later is seen: a daemon that comes again opens its sockets anew.
        std::fs::write(spool.folder().join("gateway/hello"), "from the gateway").unwrap();
        let program = format!("cat:{}/hello", shown.path().display());
        let words = [program.as_str(), "cat:/run/domo/hello"];
        let attempt = bench.order(
            spool,
            "a-1",
            &words,
            runtime::spool::AttemptLimits::default(),
        );
        attempt.exit().await;
        assert_eq!(
            attempt.collect().stdout_text(100),
            "from the host\nfrom the gateway\n"
        );
        bench.tidy().await;
    }
}

/// Runs the bubblewrap tests once more, as someone who is nobody.
#[test]
fn the_same_holds_for_a_daemon_that_is_not_root() {
    let data = data();
    std::fs::set_permissions(data.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
    let copy = |from: &Path, name: &str| {
        let to = data.path().join(name);
        std::fs::copy(from, &to).unwrap();
        to
    };
    let tests = copy(&std::env::current_exe().unwrap(), "tests");
    let domo = copy(Path::new(DOMO), "domo");
    let mut command = Command::new(tests);
    command.args(["bubblewrap::", "--test-threads=1", "--skip", "ordinary"]);
    command
        .env("DOMO_TEST_BINARY", domo)
        .env("TMPDIR", data.path())
        .env("RUST_BACKTRACE", "0");
    command.current_dir(data.path()).uid(65_534).gid(65_534);
    let ran = command.output().unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(
        ran.status.success(),
        "{said}\n{}",
        String::from_utf8_lossy(&ran.stderr)
    );
    assert!(
        said.contains("test result: ok. 3"),
        "too few were run: {said}"
    );
}
