//! The words of a brief: which of them may be names, and what they hint at.

use std::collections::BTreeSet;

use super::fault::Cause;

/// More words of a brief are not looked at.
const MAX_WORDS: usize = 5000;
/// Words that say what kind of object the word beside them names.
const KIND_WORDS: [&str; 34] = [
    "pod",
    "pods",
    "po",
    "deployment",
    "deployments",
    "deploy",
    "statefulset",
    "statefulsets",
    "sts",
    "daemonset",
    "daemonsets",
    "ds",
    "replicaset",
    "rs",
    "job",
    "jobs",
    "cronjob",
    "cronjobs",
    "workload",
    "workloads",
    "service",
    "services",
    "svc",
    "node",
    "nodes",
    "pvc",
    "pvcs",
    "claim",
    "volume",
    "namespace",
    "ns",
    "app",
    "application",
    "component",
];
/// Words that stand beside those but name nothing, and words too common to be taken for a part of
/// a name.
const COMMON_WORDS: &str = "a about after again all already also an and any are arent as at available \
    backoff be been before being both broken but by can cannot cant case cases check claims cluster \
    clusters container containers couldnt cpu crash crashes crashing crashloopbackoff created creating \
    customers default describe diagnose did didnt disk do does doesnt dont down during each error errors every \
    evicted fail failed failing fails failure fault faults few find fine first for from get gets \
    getting go goes going hadnt happened happens has hasnt have havent healthy help hour hours how i if image images \
    imagepullbackoff in info instance instances is isnt it its job just keep keeps kubernetes last long \
    look looks loop made many me memory minute minutes more most my name named need needs never \
    new no none not nothing notready now of off on one only oom oomkilled or other our out over \
    people please prod production problem problems process production ready report reports \
    restart restarted restarting restarts right root run running runs scheduled see seems serve \
    several should shouldnt show since slow so some something start started starting starts state status \
    stay stays still stop stopped stops storage stuck system take team tell terminating that the \
    their them then there these they this those time times to today two unavailable unhealthy up \
    us user users wait waiting waits was wasnt we went were werent what when where which who why will with wont \
    work working works wouldnt wrong yesterday yet you your pending";

/// A word of a brief that may be a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// In small letters, without the punctuation around it.
    pub text: String,
    /// Does a word beside it say that it is a name?
    pub is_pointed: bool,
}

impl Word {
    /// Is it built or used like a name rather than like an English word?
    pub fn is_name(&self) -> bool {
        let mut parts = self.text.split('-');
        self.is_pointed
            || (self.text.contains('-') && parts.all(|p| !p.is_empty()) && !is_number(&self.text))
    }

    /// Does it end as pods do, in an ordinal or a hash?
    pub fn has_tail(&self) -> bool {
        let tail = self.text.rsplit('-').next().unwrap_or_default();
        self.text.contains('-')
            && tail.bytes().any(|b| b.is_ascii_digit())
            && self.text.starts_with(|c: char| c.is_ascii_lowercase())
    }
}

/// A date, a time or a version.
fn is_number(word: &str) -> bool {
    word.bytes()
        .all(|b| b.is_ascii_digit() || matches!(b, b'-' | b'.' | b'/'))
}

/// Does the word say what kind of object another word names?
pub fn is_kind(word: &str) -> bool {
    KIND_WORDS.contains(&word)
}

/// The words that may be names.
pub fn words(brief: &str) -> Vec<Word> {
    let inside = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '/' | '_');
    let all: Vec<String> = without_apostrophes(brief)
        .split(|c: char| !inside(c))
        .map(|w| {
            w.trim_matches(|c: char| !c.is_ascii_alphanumeric())
                .to_ascii_lowercase()
        })
        .filter(|w| !w.is_empty())
        .take(MAX_WORDS)
        .collect();
    let common: BTreeSet<&str> = COMMON_WORDS.split_whitespace().collect();
    let kind_at = |i: Option<usize>| i.and_then(|i| all.get(i)).is_some_and(|w| is_kind(w));
    let mut words = Vec::new();
    for (i, text) in all.iter().enumerate() {
        let (before, after) = (kind_at(i.checked_sub(1)), kind_at(Some(i + 1)));
        let space = |at: Option<usize>| {
            at.and_then(|at| all.get(at))
                .is_some_and(|w| matches!(w.as_str(), "namespace" | "ns"))
        };
        let names_default = text == "default" && (space(i.checked_sub(1)) || space(Some(i + 1)));
        let is_word = is_kind(text) || common.contains(text.as_str()) || is_number(text);
        if !is_word || names_default {
            words.push(Word {
                text: text.clone(),
                is_pointed: before || after,
            });
        }
    }
    words
}

/// `won't` as one word, `web's` without its ending: what stands behind an apostrophe is no name.
fn without_apostrophes(brief: &str) -> String {
    /// The longest ending: `'re`, `'ve`, `'ll`.
    const MAX_ENDING: usize = 2;
    let mut parts = brief.split(['\'', '\u{2019}']);
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(part.len());
        let inside_word = text.ends_with(|c: char| c.is_ascii_alphanumeric());
        if inside_word && text.ends_with('n') && &part[..end] == "t" {
            text.push_str(part);
        } else if inside_word && (1..=MAX_ENDING).contains(&end) {
            text.push_str(&part[end..]);
        } else {
            text.push(' ');
            text.push_str(part);
        }
    }
    text
}

const PLACING: [Cause; 12] = [
    Cause::Cordon,
    Cause::Shortage,
    Cause::TooLarge,
    Cause::Taint,
    Cause::Selector,
    Cause::Apart,
    Cause::Spread,
    Cause::Near,
    Cause::HostPort,
    Cause::Volume,
    Cause::Gate,
    Cause::Scheduler,
];

/// What the words of a brief hint at.
pub fn hints(brief: &str) -> BTreeSet<Cause> {
    let text = brief.to_ascii_lowercase();
    let table: [(&[&str], &[Cause]); 9] = [
        (&["pending", "schedul", "no room", "capacity"], &PLACING),
        (
            &["restart", "crash"],
            &[
                Cause::Crash,
                Cause::OutOfMemory,
                Cause::Liveness,
                Cause::Init,
                Cause::Start,
            ],
        ),
        (
            &["oom", "memory"],
            &[Cause::OutOfMemory, Cause::Evicted, Cause::NodePressure],
        ),
        (&["image", "pull", "registry"], &[Cause::Image]),
        (
            &["not ready", "unready", "notready", "probe"],
            &[Cause::Readiness, Cause::Liveness, Cause::NodeDown],
        ),
        (&["evict"], &[Cause::Evicted, Cause::NodePressure]),
        (&["terminating", "delet"], &[Cause::Terminating]),
        (
            &["volume", "pvc", "claim", "storage", "disk", "mount"],
            &[Cause::Volume, Cause::Mount, Cause::NodePressure],
        ),
        (&["quota", "create"], &[Cause::Creation]),
    ];
    let hit = table
        .iter()
        .filter(|(words, _)| words.iter().any(|w| text.contains(w)));
    hit.flat_map(|(_, causes)| causes.iter().copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(brief: &str) -> Vec<String> {
        words(brief).into_iter().map(|w| w.text).collect()
    }

    #[test]
    fn names_are_told_from_words() {
        assert_eq!(names("Pod mse-gateway-0 is Pending."), ["mse-gateway-0"]);
        assert_eq!(names("checkout keeps restarting"), ["checkout"]);
        assert_eq!(
            names("Why are pods in namespace `shop` not ready?"),
            ["shop"]
        );
        assert_eq!(names("pods in the default namespace"), ["default"]);
        assert_eq!(
            names("since 2026-11-22 10:30 all pods are pending"),
            [""; 0]
        );
    }

    #[test]
    fn what_stands_behind_an_apostrophe_is_no_name() {
        assert_eq!(names("the ml pod won't start"), ["ml"]);
        assert_eq!(names("web\u{2019}s pods aren\u{2019}t ready"), ["web"]);
        assert_eq!(names("the pod's image of 'checkout'"), ["checkout"]);
    }

    #[test]
    fn a_word_beside_a_kind_is_a_name() {
        let words = words("the web deployment fails");
        assert!(words.iter().any(|w| w.text == "web" && w.is_pointed));
    }
}
