//! What comes back.

use actix_http::Request;
use actix_web::{
    Error,
    body::BoxBody,
    dev::{Service, ServiceResponse},
    http::{StatusCode, header},
    test,
};
use serde_json::Value;

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: header::HeaderMap,
    pub(crate) bytes: Vec<u8>,
}

impl Answer {
    pub(crate) async fn of<S>(service: &S, request: Request) -> Self
    where
        S: Service<Request, Response = ServiceResponse<BoxBody>, Error = Error>,
    {
        let response = test::call_service(service, request).await;
        let (status, headers) = (response.status(), response.headers().clone());
        Self { status, headers, bytes: test::read_body(response).await.to_vec() }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).expect("JSON")
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("text"))
    }

    /// Status, kind and message, for errors.
    #[track_caller]
    pub(crate) fn is(&self, status: u16, kind: &str) {
        let body = self.json();
        assert_eq!((self.status.as_u16(), body["name"].as_str()), (status, Some(kind)), "{body}");
        assert_eq!(self.header("content-type"), Some("application/json"));
    }
}
