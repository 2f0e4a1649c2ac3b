//! The wire, request by request, in process and over the memory store: laid out as the routes are.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that fails here is a test that fails"
)]

mod app;

mod errors;
mod openapi;
mod project_tokens;
mod routing;
