//! The cookie of a session.

use actix_web::cookie::{Cookie, Expiration, SameSite, time::OffsetDateTime};
use latchkey_service::LoggedIn;

use crate::extract::{Client, caller::SESSION_COOKIE};

/// Builds the cookies of sessions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SessionCookies {
    secure: bool,
}

impl SessionCookies {
    /// Cookies for this client: `Secure` if its connection is encrypted.
    pub(crate) fn new(client: Client<'_>) -> Self {
        Self { secure: client.is_encrypted() }
    }

    /// Returns the cookie of a session that has just begun.
    pub(crate) fn of(self, logged_in: &LoggedIn) -> Cookie<'static> {
        let end =
            OffsetDateTime::from_unix_timestamp(logged_in.session.expires_at.millis().div_euclid(1_000));
        self.cookie(logged_in.secret.reveal().to_owned(), end.ok())
    }

    /// Returns the cookie that makes a browser delete its session's.
    pub(crate) fn expired(self) -> Cookie<'static> {
        self.cookie(String::new(), Some(OffsetDateTime::UNIX_EPOCH))
    }

    fn cookie(self, value: String, end: Option<OffsetDateTime>) -> Cookie<'static> {
        Cookie::build(SESSION_COOKIE, value)
            .path("/")
            .http_only(true)
            .same_site(SameSite::Lax)
            .secure(self.secure)
            .expires(end.map_or(Expiration::Session, Expiration::DateTime))
            .finish()
    }
}
