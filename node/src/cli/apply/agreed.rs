//! The question that is asked before something goes.

use std::io::{BufRead as _, IsTerminal as _, Read as _};

use super::difference;
use crate::admin::wire::Difference;
use crate::cli::console::Console;
use crate::cli::print;
use crate::cli::stop::Stop;

/// An answer that is longer is none.
const LONGEST_ANSWER_BYTES: u64 = 1024;

/// Shows what would go and asks; refuses where nobody can be asked.
pub(super) async fn ask(console: &Console, would: &Difference) -> Result<(), Stop> {
    let printer = console.printer;
    print::note(&difference::removals(would));
    let what = match would.removed {
        1 => "1 thing would be removed".to_owned(),
        count => format!("{count} things would be removed"),
    };
    if !std::io::stdin().is_terminal() || !printer.is_watched() {
        return Err(Stop::mend(
            format!("{what}, and there is no terminal to ask; nothing was changed"),
            "say --yes to remove them without being asked, or --dry-run to see everything first",
        ));
    }
    print::remark(&format!("{what}. Go on? [y/N] "));
    let answer = tokio::task::spawn_blocking(|| {
        let mut answer = String::new();
        let read = std::io::stdin()
            .lock()
            .take(LONGEST_ANSWER_BYTES)
            .read_line(&mut answer);
        read.map(|_| answer)
    });
    let answer = answer
        .await
        .map_err(std::io::Error::other)
        .and_then(|answer| answer);
    match answer {
        Ok(answer) if is_yes(&answer) => Ok(()),
        Ok(_) | Err(_) => Err(Stop::mend("not agreed; nothing was changed", "")),
    }
}

fn is_yes(answer: &str) -> bool {
    matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}

#[cfg(test)]
mod tests {
    use super::is_yes;

    #[test]
    fn only_yes_is_yes() {
        for answer in ["y\n", "YES", " yes "] {
            assert!(is_yes(answer), "{answer}");
        }
        for answer in ["", "\n", "n", "yeah", "ja"] {
            assert!(!is_yes(answer), "{answer}");
        }
    }
}
