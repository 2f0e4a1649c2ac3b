//! `/api/admin/events/stream`: every event once and in order, as it happens.

use std::time::Duration;

use actix_web::{
    HttpRequest, HttpResponse,
    body::BodyStream,
    http::{
        Method, StatusCode,
        header::{self, HeaderName},
    },
    web::{Bytes, Data},
};
use deserr::Deserr;
use futures_util::{Stream, stream};
use latchkey_domain::EventId;
use latchkey_ports::EntropyExt as _;
use latchkey_service::{EventStream, InstancePermit, ReadEvents};
use tokio::{
    task::yield_now,
    time::{Instant, sleep},
};
use utoipa::IntoParams;

use super::{body::EventBody, export_format::ExportFormat};
use crate::{
    context::Context,
    error::ApiError,
    error_body::Detail,
    event_streams::OpenStream,
    extract::{Authorized, Client, Problems, Query, text::Parsed},
    limits::guarded,
    response::ApiResult,
};

/// How often a byte is written at least, so that neither proxies nor the server take the client for one that is gone.
const SIGN_OF_LIFE_EVERY: Duration = Duration::from_secs(10);
/// How often the credentials are checked at least; they are checked at every change, too.
const CHECK_EVERY: Duration = Duration::from_secs(15);
/// How soon events that are not settled are asked for again.
const ASK_AGAIN_AFTER: Duration = Duration::from_millis(100);
/// The content type of JSON objects in lines.
pub(super) const JSON_LINES: &str = "application/x-ndjson";
/// Tells nginx to pass on each line at once.
pub(super) const BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Where a stream begins, and whether it ends.
#[derive(Debug, Deserr, IntoParams)]
#[deserr(error = Problems)]
#[into_params(parameter_in = Query)]
pub(crate) struct EventStreamQuery {
    /// The id of the last event that the client has; without it, the stream begins with the oldest event.
    #[deserr(default)]
    #[param(value_type = Option<u64>, example = 1)]
    after: Option<Parsed<u64>>,
    /// `false`: the stream ends with the newest event in place of waiting for more.
    #[deserr(default)]
    #[param(value_type = Option<bool>, example = false)]
    follow: Option<Parsed<bool>>,
}

/// Follow the events of the instance.
///
/// One JSON object for each event and line, oldest first: every event once, in the order of ids, as soon as no lower id can appear.
/// A blank line comes every 10 seconds. The stream ends when the server stops and when the caller loses the right to read it; a
/// client that names the last id in `after` goes on where it was. Imported events, with ids below 0, are not among them.
#[utoipa::path(get, path = "/api/admin/events/stream", responses(
    (status = 200, description = "The events.", body = EventBody<'_>, content_type = "application/x-ndjson"),
    (status = 400, description = "Or `after` is above the id of every event: the database was restored, or is another one."),
    (status = 503, description = "Or as many streams are open as `limits.event_streams` allows."),
))]
pub(crate) async fn stream_events(
    Authorized(permit): Authorized<InstancePermit<ReadEvents>>,
    query: Query<EventStreamQuery>,
    request: HttpRequest,
    context: Data<Context>,
) -> ApiResult {
    let EventStreamQuery { after, follow } = query.read()?;
    // No event has a number that does not fit.
    let after = after.map_or(0, |Parsed(after)| i64::try_from(after).unwrap_or(i64::MAX));
    let events = context.use_cases.audit_trail.stream(&permit, EventId(after)).await?;
    let Some(events) = events else {
        let problem = "There is no event with this id: the database was restored, or is another one. Begin without `after`.";
        return Err(ApiError::BadInput(vec![Detail::of_query("after", problem)]));
    };
    let mut response = HttpResponse::Ok();
    response
        .insert_header((header::CONTENT_TYPE, JSON_LINES))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((BUFFERING, "no"));
    if *request.method() == Method::HEAD {
        return Ok(response.body(BodyStream::new(stream::empty::<ApiResult<Bytes>>())));
    }
    let open = context.event_streams.open().ok_or(ApiError::TooManyEventStreams)?;
    let now = Instant::now();
    let is_endless = follow.is_none_or(|Parsed(follow)| follow);
    let following =
        Following { events, request, context, open, is_endless, checked_at: now, written_at: now };
    Ok(response.body(BodyStream::new(Box::pin(following.lines()))))
}

/// A stream on its way to the client.
struct Following {
    events: EventStream,
    request: HttpRequest,
    context: Data<Context>,
    open: OpenStream,
    is_endless: bool,
    checked_at: Instant,
    written_at: Instant,
}

impl Following {
    /// Returns the body in portions. The status has been sent when one fails, so the connection is closed then, and the client
    /// goes on after the last event that it has.
    fn lines(self) -> impl Stream<Item = ApiResult<Bytes>> {
        stream::try_unfold(self, |mut following| async move {
            let next = following.next().await;
            let next = next.inspect_err(|error| error.log(following.context.entropy.uuid()))?;
            Ok(next.map(|bytes| (bytes, following)))
        })
    }

    async fn next(&mut self) -> ApiResult<Option<Bytes>> {
        let mut has_news = false;
        loop {
            // A store that answers at once would otherwise occupy the worker.
            yield_now().await;
            let is_due = has_news || self.events.has_news() || self.checked_at.elapsed() >= CHECK_EVERY;
            if self.open.has_ended() || (is_due && !self.is_permitted().await?) {
                return Ok(None);
            }
            let limit = self.context.settings.request_timeout;
            let events = guarded(limit, self.events.next()).await??;
            if !events.is_empty() {
                let lines = ExportFormat::JsonLines.lines(&events).map_err(ApiError::internal)?;
                return Ok(Some(self.write(lines.into())));
            }
            if !self.is_endless {
                return Ok(None);
            }
            let idle = SIGN_OF_LIFE_EVERY.saturating_sub(self.written_at.elapsed());
            let pause = if self.events.is_pending() { idle.min(ASK_AGAIN_AFTER) } else { idle };
            has_news = tokio::select! {
                () = self.open.end() => return Ok(None),
                () = self.events.news() => true,
                () = sleep(pause) => false,
            };
            if self.written_at.elapsed() >= SIGN_OF_LIFE_EVERY {
                return Ok(Some(self.write(Bytes::from_static(b"\n"))));
            }
        }
    }

    fn write(&mut self, bytes: Bytes) -> Bytes {
        self.written_at = Instant::now();
        bytes
    }

    /// Authenticates the caller again, by the credentials of the request.
    ///
    /// # Errors
    /// If that is not known, as the store is unavailable.
    async fn is_permitted(&mut self) -> ApiResult<bool> {
        self.checked_at = Instant::now();
        match Client::new(&self.request, &self.context).caller_again().await {
            Ok(caller) => Ok(InstancePermit::<ReadEvents>::request(&caller).is_ok()),
            Err(error) if [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(&error.kind().0) => {
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }
}
