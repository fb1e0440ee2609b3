//! The name of a wish: its request id, with which it can be repeated safely.

use clap::Args;

use crate::admin::client::{Client, ClientError};

/// The flag of every verb that changes something.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Wish {
    /// Repeats an earlier request: its answer is given again, and nothing is done twice
    #[arg(long, value_name = "ID")]
    pub(crate) request_id: Option<String>,
}

impl Wish {
    /// The given id, or a new one that carries the ledger's time.
    pub(crate) async fn id(&self, client: &Client) -> Result<String, ClientError> {
        match &self.request_id {
            Some(id) => Ok(id.clone()),
            None => client.request_id().await,
        }
    }
}
