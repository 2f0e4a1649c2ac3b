//! `latchkey mail`.

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use latchkey_crypto::SystemEntropy;
use latchkey_domain::{Email, Hex};
use latchkey_ports::{Clock as _, EntropyExt as _, Mailer as _, OutgoingMail};

use crate::{
    clock::SystemClock,
    config::{Config, EnvVars},
    mail,
    output::{self, Usage},
};

#[derive(Debug, Subcommand)]
pub(crate) enum MailCommand {
    /// Send a test message, and print what the mail server answers; needs no database
    #[command(after_help = "Example:\n  latchkey mail test ed@example.com")]
    Test(TestArgs),
}

#[derive(Debug, Args)]
pub(crate) struct TestArgs {
    /// The address to which it goes
    #[arg(value_name = "ADDRESS", value_parser = address)]
    pub(crate) address: Email,
}

fn address(text: &str) -> Result<Email, String> {
    Email::new(text).map_err(|error| error.to_string())
}

/// Runs a command about mail.
pub(super) async fn run(config: &Config, variables: &EnvVars, command: MailCommand) -> anyhow::Result<()> {
    let MailCommand::Test(TestArgs { address }) = command;
    let Some(mailer) = mail::mailer(config, variables)? else {
        bail!(Usage("no mail is sent: set mail.server and mail.from first".to_owned()));
    };
    let text = "This is a test of the mail of Latchkey. It works.";
    let mail = OutgoingMail {
        message_id: Hex(&SystemEntropy.bytes::<16>()).to_string(),
        at: SystemClock::new().now(),
        subject: "Latchkey: a test".to_owned(),
        text: format!("{text}\n"),
        html: format!("<!doctype html>\n<html lang=\"en\">\n<body>\n<p>{text}</p>\n</body>\n</html>\n"),
        to: address,
    };
    let answer = mailer.send(mail).await.context("the message was not sent")?;
    output::result(format_args!("The mail server answered: {answer}"))
}
