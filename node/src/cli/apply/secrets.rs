//! What looks like a secret in documents and the files that they name: told, and left as it is.
//!
//! # Why
//! A SOUL, a skill or a playbook that was altered unasked would not be what its author wrote, and what
//! looks like a secret is often an example. So whoever applies them is told where it stands.

use config::document::Loaded;
use runtime::redact;

/// Places that are told one by one: whoever looks at so many looks at the rest.
const MOST_TOLD: usize = 20;

/// What to tell whoever applies them, a line for each place.
pub(super) fn told(loaded: &[Loaded]) -> Vec<String> {
    let files = loaded.iter().flat_map(|loaded| &loaded.bundle.files);
    let mut told: Vec<String> = files
        .flat_map(|(file, bytes)| {
            let found = std::str::from_utf8(bytes).map(redact::found);
            let found = found.unwrap_or_default().into_iter();
            found.map(move |(line, kind)| format!("{file}:{line}: it looks like a {kind}"))
        })
        .collect();
    if told.is_empty() {
        return told;
    }
    if told.len() > MOST_TOLD {
        let more = told.len() - MOST_TOLD;
        told.truncate(MOST_TOLD);
        told.push(format!("and {more} more places like these"));
    }
    let why = "documents and their files are kept and handed to agents as they are; what an agent \
               needs to get in somewhere is the secret of a target (`domo secret set`)";
    told.push(why.to_owned());
    told
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use config::document::Bundle;

    use super::*;

    fn of(files: &[(&str, &str)]) -> Vec<String> {
        let bytes = |text: &str| std::sync::Arc::from(text.as_bytes());
        let files = files.iter();
        let files: BTreeMap<_, _> = files
            .map(|(file, text)| ((*file).to_owned(), bytes(text)))
            .collect();
        told(&[Loaded {
            documents: Vec::new(),
            bundle: Bundle {
                documents: Vec::new(),
                files,
            },
        }])
    }

    #[test]
    fn a_secret_in_a_soul_a_skill_or_a_playbook_is_told_with_its_place() {
        let told = of(&[
            (
                "playbooks/a.yaml",
                "kind: playbook\nbrief: 密码：Tr0ub4dor!3\n",
            ),
            (
                "skills/look/SKILL.md",
                "curl -H 'Authorization: Bearer abcdef0123456789abcdef'",
            ),
            (
                "souls/w.md",
                "You are w.\n\nYour password=hunter2! is good.\n",
            ),
            ("souls/x.md", "The password: see the vault.\n"),
        ]);
        assert_eq!(
            told[..3],
            [
                "playbooks/a.yaml:2: it looks like a password",
                "skills/look/SKILL.md:1: it looks like a bearer token",
                "souls/w.md:3: it looks like a password",
            ]
        );
        assert_eq!(told.len(), 4, "{told:?}");
        assert!(of(&[("souls/x.md", "You are x.\n")]).is_empty());
    }

    #[test]
    fn a_file_full_of_them_does_not_fill_the_screen() {
        let text = "token=a1b2c3d4\n".repeat(500);
        assert_eq!(of(&[("souls/w.md", &text)]).len(), MOST_TOLD + 2);
    }
}
