//! What the command line consists of: nouns, and under each its verbs.

use super::console::Console;
use super::stop::Stop;

/// A verb: its arguments, and what it does with them.
pub(crate) trait Verb {
    /// Does it.
    async fn run(self, console: &Console) -> Result<(), Stop>;
}

/// A noun, as the list of its verbs: one verb, one line.
macro_rules! noun {
    ($(#[$attribute:meta])* $noun:ident { $($verb:ident($arguments:ty),)+ }) => {
        $(#[$attribute])*
        #[derive(clap::Subcommand, Debug)]
        pub(crate) enum $noun {
            $($verb($arguments),)+
        }

        impl $crate::cli::verb::Verb for $noun {
            async fn run(
                self,
                console: &$crate::cli::console::Console,
            ) -> Result<(), $crate::cli::stop::Stop> {
                match self {
                    $(Self::$verb(verb) => verb.run(console).await,)+
                }
            }
        }
    };
}
pub(crate) use noun;
