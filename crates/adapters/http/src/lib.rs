//! The wire of Latchkey: routes, bodies, errors and the OpenAPI document
