//! Users and service accounts.

use std::fmt;

use crate::{PersonName, RoleId, Timestamp, Username};

/// The id of a user, an integer on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserId(pub i64);

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An e-mail address, spelled as it was given and compared without regard to case.
#[derive(Debug, Clone)]
pub struct Email(Box<str>);

/// The text is not an e-mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an e-mail address must read name@domain, with at most 254 characters and no blanks")]
pub struct InvalidEmail;

impl Email {
    /// Parses an address: one `@` between two parts that are not empty, no blanks or control characters, at most
    /// 254 bytes (RFC 5321, section 4.5.3). Whether mail can be delivered to it is not checked.
    pub fn new(text: &str) -> Result<Self, InvalidEmail> {
        let text = text.trim();
        let (name, domain) = text.split_once('@').ok_or(InvalidEmail)?;
        let unfit = |c: char| c.is_whitespace() || c.is_control() || c == ',';
        if name.is_empty()
            || domain.is_empty()
            || domain.contains('@')
            || text.len() > 254
            || text.contains(unfit)
        {
            return Err(InvalidEmail);
        }
        Ok(Self(text.into()))
    }

    /// Returns the address as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the form by which addresses are compared: lower case.
    pub fn key(&self) -> String {
        self.0.to_lowercase()
    }
}

impl PartialEq for Email {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Email {}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The login names of a user: a user name, an e-mail address, or both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserIdentity {
    username: Option<Username>,
    email: Option<Email>,
}

/// Neither a user name nor an e-mail address was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a user needs a username or an email")]
pub struct WithoutIdentity;

impl UserIdentity {
    /// Returns an identity of one or both.
    pub fn new(username: Option<Username>, email: Option<Email>) -> Result<Self, WithoutIdentity> {
        if username.is_none() && email.is_none() {
            return Err(WithoutIdentity);
        }
        Ok(Self { username, email })
    }

    /// Returns the user name.
    pub fn username(&self) -> Option<&Username> {
        self.username.as_ref()
    }

    /// Returns the e-mail address.
    pub fn email(&self) -> Option<&Email> {
        self.email.as_ref()
    }

    /// Returns the same user name with another e-mail address.
    ///
    /// # Errors
    /// [`WithoutIdentity`] if neither would be left.
    pub fn with_email(&self, email: Option<Email>) -> Result<Self, WithoutIdentity> {
        Self::new(self.username.clone(), email)
    }

    /// Returns all login names.
    pub fn names(&self) -> Vec<&str> {
        let username = self.username.as_ref().map(Username::as_str);
        username.into_iter().chain(self.email.as_ref().map(Email::as_str)).collect()
    }

    /// Returns the names that no other user may have, as logins are compared: the user name, in lower case (ASCII) if
    /// it contains `@` and so could be an address, and the address in lower case.
    pub fn login_names(&self) -> impl Iterator<Item = String> {
        let username = self.username.as_ref().map(|name| match name.as_str() {
            name if name.contains('@') => name.to_ascii_lowercase(),
            name => name.to_owned(),
        });
        username.into_iter().chain(self.email.as_ref().map(|email| email.key().clone()))
    }

    /// Returns the name for audit events: the e-mail address, or else the user name.
    pub fn label(&self) -> &str {
        let username = self.username.as_ref().map(Username::as_str);
        self.email.as_ref().map(Email::as_str).or(username).unwrap_or_default()
    }
}

/// Whether an account belongs to a person, who can sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountKind {
    Person,
    /// A program, which acts by tokens alone.
    Service,
}

impl AccountKind {
    /// Returns the name in stores.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Service => "service",
        }
    }
}

/// A user to be created; the store assigns the id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewUser {
    pub identity: UserIdentity,
    pub name: Option<PersonName>,
    pub kind: AccountKind,
    pub root_role: RoleId,
    pub created_at: Timestamp,
}

/// A user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    pub id: UserId,
    pub identity: UserIdentity,
    pub name: Option<PersonName>,
    pub kind: AccountKind,
    pub root_role: RoleId,
    pub created_at: Timestamp,
    /// When the user last signed in; `None` = never.
    pub last_seen_at: Option<Timestamp>,
}

impl NewUser {
    /// Returns the user with the id that the store assigned.
    pub fn with_id(self, id: UserId) -> User {
        let Self { identity, name, kind, root_role, created_at } = self;
        User { id, identity, name, kind, root_role, created_at, last_seen_at: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_two_parts_and_no_blanks() {
        for good in ["a@b", "Ed@Example.com", " x@example.com "] {
            assert_eq!(Email::new(good).expect("an address").as_str(), good.trim());
        }
        for bad in ["", "a", "@", "a@", "@b", "a@b@c", "a b@c", "a@b\0", "a@b,c@d"] {
            assert_eq!(Email::new(bad), Err(InvalidEmail), "{bad:?}");
        }
        assert!(Email::new(&format!("a@{}", "b".repeat(253))).is_err());
    }

    #[test]
    fn addresses_are_compared_without_case() {
        assert_eq!(Email::new("Ed@Example.com"), Email::new("ed@example.COM"));
    }

    #[test]
    fn a_user_is_known_by_something() {
        assert_eq!(UserIdentity::new(None, None), Err(WithoutIdentity));
        let both =
            UserIdentity::new(Username::new("ed").ok(), Email::new("ed@example.com").ok()).expect("both");
        assert_eq!(both.label(), "ed@example.com");
    }
}
