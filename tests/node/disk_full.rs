//! A full disk: what cannot be kept is refused, the node stays up, and goes on when there is room.

use lab::{Engine, Lab, Node, SmallDisk, Team, is_told_once, wait_until};
use std::time::Duration;

/// Room for a ledger, a few cases and the copy of `domo` that boxes run; filled in no time.
const DISK_BYTES: u64 = 512 << 20;
/// The node looks for room by itself.
const RECOVERY_LIMIT: Duration = Duration::from_mins(1);

#[test]
fn a_full_disk_refuses_cases_and_an_emptied_one_takes_them_without_a_restart() {
    let lab = Lab::new();
    let disk = SmallDisk::mount(lab.path(), DISK_BYTES);
    let mut node = Node::start_at(&lab, disk.path().join("n1"), &Engine::Process, &[]);
    node.apply(&Team::of_one(&lab, "crew").yaml()).ok();
    let before = node.submit("crew", "before");
    node.wait_closed(&before);

    disk.fill();
    let text = "a long brief ".repeat(1000);
    let refused = wait_until(RECOVERY_LIMIT, "a case is refused", || {
        let answer = node.domo(&["case", "submit", "--team", "crew", &text]);
        if answer.code == 0 {
            Err(answer.to_string())
        } else {
            Ok::<_, String>(answer)
        }
    });
    assert!(
        refused.stderr.contains("disk") || refused.stderr.contains("room"),
        "{refused}"
    );
    assert!(node.ended().is_none(), "the node stays up:\n{}", node.log());
    assert_eq!(node.domo(&["status"]).code, 0);
    assert_eq!(
        node.case(&before)["status"],
        "closed",
        "what was kept can be read"
    );

    disk.empty();
    let after = wait_until(RECOVERY_LIMIT, "a case is taken again", || {
        let answer = node.domo(&[
            "case", "submit", "--team", "crew", "after", "--output", "json",
        ]);
        if answer.code == 0 {
            Ok(answer)
        } else {
            Err(answer.to_string())
        }
    });
    let after = after.json()["case"].as_str().unwrap_or_default().to_owned();
    is_told_once(&node.wait_closed(&after));
    node.kill();
    node.start_again();
    assert_eq!(node.case(&before)["status"], "closed");
    assert_eq!(node.case(&after)["status"], "closed");
}
