//! Who calls: from the `Authorization` header, or from a session's cookie (contract, "Credentials").

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use actix_web::{
    HttpRequest,
    cookie::{Cookie, Expiration, SameSite, time::OffsetDateTime},
    http::{
        Method,
        header::{self, HeaderName, HeaderValue},
    },
};
use latchkey_domain::{Origin, Principal, UserCredential};
use latchkey_service::{AuthenticationError, Caller, LoggedIn};

use crate::{call::Call, failure::Failure};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
/// The cookie that holds a session's secret.
pub(crate) const SESSION_COOKIE: &str = "latchkey-session";

impl Call {
    /// Who calls, if they may use the administrative routes at all.
    ///
    /// # Errors
    /// As [`Call::authenticate`]; [`Failure::CrossSite`] for a change that another site had a browser make with its
    /// user's cookie; that client and frontend tokens have no business here.
    pub(crate) async fn caller(&self) -> Result<Caller, Failure> {
        let principal = self.authenticate().await?;
        if is_session(&principal) {
            self.refuse_cross_site()?;
        }
        Ok(Caller::admit(principal, self.origin())?)
    }

    /// Who calls. As in the reference, an API token goes before a session, a session before a personal access token,
    /// and a bad header does not hurt a good session.
    ///
    /// # Errors
    /// [`Failure::NoCredentials`], [`Failure::BadCredentials`], or that the store is unavailable.
    pub(crate) async fn authenticate(&self) -> Result<Arc<Principal>, Failure> {
        let by_header = self.by_header().await;
        let Some(secret) = self.session_secret() else { return by_header };
        match by_header {
            Ok(principal) if matches!(*principal, Principal::ApiToken { .. }) => return Ok(principal),
            Ok(_) | Err(Failure::NoCredentials | Failure::BadCredentials) => {}
            Err(failure) => return Err(failure),
        }
        match self.context.use_cases.authenticator.authenticate_session(&secret, self.client_address()).await
        {
            Err(AuthenticationError::Unknown) => by_header,
            found => Ok(found?),
        }
    }

    async fn by_header(&self) -> Result<Arc<Principal>, Failure> {
        let client = self.client_address();
        Ok(self.context.use_cases.authenticator.authenticate(self.header_secret()?, client).await?)
    }

    /// The secret in `Authorization`.
    fn header_secret(&self) -> Result<&str, Failure> {
        let header = self.request.headers().get(header::AUTHORIZATION).ok_or(Failure::NoCredentials)?;
        let secret = secret_in(header)?;
        if secret.is_empty() { Err(Failure::NoCredentials) } else { Ok(secret) }
    }

    /// The token that the caller presents to be verified: in `Authorization`, or in the header that the settings name.
    ///
    /// # Errors
    /// As [`Call::authenticate`].
    pub(crate) async fn presented_token(&self) -> Result<Arc<Principal>, Failure> {
        let named = self.context.settings.verify_header.as_ref();
        let secret = match named.and_then(|name| self.request.headers().get(name)) {
            Some(header) => secret_in(header)?,
            None => self.header_secret()?,
        };
        Ok(self.context.use_cases.verification.verify(secret, self.client_address()).await?)
    }

    /// Who calls, if all that they want is to ask whether tokens are good: what may do to answer that may do to know them.
    ///
    /// # Errors
    /// As [`Call::authenticate`].
    pub(crate) async fn asker(&self) -> Result<Arc<Principal>, Failure> {
        if self.session_secret().is_some() {
            return self.authenticate().await;
        }
        let client = self.client_address();
        Ok(self.context.use_cases.verification.verify(self.header_secret()?, client).await?)
    }

    fn session_secret(&self) -> Option<String> {
        // Most requests have none, and then nothing is parsed.
        self.request.headers().contains_key(header::COOKIE).then_some(())?;
        self.request.cookie(SESSION_COOKIE).map(|cookie| cookie.value().to_owned())
    }

    /// Refuses a change that a browser was made to ask for by another site (Fetch Metadata; where a browser sends none,
    /// RFC 6454). What is no browser sends neither and is let through: it has no cookies that it does not mean to send.
    ///
    /// # Errors
    /// [`Failure::CrossSite`].
    pub(crate) fn refuse_cross_site(&self) -> Result<(), Failure> {
        if [Method::GET, Method::HEAD, Method::OPTIONS].contains(self.request.method()) {
            return Ok(());
        }
        self.check_site()
    }

    /// As [`Call::refuse_cross_site`], for a change that is asked for by a method that should not make any.
    ///
    /// # Errors
    /// [`Failure::CrossSite`].
    pub(crate) fn check_site(&self) -> Result<(), Failure> {
        let is_own = match (self.text_header(SEC_FETCH_SITE), self.text_header(header::ORIGIN)) {
            (Some(site), _) => matches!(site, "same-origin" | "none"),
            (None, Some(origin)) => {
                let host = origin.split_once("://").map(|(_, host)| host);
                host.is_some() && host == self.public_host()
            }
            (None, None) => true,
        };
        if is_own { Ok(()) } else { Err(Failure::CrossSite) }
    }

    /// A header that is text.
    pub(crate) fn text_header(&self, name: HeaderName) -> Option<&str> {
        self.request.headers().get(name).and_then(|value| value.to_str().ok())
    }

    /// The host that the client asked, with its port: what a trusted proxy says, else the `Host` header.
    fn public_host(&self) -> Option<&str> {
        let forwarded = self.text_header(header::X_FORWARDED_HOST).filter(|_| self.is_proxied());
        forwarded.or_else(|| self.text_header(header::HOST))
    }

    /// Whether the client's connection is encrypted, as a trusted proxy says; Latchkey itself speaks plain HTTP.
    fn is_encrypted(&self) -> bool {
        self.is_proxied()
            && self
                .text_header(header::X_FORWARDED_PROTO)
                .is_some_and(|scheme| scheme.eq_ignore_ascii_case("https"))
    }

    /// The cookies of sessions, as this call's client may have them.
    pub(crate) fn session_cookies(&self) -> SessionCookies {
        SessionCookies { secure: self.is_encrypted() }
    }

    /// From where the call comes, for the audit trail.
    pub(crate) fn origin(&self) -> Origin {
        Origin::new(self.client_address(), self.text_header(header::USER_AGENT))
    }

    fn is_proxied(&self) -> bool {
        peer(&self.request).is_some_and(|peer| self.is_trusted(peer))
    }

    fn is_trusted(&self, address: IpAddr) -> bool {
        self.context.settings.trusted_proxies.contains(&address)
    }

    /// The peer, or, where the peer is a trusted proxy, the last address before the trusted ones. Each proxy adds the address
    /// that called it at the end, so what stands before the first that is not trusted is whatever the client wrote.
    pub(crate) fn client_address(&self) -> Option<IpAddr> {
        let mut client = peer(&self.request)?;
        let forwarded: Vec<_> = self.request.headers().get_all(header::X_FORWARDED_FOR).collect();
        let mut hops = forwarded.iter().rev().flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b','));
        while self.is_trusted(client) {
            let Some(before) = hops.next().and_then(hop) else { break };
            client = before;
        }
        Some(client)
    }
}

/// An address of `X-Forwarded-For`; some proxies write the port too.
fn hop(text: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(text).ok()?.trim();
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    text.parse().ok().or_else(with_port).map(|address: IpAddr| address.to_canonical())
}

/// Makes the cookies of sessions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SessionCookies {
    secure: bool,
}

impl SessionCookies {
    /// The cookie of a session that just began.
    pub(crate) fn of(self, logged_in: &LoggedIn) -> Cookie<'static> {
        let end =
            OffsetDateTime::from_unix_timestamp(logged_in.session.expires_at.millis().div_euclid(1_000));
        self.cookie(logged_in.secret.reveal().to_owned(), end.ok())
    }

    /// The cookie that makes a browser forget its session.
    pub(crate) fn none(self) -> Cookie<'static> {
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

fn peer(request: &HttpRequest) -> Option<IpAddr> {
    request.peer_addr().map(|peer| peer.ip().to_canonical())
}

fn is_session(principal: &Principal) -> bool {
    matches!(principal, Principal::User { credential: UserCredential::Session(_), .. })
}

fn secret_in(header: &HeaderValue) -> Result<&str, Failure> {
    // No header has control characters, so this is what `to_str` finds byte by byte.
    let text = std::str::from_utf8(header.as_bytes()).ok().filter(|text| text.is_ascii());
    text.map(|text| bearer(text.trim_ascii())).ok_or(Failure::BadCredentials)
}

/// `<secret>` or `Bearer <secret>`, the scheme in any case (RFC 9110, section 11.1).
fn bearer(header: &str) -> &str {
    const SCHEME: &str = "bearer";
    match header.split_at_checked(SCHEME.len()) {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case(SCHEME) => match rest.strip_prefix(' ') {
            Some(secret) => secret.trim_ascii_start(),
            None if rest.is_empty() => "",
            None => header,
        },
        _ => header,
    }
}
