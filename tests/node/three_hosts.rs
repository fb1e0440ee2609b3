//! README's "Three hosts", word for word, on three hosts with a network between them.

use std::fs;

use lab::readme::{self, Block};
use lab::{Installed, Lab, Net};

/// What README shows of a token that it cannot know.
const UNKNOWN: char = '…';

/// Types a block, and says what the commands printed whose output README shows only in part.
fn follow(
    host: &mut Installed,
    block: &Block,
    known: &[(String, String)],
) -> Vec<(String, String)> {
    let mut learnt = Vec::new();
    for (line, shown) in &block.commands {
        let line = known.iter().fold(line.clone(), |line, (shown, real)| {
            line.replace(shown, real)
        });
        let said = host.type_in(&line);
        let (said, shown) = (said.trim(), shown.trim());
        if let Some((before, after)) = shown.split_once(UNKNOWN) {
            let is_like = said.starts_with(before) && said.ends_with(after);
            assert!(is_like, "`{line}` says {said}, and README {shown}");
            learnt.push((shown.to_owned(), said.to_owned()));
        }
    }
    learnt
}

#[test]
fn three_hosts_are_a_cluster_after_readme_s_very_steps() {
    let lab = Lab::new();
    let mut net = Net::new();
    let names = ["alpha", "beta", "gamma"];
    let hosts = names.map(|name| net.host(name));
    let lines: Vec<String> = (names.iter().zip(&hosts))
        .map(|(name, host)| format!("{} {name}\n", host.address()))
        .collect();
    let [mut alpha, mut beta, mut gamma] = [0, 1, 2]
        .map(|at: usize| Installed::new(&lab, names[at], hosts[at].clone(), &lines.concat()));
    let text = readme::readme();
    let blocks = readme::commands(&text, "Three hosts");
    let [first, others, any] = blocks.as_slice() else {
        panic!("README's three hosts have three blocks of commands: {blocks:#?}");
    };
    assert!(first.lead.contains("`alpha`") && others.lead.contains("`beta`"));

    let token = follow(&mut alpha, first, &[]);
    assert_eq!(token.len(), 1, "the token is shown");
    follow(&mut beta, others, &token);
    let renamed = ("beta".to_owned(), "gamma".to_owned());
    follow(&mut gamma, others, &[renamed, token[0].clone()]);

    let greeters = readme::file(&text, "greeters.yaml").expect("README has a first team");
    fs::write(gamma.home().join("greeters.yaml"), greeters).unwrap();
    let own = readme::commands(&text, "A team and an agent of your own");
    let skill = own.iter().flat_map(|block| &block.commands);
    let skill = skill
        .map(|(line, _)| line)
        .find(|line| line.starts_with("mkdir"));
    gamma.type_in(skill.expect("README makes a skill"));
    follow(&mut gamma, any, &[]);

    for host in [&mut alpha, &mut beta, &mut gamma] {
        host.type_in("export DOMO_SOCKET=/var/lib/domo/admin.sock");
        let case = host.type_in("domo case show c-1 --output json");
        assert!(case.contains("hello, world"), "{case}");
        let nodes = host.type_in("domo node list --output json");
        let nodes: serde_json::Value = serde_json::from_str(&nodes).unwrap();
        let votes = |node: &&serde_json::Value| node["is_voter"] == true && node["health"] == "up";
        let voters = nodes["nodes"]
            .as_array()
            .map(|nodes| nodes.iter().filter(votes).count());
        assert_eq!(voters, Some(3), "{nodes:#}");
    }
}
