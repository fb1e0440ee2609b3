//! S2: what an agent has, sees and reaches, probed from inside of every box.

use std::collections::BTreeMap;

use lab::{Engine, Lab, Node, Stage, Team, Worker, evidence};

in_both_engines!(an_agent_is_alone_with_its_folder_and_has_no_rights);

fn an_agent_is_alone_with_its_folder_and_has_no_rights(engine: &Engine) {
    let lab = Lab::new();
    let node = Node::start(&lab, engine);
    let secret = lab.file("secret.txt", "the crown jewels");
    let stage = Stage::new("work", "hand")
        .deed("probe")
        .deed("env")
        .deed("read /etc/shadow")
        .deed(&format!("read {}", secret.display()))
        .deed(&format!("read {}", node.socket().display()));
    let team = Team::new(&lab, "crew")
        .worker(Worker::new("hand"))
        .stage(stage);
    node.apply(&team.yaml()).ok();
    let case = node.wait_closed(&node.submit("crew", "look around"));
    let seen: BTreeMap<String, String> = evidence(&case, "work", "probe")
        .iter()
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let is = |name: &str| seen.get(name).map_or("", String::as_str);

    for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
        assert_eq!(is(set).trim_matches('0'), "", "{set} in {seen:#?}");
    }
    assert_eq!((is("NoNewPrivs"), is("Seccomp")), ("1", "2"), "{seen:#?}");
    assert!(!is("Uid").split(' ').any(|uid| uid == "0"), "{seen:#?}");
    for place in ["root_writable", "etc_writable", "in_writable"] {
        assert_eq!(is(place), "false", "{place}");
    }
    for reached in ["loopback_ssh_reached", "outside_reached"] {
        assert_eq!(is(reached), "false", "{reached}");
    }
    assert_eq!((is("sockets"), is("others")), ("", ""), "{seen:#?}");
    assert_eq!(is("interfaces"), "lo", "{seen:#?}");
    for space in ["mnt", "pid", "net", "ipc", "uts"] {
        let own = std::fs::read_link(format!("/proc/self/ns/{space}")).unwrap_or_default();
        assert_ne!(
            is(&format!("ns_{space}")),
            own.to_string_lossy(),
            "{space} is the host's"
        );
    }

    let secret_read = format!("read {}", secret.display());
    for read in [
        "read /etc/shadow",
        &secret_read,
        &format!("read {}", node.socket().display()),
    ] {
        let said = evidence(&case, "work", read).join("");
        assert!(said.starts_with("refused"), "{read}: {said}");
    }
    let env = evidence(&case, "work", "env");
    let is_the_daemons = |line: &&String| {
        ["DOMO_", "CARGO", "RUST"]
            .iter()
            .any(|own| line.starts_with(own))
    };
    assert_eq!(env.iter().find(is_the_daemons), None, "{env:#?}");
}
