//! Rooms: listing and reading them, saying something, and marking what was read.

use super::path::{NoQuery, path};
use super::{Client, ClientError, Lines};
use crate::admin::wire::{
    Done, MarkRead, PostMessage, Posted, RoomEvent, RoomPage, RoomQuery, RoomView, RoomWatchQuery,
};

impl Client {
    /// The rooms that may be entered.
    pub async fn rooms(&self) -> Result<RoomPage, ClientError> {
        self.get(path(&["rooms"], &NoQuery)).await
    }

    /// What was said and done in a room or a thread.
    pub async fn room(&self, room: &str, query: &RoomQuery) -> Result<RoomView, ClientError> {
        self.get(path(&["rooms", room], query)).await
    }

    /// What is said and done there, as it is.
    pub async fn watch_room(
        &self,
        room: &str,
        query: &RoomWatchQuery,
    ) -> Result<Lines<RoomEvent>, ClientError> {
        Lines::open(self, path(&["rooms", room, "watch"], query)).await
    }

    /// Says something.
    pub async fn post_message(
        &self,
        room: &str,
        said: &PostMessage,
        id: &str,
    ) -> Result<Posted, ClientError> {
        self.change(path(&["rooms", room, "posts"], &NoQuery), said, id)
            .await
    }

    /// Marks what was read.
    pub async fn mark_read(
        &self,
        room: &str,
        mark: &MarkRead,
        id: &str,
    ) -> Result<Done, ClientError> {
        self.change(path(&["rooms", room, "read"], &NoQuery), mark, id)
            .await
    }
}
