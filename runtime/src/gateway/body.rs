//! Bodies on their way: a request's, taken in whole within its limit, and an answer's, passed on
//! piece by piece.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body as _, Bytes, Frame, Incoming, SizeHint};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::AbortHandle;
use tokio::time::{Sleep, sleep, timeout};

use super::bounds::{Bounds, ROOM_UNIT_BYTES};
use super::refusal::{Code, Refusal};

/// What breaks a body off.
pub(super) type Broken = Box<dyn std::error::Error + Send + Sync>;
/// The body of an answer to an agent.
pub(super) type Body = UnsyncBoxBody<Bytes, Broken>;

/// A body that is at hand.
pub(super) fn whole(text: impl Into<Bytes>) -> Body {
    let body = Full::new(text.into());
    UnsyncBoxBody::new(body.map_err(|never| match never {}))
}

/// A request's body with its share of the room for all of them.
pub(super) struct TakenIn {
    pub(super) bytes: Bytes,
    _room: Vec<OwnedSemaphorePermit>,
}

/// Takes a request's body in.
pub(super) async fn take_in(
    mut body: Incoming,
    bounds: &Bounds,
    room: &Arc<Semaphore>,
) -> Result<TakenIn, Refusal> {
    let over = || Refusal::limit("gateway.body_bytes", bounds.body_bytes);
    if body.size_hint().lower() > bounds.body_bytes {
        return Err(over());
    }
    let (mut bytes, mut places) = (Vec::new(), Vec::new());
    loop {
        let frame = match timeout(bounds.standstill, body.frame()).await {
            Ok(Some(Ok(frame))) => frame,
            Ok(None) => break,
            Ok(Some(Err(error))) => {
                let why = format!("the body broke off: {error}");
                return Err(Refusal::new(Code::BadRequest, why));
            }
            Err(_) => return Err(Refusal::new(Code::BadRequest, "the body stood still")),
        };
        // Trailers are not carried.
        let Ok(piece) = frame.into_data() else {
            continue;
        };
        if (bytes.len() + piece.len()) as u64 > bounds.body_bytes {
            return Err(over());
        }
        let units = (piece.len() as u64).div_ceil(ROOM_UNIT_BYTES);
        let units = u32::try_from(units).unwrap_or(u32::MAX);
        let place = Arc::clone(room).try_acquire_many_owned(units);
        places
            .push(place.map_err(|_| Refusal::limit("gateway.bodies_bytes", bounds.bodies_bytes))?);
        bytes.extend_from_slice(&piece);
    }
    Ok(TakenIn {
        bytes: bytes.into(),
        _room: places,
    })
}

/// Ends what drives a connection to a target, when whoever needs it is gone.
pub(super) struct Driven(pub(super) AbortHandle);

impl Drop for Driven {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A target's answer, passed on as it comes.
pub(super) struct Passed {
    body: Incoming,
    standstill: Duration,
    still: Pin<Box<Sleep>>,
    /// Comes when the line is to be cut.
    cut: Cut,
    /// Called once the last piece was handed on.
    at_end: Option<AtEnd>,
    _driven: Driven,
}

/// Comes when a line is to be cut.
pub(super) type Cut = Pin<Box<dyn Future<Output = ()> + Send>>;
/// What is called at the end of a body.
pub(super) type AtEnd = Box<dyn FnOnce() + Send>;

impl Passed {
    /// Passes `body` on until it is cut, and calls `at_end` when all of it was handed on.
    pub(super) fn on(
        body: Incoming,
        driven: Driven,
        standstill: Duration,
        cut: Cut,
        at_end: Option<AtEnd>,
    ) -> Body {
        let mut passed = Self {
            body,
            standstill,
            still: Box::pin(sleep(standstill)),
            cut,
            at_end,
            _driven: driven,
        };
        passed.look_for_end();
        UnsyncBoxBody::new(passed)
    }

    fn look_for_end(&mut self) {
        if self.body.is_end_stream()
            && let Some(at_end) = self.at_end.take()
        {
            at_end();
        }
    }
}

impl hyper::body::Body for Passed {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        if self.cut.as_mut().poll(context).is_ready() {
            let why = "its attempt is not current any more, or its node has no lease";
            return Poll::Ready(Some(Err(why.into())));
        }
        match Pin::new(&mut self.body).poll_frame(context) {
            Poll::Ready(Some(Ok(frame))) => {
                let standstill = self.standstill;
                self.still.as_mut().set(sleep(standstill));
                self.look_for_end();
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(None) => {
                if let Some(at_end) = self.at_end.take() {
                    at_end();
                }
                Poll::Ready(None)
            }
            Poll::Ready(Some(Err(error))) => Poll::Ready(Some(Err(error.into()))),
            Poll::Pending => self
                .still
                .as_mut()
                .poll(context)
                .map(|()| Some(Err("the target's answer stood still".into()))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
