//! The response of the application in process; part of [`crate::app`].
#![expect(
    clippy::indexing_slicing,
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a test whose response cannot be read fails"
)]

use actix_http::Request;
use actix_web::{
    Error,
    body::{BoxBody, to_bytes},
    dev::{Service, ServiceResponse},
    http::{StatusCode, header},
};
use serde_json::Value;

/// A response whose body has been read.
#[derive(Debug)]
pub struct Response {
    pub status: StatusCode,
    pub headers: header::HeaderMap,
    pub bytes: Vec<u8>,
}

impl Response {
    pub(crate) async fn of<S>(service: &S, request: Request) -> Self
    where
        S: Service<Request, Response = ServiceResponse<BoxBody>, Error = Error>,
    {
        // The server responds to an error that no middleware handled with the error's own response.
        let response = match service.call(request).await {
            Ok(response) => response.into_parts().1,
            Err(error) => error.error_response(),
        };
        let (status, headers) = (response.status(), response.headers().clone());
        let body = to_bytes(response.into_body()).await.expect("the body");
        Self { status, headers, bytes: body.to_vec() }
    }

    /// Returns the body as text.
    pub fn text(&self) -> String {
        String::from_utf8(self.bytes.clone()).expect("text")
    }

    /// Returns the body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).expect("JSON")
    }

    /// Returns a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("text"))
    }

    /// Asserts that this is an error of this status and kind.
    #[track_caller]
    pub fn is(&self, status: u16, kind: &str) {
        let body = self.json();
        assert_eq!((self.status.as_u16(), body["name"].as_str()), (status, Some(kind)), "{body}");
        assert_eq!(self.header("content-type"), Some("application/json"));
    }
}
