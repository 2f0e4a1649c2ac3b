//! `/api/admin/events/export`: all events of a filter, as a table or as JSON in lines.

use actix_web::{
    HttpRequest, HttpResponse,
    body::BodyStream,
    http::{
        Method,
        header::{self, HeaderValue},
    },
    web::{Bytes, Data},
};
use futures_util::{Stream, StreamExt as _, stream};
use latchkey_ports::EntropyExt as _;
use latchkey_service::{EventExport, InstancePermit, ReadEvents};
use tokio::task::yield_now;

use super::{export_format::ExportFormat, query::EventExportQuery, stream::JSON_LINES};
use crate::{
    context::Context,
    error::ApiError,
    extract::{Authorized, Query},
    limits::guarded,
    response::ApiResult,
};

/// Export events of the instance.
///
/// All events that match all filters, newest first, however many there are: as CSV with a line of names, or as a JSON object in each
/// line. In CSV, text that a spreadsheet would take for a formula has an apostrophe before it.
#[utoipa::path(get, path = "/api/admin/events/export", responses(
    (status = 200, description = "The events.", content(
        (String = "text/csv"),
        (String = "application/x-ndjson"),
    )),
))]
pub(crate) async fn export_events(
    Authorized(permit): Authorized<InstancePermit<ReadEvents>>,
    query: Query<EventExportQuery>,
    request: HttpRequest,
    context: Data<Context>,
) -> ApiResult {
    let (format, filter) = query.read()?.into_parts();
    let (content_type, attachment) = match format {
        ExportFormat::Csv => ("text/csv; charset=utf-8", r#"attachment; filename="events.csv""#),
        ExportFormat::JsonLines => (JSON_LINES, r#"attachment; filename="events.jsonl""#),
    };
    let mut response = HttpResponse::Ok();
    response
        .insert_header((header::CONTENT_TYPE, content_type))
        .insert_header((header::CONTENT_DISPOSITION, HeaderValue::from_static(attachment)))
        .insert_header((header::CACHE_CONTROL, "no-store"));
    if *request.method() == Method::HEAD {
        return Ok(response.body(BodyStream::new(stream::empty::<ApiResult<Bytes>>())));
    }
    let start = format.start().map_err(ApiError::internal)?;
    let events = context.use_cases.audit_trail.export(&permit, filter);
    let text = stream::once(async { Ok(start.into()) }).chain(text(events, format, context));
    Ok(response.body(BodyStream::new(Box::pin(text))))
}

/// Returns the events in portions. The status has been sent when one fails, so the connection is closed then, and the client sees that
/// the export is not complete.
fn text(
    events: EventExport,
    format: ExportFormat,
    context: Data<Context>,
) -> impl Stream<Item = ApiResult<Bytes>> {
    stream::try_unfold(events, move |mut events| {
        let context = context.clone();
        async move {
            // A store that answers at once would otherwise occupy the worker.
            yield_now().await;
            let portion = guarded(context.settings.request_timeout, events.next()).await;
            let portion = portion.and_then(|portion| Ok(portion?));
            let portion = portion.inspect_err(|error| error.log(context.entropy.uuid()))?;
            if portion.is_empty() {
                return Ok(None);
            }
            let lines = format.lines(&portion).map_err(ApiError::internal)?;
            Ok(Some((lines.into(), events)))
        }
    })
}
