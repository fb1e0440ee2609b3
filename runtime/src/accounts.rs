//! The port through which people get accounts outside of the cluster, where it has such.
//!
//! # Why
//! Who somebody is here is an entry; what a homeserver knows of them follows from it. So whoever
//! had the entry proposed asks for the accounts once it is acknowledged, and may ask again.

use std::future::Future;
use std::pin::Pin;

use rules::id::HumanName;

/// Accounts that are being made; it comes to a sentence for whoever asked.
pub type Making<'a> = Pin<Box<dyn Future<Output = String> + Send + 'a>>;

/// Makes accounts outside of the cluster.
pub trait Accounts: Send + Sync {
    /// Makes those that these people lack, and says what became of it; once more is harmless.
    fn make<'a>(&'a self, people: &'a [HumanName]) -> Making<'a>;
}

/// What there is where no homeserver is set: everybody has the cluster's own account and no other.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoHomeserver;

impl Accounts for NoHomeserver {
    fn make<'a>(&'a self, people: &'a [HumanName]) -> Making<'a> {
        Box::pin(async move {
            let count = people.len();
            format!("no homeserver is set: {count} accounts here, none elsewhere")
        })
    }
}
