//! Mail by SMTP (RFC 5321).

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use latchkey_domain::Email;
use latchkey_ports::{ErrorChain, MAX_MAILING, MailFailure, Mailer, OutgoingMail};
use lettre::{
    Address, Message,
    address::AddressError,
    message::{
        Mailbox, MultiPart,
        header::{HeaderName, HeaderValue},
    },
    transport::smtp::{
        Error as SmtpError,
        authentication::{Credentials, Mechanism},
        client::{AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters},
        extension::ClientId,
        response::Response,
    },
};
use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::time::timeout;

/// The timeout of a connection to one address of the server.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a server may take to say goodbye to a client that does not need to know.
const QUIT_TIMEOUT: Duration = Duration::from_secs(2);
/// The name beside the address of the sender.
const SENDER: &str = "Latchkey";

/// How the connection to the server is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmtpTls {
    /// From a command on, which the server must know (RFC 3207).
    Starttls,
    /// From the start (RFC 8314).
    Tls,
    /// Not at all.
    None,
}

impl SmtpTls {
    /// Returns the port on which servers listen for it.
    pub fn usual_port(self) -> u16 {
        match self {
            Self::Starttls => 587,
            Self::Tls => 465,
            Self::None => 25,
        }
    }
}

/// How mail is sent.
#[derive(Debug, Clone)]
pub struct SmtpSettings {
    /// The name or the address of the server.
    pub server: String,
    pub port: u16,
    pub tls: SmtpTls,
    /// The PEM certificates of the authorities to trust; `None`: those of this machine.
    pub authorities: Option<Vec<u8>>,
    /// The name and the password of a user, if the server needs them.
    pub login: Option<(String, SecretString)>,
    /// The address of the sender.
    pub from: Email,
}

/// The settings are of no use.
#[derive(Debug, thiserror::Error)]
pub enum InvalidSmtpSettings {
    #[error("no mail can be sent from {address}")]
    Sender {
        address: Email,
        #[source]
        fault: AddressError,
    },
    #[error("there is no certificate of an authority in PEM form")]
    Authorities,
    #[error("TLS cannot be set up")]
    Tls(#[source] SmtpError),
}

/// Sends mail to one server, over a connection for each message.
pub struct SmtpMailer {
    server: String,
    port: u16,
    tls: Option<(SmtpTls, TlsParameters)>,
    login: Option<Credentials>,
    from: Mailbox,
}

/// Without the password.
impl fmt::Debug for SmtpMailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmtpMailer")
            .field("server", &self.server)
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

impl SmtpMailer {
    /// Returns a mailer, without a connection yet.
    ///
    /// # Errors
    /// [`InvalidSmtpSettings`].
    pub fn new(settings: SmtpSettings) -> Result<Self, InvalidSmtpSettings> {
        let SmtpSettings { server, port, tls, authorities, login, from } = settings;
        let sender = from.as_str().parse::<Address>();
        let sender = sender.map_err(|fault| InvalidSmtpSettings::Sender { address: from.clone(), fault })?;
        let tls = match tls {
            SmtpTls::None => None,
            encrypted => Some((encrypted, tls_parameters(&server, authorities.as_deref())?)),
        };
        let login = login.map(|(user, password)| Credentials::new(user, password.expose_secret().to_owned()));
        Ok(Self { server, port, tls, login, from: Mailbox::new(Some(SENDER.to_owned()), sender) })
    }

    fn domain(&self) -> &str {
        self.from.email.domain()
    }

    fn message(&self, mail: &OutgoingMail) -> Result<Message, MailFailure> {
        let to = mail.to.as_str().parse::<Address>();
        let to = to.map_err(|fault| MailFailure(format!("no mail can be sent to this address: {fault}")))?;
        let header =
            |name: &'static str, value: String| HeaderValue::new(HeaderName::new_from_ascii_str(name), value);
        let since_1970 = Duration::from_millis(u64::try_from(mail.at.millis()).unwrap_or_default());
        Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .date(SystemTime::UNIX_EPOCH + since_1970)
            .message_id(Some(format!("<{}@{}>", mail.message_id, self.domain())))
            .subject(&*mail.subject)
            // So that no program answers that its user is on leave (RFC 3834).
            .raw_header(header("Auto-Submitted", "auto-generated".to_owned()))
            // By which people sort it (RFC 2919).
            .raw_header(header("List-Id", format!("Latchkey <latchkey.{}>", self.domain())))
            .multipart(MultiPart::alternative_plain_html(mail.text.clone(), mail.html.clone()))
            .map_err(|error| MailFailure(ErrorChain(&error).to_string()))
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, SmtpError> {
        let hello = ClientId::Domain(self.domain().to_owned());
        let server = (&*self.server, self.port);
        let from_start = match &self.tls {
            Some((SmtpTls::Tls, parameters)) => Some(parameters.clone()),
            _ => None,
        };
        let connect =
            AsyncSmtpConnection::connect_tokio1(server, Some(CONNECT_TIMEOUT), &hello, from_start, None);
        let mut connection = connect.await?;
        if let Some((SmtpTls::Starttls, parameters)) = &self.tls {
            connection.starttls(parameters.clone(), &hello).await?;
        }
        if let Some(login) = &self.login {
            connection.auth(&[Mechanism::Plain, Mechanism::Login], login).await?;
        }
        Ok(connection)
    }

    async fn exchange(&self, message: &Message) -> Result<Response, SmtpError> {
        let mut connection = self.connect().await?;
        let response = connection.send(message.envelope(), &message.formatted()).await?;
        // The server has taken the message, whatever it says now.
        drop(timeout(QUIT_TIMEOUT, connection.quit()).await);
        Ok(response)
    }
}

#[async_trait]
impl Mailer for SmtpMailer {
    async fn send(&self, mail: OutgoingMail) -> Result<String, MailFailure> {
        let message = self.message(&mail)?;
        match timeout(MAX_MAILING, self.exchange(&message)).await {
            Ok(Ok(response)) => {
                let said: Vec<&str> = response.message().collect();
                Ok(format!("{} {}", response.code(), said.join(" ")))
            }
            Ok(Err(error)) => Err(MailFailure(ErrorChain(&error).to_string())),
            Err(_) => Err(MailFailure(format!("it took longer than {} seconds", MAX_MAILING.as_secs()))),
        }
    }
}

fn tls_parameters(server: &str, authorities: Option<&[u8]>) -> Result<TlsParameters, InvalidSmtpSettings> {
    let mut builder = TlsParameters::builder(server.to_owned());
    if let Some(pem) = authorities {
        let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
        let found = found.ok().filter(|found| !found.is_empty()).ok_or(InvalidSmtpSettings::Authorities)?;
        builder = builder.certificate_store(CertificateStore::None);
        for certificate in found {
            let certificate = Certificate::from_der(certificate.to_vec());
            builder = builder.add_root_certificate(certificate.map_err(InvalidSmtpSettings::Tls)?);
        }
    }
    builder.build().map_err(InvalidSmtpSettings::Tls)
}

#[cfg(test)]
mod tests {
    use latchkey_domain::Timestamp;

    use super::*;

    fn email(text: &str) -> Email {
        Email::new(text).expect("an address")
    }

    fn settings() -> SmtpSettings {
        SmtpSettings {
            server: "127.0.0.1".to_owned(),
            port: 25,
            tls: SmtpTls::None,
            authorities: None,
            login: None,
            from: email("latchkey@example.com"),
        }
    }

    fn mail(to: &str) -> OutgoingMail {
        OutgoingMail {
            to: email(to),
            message_id: "00ff".to_owned(),
            at: Timestamp::from_millis(1_700_000_000_000).expect("in range"),
            subject: "Latchkey, 2023-11-14: 1 event".to_owned(),
            text: "One – ".to_owned() + &"x".repeat(2_000),
            html: "<p>One</p>".to_owned(),
        }
    }

    #[test]
    fn a_message_has_the_headers_of_automatic_mail() {
        let mailer = SmtpMailer::new(settings()).expect("a mailer");
        let message = mailer.message(&mail("Ed@Example.com")).expect("a message");
        assert_eq!(message.envelope().to()[0].to_string(), "Ed@Example.com");
        let text = String::from_utf8(message.formatted()).expect("text");
        assert!(text.is_ascii() && text.lines().all(|line| line.len() < 1_000), "{text}");
        for line in [
            "From: \"Latchkey\" <latchkey@example.com>",
            "To: Ed@Example.com",
            "Date: Tue, 14 Nov 2023 22:13:20 +0000",
            "Message-ID: <00ff@example.com>",
            "Subject: Latchkey, 2023-11-14: 1 event",
            "Auto-Submitted: auto-generated",
            "List-Id: Latchkey <latchkey.example.com>",
        ] {
            assert!(
                text.lines().any(|given| given.replace("From: Latchkey ", "From: \"Latchkey\" ") == line),
                "{line} in {text}"
            );
        }
        assert!(text.contains("multipart/alternative") && text.contains("text/html"), "{text}");
    }

    #[test]
    fn addresses_that_mail_does_not_know_are_refused() {
        let mailer = SmtpMailer::new(settings()).expect("a mailer");
        let error = mailer.message(&mail("a..b@example.com")).expect_err("no address");
        assert!(error.to_string().starts_with("no mail can be sent to this address"), "{error}");
        let from = SmtpSettings { from: email("a..b@example.com"), ..settings() };
        let error = SmtpMailer::new(from).expect_err("no sender").to_string();
        assert_eq!(error, "no mail can be sent from a..b@example.com");
    }

    #[test]
    fn authorities_must_be_certificates() {
        for pem in ["", "nothing", "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n"] {
            let settings =
                SmtpSettings { tls: SmtpTls::Tls, authorities: Some(pem.as_bytes().to_vec()), ..settings() };
            let error = SmtpMailer::new(settings).expect_err("no authority");
            assert!(matches!(error, InvalidSmtpSettings::Authorities), "{error:?}");
        }
    }

    #[test]
    fn the_password_is_not_shown() {
        let login = Some(("ed".to_owned(), SecretString::from("hush")));
        let mailer = SmtpMailer::new(SmtpSettings { login, ..settings() }).expect("a mailer");
        assert!(!format!("{mailer:?}").contains("hush"));
    }
}
