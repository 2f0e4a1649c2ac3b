//! The way to send mail that the settings describe.

use std::{fs, sync::Arc};

use anyhow::{Context as _, bail};
use latchkey_delivery::{SmtpMailer, SmtpSettings};
use latchkey_service::{MailOutlet, MailSettings};
use secrecy::SecretString;

use crate::config::{Config, EnvVars, SMTP_PASSWORD};

/// Returns what sends mail; `None` without a server.
///
/// # Errors
/// Names the setting or the variable that is of no use.
pub(crate) fn mailer(config: &Config, variables: &EnvVars) -> anyhow::Result<Option<SmtpMailer>> {
    let mail = &config.mail;
    let (Some(server), Some(from)) = (&mail.server, &mail.from) else { return Ok(None) };
    let login = match (&mail.user, variables.get(SMTP_PASSWORD)) {
        (None, None) => None,
        (Some(user), Some(password)) => Some((user.clone(), SecretString::from(password))),
        (Some(_), None) => {
            bail!(
                "mail.user needs a password: set {SMTP_PASSWORD}, or {SMTP_PASSWORD}_FILE to a file with it"
            )
        }
        (None, Some(_)) => {
            let origin = variables.origin(SMTP_PASSWORD).unwrap_or(SMTP_PASSWORD);
            bail!("{origin} is set, and mail.user is not: set both, or neither")
        }
    };
    let authorities = mail.ca_file.as_ref().map(fs::read).transpose();
    let authorities = authorities.with_context(|| match &mail.ca_file {
        Some(path) => format!("mail.ca_file: {}", path.display()),
        None => "mail.ca_file".to_owned(),
    })?;
    let port = if mail.port == 0 { mail.tls.usual_port() } else { mail.port };
    let settings =
        SmtpSettings { server: server.clone(), port, tls: mail.tls, authorities, login, from: from.clone() };
    SmtpMailer::new(settings).map(Some).context("the settings of [mail] cannot be used")
}

/// Returns how mail is sent, and to whom; `None` without a server.
///
/// # Errors
/// As [`mailer`].
pub(crate) fn outlet(config: &Config, variables: &EnvVars) -> anyhow::Result<Option<MailOutlet>> {
    let mail = &config.mail;
    let settings = MailSettings {
        contact: mail.contact.clone(),
        digest_at: mail.digest_at,
        events: mail.events.clone(),
    };
    Ok(mailer(config, variables)?.map(|mailer| MailOutlet { mailer: Arc::new(mailer), settings }))
}
