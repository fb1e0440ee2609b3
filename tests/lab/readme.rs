//! What README tells people to type, read out of it, so that the text and what is tried are one.

use std::fs;

use super::folder::root;

/// A block of commands, with what stands before it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Block {
    /// The paragraph before it.
    pub lead: String,
    /// The commands, without their prompt, each with the output that is shown below it.
    pub commands: Vec<(String, String)>,
}

/// README's text.
///
/// # Panics
/// When it is not there.
pub fn readme() -> String {
    fs::read_to_string(root().join("README.md")).expect("README.md stands in the workspace")
}

/// The blocks of commands of the section of this title, in their order.
pub fn commands(text: &str, title: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut lead = String::new();
    let mut fence: Option<String> = None;
    for line in section(text, title) {
        match (line.strip_prefix("```"), fence.as_deref()) {
            (Some(_), Some(_)) => fence = None,
            (Some(kind), None) => {
                if kind == "console" {
                    let lead = std::mem::take(&mut lead);
                    blocks.push(Block {
                        lead,
                        commands: Vec::new(),
                    });
                }
                fence = Some(kind.to_owned());
            }
            (None, Some("console")) => {
                let block = blocks.last_mut().expect("its fence began it");
                add(block, line);
            }
            (None, Some(_)) => {}
            (None, None) if line.is_empty() => {}
            (None, None) => line.clone_into(&mut lead),
        }
    }
    blocks
}

fn add(block: &mut Block, line: &str) {
    match (line.strip_prefix("$ "), block.commands.last_mut()) {
        (Some(command), _) => block.commands.push((command.to_owned(), String::new())),
        (None, Some((_, shown))) => {
            shown.push_str(line);
            shown.push('\n');
        }
        (None, None) => {}
    }
}

/// The file that the text shows under this name: a block whose first line is `# NAME`.
pub fn file(text: &str, name: &str) -> Option<String> {
    let mark = format!("\n# {name}\n");
    let (_, rest) = text.split_once(&mark)?;
    Some(rest.split_once("\n```")?.0.to_owned())
}

fn section<'a>(text: &'a str, title: &str) -> impl Iterator<Item = &'a str> {
    let heading = format!("## {title}");
    let lines = text.lines().skip_while(move |line| *line != heading);
    lines.skip(1).take_while(|line| !line.starts_with("## "))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "## A\n\nno\n\n## B\n\nOn one, `x`:\n\n```console\n$ go --far\nfar-…\n$ stop\n```\n\nElse:\n\n```yaml\n# a.yaml\nkind: team\nname: b\n```\n\n## C\n```console\n$ never\n```\n";

    #[test]
    fn commands_are_those_of_their_section_with_what_they_show() {
        let blocks = commands(TEXT, "B");
        assert_eq!(blocks.len(), 1);
        assert_eq!(blocks[0].lead, "On one, `x`:");
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(
            blocks[0].commands,
            [pair("go --far", "far-…\n"), pair("stop", "")]
        );
    }

    #[test]
    fn a_file_is_the_block_with_its_name() {
        assert_eq!(file(TEXT, "a.yaml").unwrap(), "kind: team\nname: b");
        assert_eq!(file(TEXT, "b.yaml"), None);
    }
}
