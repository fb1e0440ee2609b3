//! Faults that are made on purpose.

use hyper::Method;

use super::path::{NoQuery, path};
use super::{Asked, Client, ClientError};
use crate::admin::wire::{OrderManager, Ordered};

impl Client {
    /// Does something to the Manager of the node that is asked. Done twice, it is done again.
    pub async fn order_manager(&self, wish: &OrderManager) -> Result<Ordered, ClientError> {
        let asked = Asked::new(Method::POST, path(&["chaos", "manager"], &NoQuery)).json(wish)?;
        self.connections.answer(&asked).await
    }
}
