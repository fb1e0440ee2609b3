//! The Docker engine goes away in the middle and comes back.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use runtime::clock::Deadline;
use runtime::engine::{BoxEvent, EngineSettings, Ensured, Phase, open};
use runtime::spool::{AttemptLimits, Ending, Stopped};

use crate::bench::{Attempt, Bench, Kind, LIMIT, processes_with, settings, spec, wait_until};

/// A Docker engine of this test alone.
struct Dockerd {
    home: tempfile::TempDir,
    child: Option<Child>,
    keeps_containers: bool,
}

impl Dockerd {
    async fn start(keeps_containers: bool) -> Dockerd {
        let home = tempfile::Builder::new()
            .prefix("dockerd")
            .tempdir()
            .unwrap();
        let mut dockerd = Dockerd {
            home,
            child: None,
            keeps_containers,
        };
        dockerd.go().await;
        dockerd
    }

    fn socket(&self) -> PathBuf {
        self.home.path().join("d.sock")
    }

    async fn go(&mut self) {
        wait_until("dockerd answers", || {
            let has_ended = |child: &mut Child| child.try_wait().unwrap().is_some();
            if self.child.as_mut().is_none_or(has_ended) {
                // The first after a kill may find its containerd dying, and give up.
                self.child = Some(self.spawn());
            }
            answers(&self.socket()).then_some(())
        })
        .await;
    }

    fn spawn(&self) -> Child {
        let at = |name: &str| self.home.path().join(name).display().to_string();
        let log = std::fs::File::create(at("log")).unwrap();
        let mut command = Command::new("dockerd");
        command.args(["--data-root", &at("root"), "--exec-root", &at("exec")]);
        command.args([
            "--pidfile",
            &at("pid"),
            "-H",
            &format!("unix://{}", at("d.sock")),
        ]);
        command.args(["--bridge=none", "--iptables=false", "--ip6tables=false"]);
        if self.keeps_containers {
            command.arg("--live-restore");
        }
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        command
            .spawn()
            .expect("dockerd cannot be started: install docker.io")
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(self.child.as_ref().unwrap().id().try_into().unwrap())
    }

    fn end(&mut self, signal: Signal) {
        kill(self.pid(), signal).unwrap();
        self.child.take().unwrap().wait().unwrap();
    }
}

impl Drop for Dockerd {
    /// Ends everything that was started here, and undoes its mounts, also after a failure.
    fn drop(&mut self) {
        if self.child.is_some() {
            let _ = kill(self.pid(), Signal::SIGCONT);
            self.end(Signal::SIGTERM);
        }
        let home = self.home.path().display().to_string();
        for line in processes_with(&home) {
            let pid = line.split(':').next().unwrap().parse().unwrap();
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
        let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap();
        let points = mounts.lines().filter_map(|line| line.split(' ').nth(1));
        let mut points: Vec<&str> = points.filter(|point| point.starts_with(&home)).collect();
        points.sort_unstable();
        for point in points.into_iter().rev() {
            let _ = nix::mount::umount2(point, nix::mount::MntFlags::MNT_DETACH);
        }
    }
}

/// Does it accept a connection and speak HTTP?
fn answers(socket: &Path) -> bool {
    use std::io::{Read, Write};
    let Ok(mut stream) = std::os::unix::net::UnixStream::connect(socket) else {
        return false;
    };
    let mut said = [0; 12];
    let asked = stream.write_all(b"GET /_ping HTTP/1.0\r\n\r\n");
    asked.and_then(|()| stream.read_exact(&mut said)).is_ok() && said.ends_with(b"200")
}

async fn bench_on(dockerd: &Dockerd) -> Bench {
    let data = tempfile::Builder::new().prefix("domo").tempdir().unwrap();
    let socket = dockerd.socket();
    let settings = EngineSettings {
        docker_socket: socket,
        ..settings(Kind::Docker, data.path())
    };
    Bench::open_with(Kind::Docker, settings, data).await
}

async fn next(events: &mut tokio::sync::broadcast::Receiver<BoxEvent>, wanted: &BoxEvent) {
    let heard = async { while events.recv().await.unwrap() != *wanted {} };
    tokio::time::timeout(LIMIT, heard)
        .await
        .unwrap_or_else(|_| panic!("no news of {wanted:?}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_that_dies_with_its_engine_is_lost_and_the_box_goes_on() {
    let mut dockerd = Dockerd::start(false).await;
    let bench = bench_on(&dockerd).await;
    let mut events = bench.engine.events();
    let attempt = bench.run(&["count", "ignore-term", "hang"]).await;
    attempt.wrote("count").await;
    // Killed, not asked: the containers run on, and are ended by the engine that comes after.
    dockerd.end(Signal::SIGKILL);
    next(&mut events, &BoxEvent::Lost).await;
    let gone = bench.engine.ensure(&spec()).await.unwrap_err();
    assert!(gone.is_passing(), "{gone}");
    assert!(bench.engine.list().await.unwrap_err().is_passing());
    dockerd.go().await;
    next(&mut events, &BoxEvent::Regained).await;
    let state = bench.engine.ensure(&spec()).await.unwrap();
    assert_ne!(state.ensured, Ensured::Created);
    if state.ensured == Ensured::Started {
        let exit = attempt.exit().await;
        let is_said = exit.ending == Ending::Lost || exit.stopped == Some(Stopped::BoxStopped);
        assert!(is_said, "{exit:?}");
    } else {
        attempt.cancel(0);
        attempt.exit().await;
    }
    let after = bench.order(state.spool, "a-2", &["say:x"], AttemptLimits::default());
    assert!(after.exit().await.is_clean());
    assert_eq!(attempt.text("count"), "once\n");
    bench.tidy().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_goes_on_where_the_engine_keeps_its_containers() {
    let mut dockerd = Dockerd::start(true).await;
    let bench = bench_on(&dockerd).await;
    let attempt = bench
        .run(&["count", "await:go", r#"result:{"summary":"done"}"#])
        .await;
    attempt.wrote("count").await;
    dockerd.end(Signal::SIGTERM);
    std::fs::write(attempt.spool.out_folder(&attempt.name).join("go"), "").unwrap();
    // The exit is in the spool, engine or not.
    assert!(attempt.exit().await.is_clean());
    dockerd.go().await;
    let state = bench.engine.ensure(&spec()).await.unwrap();
    assert_eq!(state.ensured, Ensured::Adopted);
    let after = bench.order(state.spool, "a-2", &["say:x"], AttemptLimits::default());
    assert!(after.exit().await.is_clean());
    bench.tidy().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_engine_holds_no_attempt_up() {
    let dockerd = Dockerd::start(false).await;
    let bench = bench_on(&dockerd).await;
    let attempt = bench
        .run(&["write:up:", "await:go", r#"result:{"summary":"done"}"#])
        .await;
    attempt.wrote("up").await;
    kill(dockerd.pid(), Signal::SIGSTOP).unwrap();
    let next = bench.order(
        attempt.spool.clone(),
        "a-2",
        &["say:x"],
        AttemptLimits::default(),
    );
    std::fs::write(attempt.spool.out_folder(&attempt.name).join("go"), "").unwrap();
    assert!(attempt.exit().await.is_clean());
    assert!(next.exit().await.is_clean());
    kill(dockerd.pid(), Signal::SIGCONT).unwrap();
    bench.tidy().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn boxes_are_frozen_and_thawed_though_their_engine_hangs() {
    let dockerd = Dockerd::start(false).await;
    let bench = bench_on(&dockerd).await;
    let attempt = bench
        .run(&["write:up:", "await:go", r#"result:{"summary":"done"}"#])
        .await;
    attempt.wrote("up").await;
    kill(dockerd.pid(), Signal::SIGSTOP).unwrap();
    let until = Deadline::after(Duration::from_secs(10));
    let frozen = bench.engine.freeze_all(until).await.unwrap();
    assert_eq!(frozen.halted, [spec().id], "{frozen:?}");
    assert_eq!(bench.engine.frozen().await.unwrap().len(), 1);
    bench.engine.thaw(&spec().id, &[]).await.unwrap();
    std::fs::write(attempt.spool.out_folder(&attempt.name).join("go"), "").unwrap();
    assert!(attempt.exit().await.is_clean());
    kill(dockerd.pid(), Signal::SIGCONT).unwrap();
    bench.tidy().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_removed_by_hand_is_made_again_and_its_attempt_is_lost() {
    let bench = Bench::open(Kind::Docker).await;
    let attempt = bench.run(&["count", "hang"]).await;
    attempt.wrote("count").await;
    let socket = crate::bench::docker_socket();
    let names = format!(
        "name={}",
        attempt
            .spool
            .folder()
            .file_name()
            .unwrap()
            .to_string_lossy()
    );
    let docker = |arguments: &[&str]| {
        let mut command = Command::new("docker");
        let ran = command
            .arg("-H")
            .arg(format!("unix://{}", socket.display()))
            .args(arguments);
        String::from_utf8(ran.output().expect("docker is not installed").stdout).unwrap()
    };
    let id = docker(&["ps", "-q", "--filter", &names]);
    docker(&["rm", "-f", id.trim()]);
    let listed = bench.engine.list().await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].phase, Phase::Stopped);
    let state = bench.engine.ensure(&spec()).await.unwrap();
    assert_eq!(state.ensured, Ensured::Created);
    let again = Attempt::at(state.spool, attempt.name.clone(), &bench);
    assert_eq!(again.exit().await.ending, Ending::Lost);
    assert_eq!(again.text("count"), "once\n");
    let reopened = open(&settings(Kind::Docker, bench.data.path()))
        .await
        .unwrap();
    assert_eq!(reopened.engine.list().await.unwrap().len(), 1);
    bench.tidy().await;
}
