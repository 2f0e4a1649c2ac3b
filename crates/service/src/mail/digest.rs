//! The message of a digest, as text and as HTML.

use std::fmt::Write as _;

use latchkey_domain::Timestamp;
use latchkey_ports::{MailDigest, MailItem, OutgoingMail};

use super::texts::moment;

const WHY: &str = "You get this mail because your address is that of the owner of a token, of an owner of its project, of its user, or of \
     the contact of this Latchkey. There is one a day at most.";

/// Returns the message of a digest, written at that moment.
pub(super) fn message(digest: &MailDigest, at: Timestamp) -> OutgoingMail {
    let shown = u64::try_from(digest.items.len()).unwrap_or(u64::MAX);
    let events = match shown.saturating_add(digest.left_out) {
        1 => "1 event".to_owned(),
        number => format!("{number} events"),
    };
    let left_out = (digest.left_out > 0).then(|| format!("{} more are in the audit trail.", digest.left_out));
    OutgoingMail {
        to: digest.id.recipient.clone(),
        message_id: digest.message_id.clone(),
        at,
        subject: format!("Latchkey, {}: {events}", digest.id.day),
        text: plain(&digest.items, left_out.as_deref()),
        html: html(&digest.items, left_out.as_deref()),
    }
}

fn plain(items: &[MailItem], left_out: Option<&str>) -> String {
    let mut text = String::new();
    for item in items {
        // Writing to a string cannot fail.
        let _ = write!(text, "{}\n{}\n\n", minute(item.at), item.text);
    }
    if let Some(left_out) = left_out {
        let _ = write!(text, "{left_out}\n\n");
    }
    let _ = write!(text, "-- \n{WHY}\n");
    text
}

fn html(items: &[MailItem], left_out: Option<&str>) -> String {
    let mut text = "<!doctype html>\n<html lang=\"en\">\n<body>\n<ul>\n".to_owned();
    for item in items {
        let _ = writeln!(text, "<li><b>{}</b><br>{}</li>", minute(item.at), Escaped(&item.text));
    }
    text.push_str("</ul>\n");
    if let Some(left_out) = left_out {
        let _ = writeln!(text, "<p>{left_out}</p>");
    }
    let _ = write!(text, "<p><small>{WHY}</small></p>\n</body>\n</html>\n");
    text
}

fn minute(at: Timestamp) -> String {
    moment(Some(&at.to_string()))
}

/// Text in HTML.
struct Escaped<'t>(&'t str);

impl std::fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for character in self.0.chars() {
            match character {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                other => f.write_char(other)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use latchkey_domain::{Day, Email, EventId};
    use latchkey_ports::DigestId;

    use super::*;

    fn digest(texts: &[&str], left_out: u64) -> MailDigest {
        let at = Timestamp::from_millis(1_700_000_000_000).expect("in range");
        let item = |text: &&str| MailItem { event: EventId(1), at, text: (*text).to_owned() };
        MailDigest {
            id: DigestId { recipient: Email::new("ed@example.com").expect("an address"), day: Day(20_000) },
            message_id: "abc".to_owned(),
            attempts: 1,
            began_at: at,
            items: texts.iter().map(item).collect(),
            left_out,
        }
    }

    #[test]
    fn a_digest_is_text_and_html() {
        let at = Timestamp::from_millis(1_700_000_100_000).expect("in range");
        let mail = message(&digest(&["One.", "Two."], 0), at);
        assert_eq!((mail.to.as_str(), &*mail.message_id, mail.at), ("ed@example.com", "abc", at));
        assert_eq!(mail.subject, "Latchkey, 2024-10-04: 2 events");
        assert!(
            mail.text.starts_with("2023-11-14 22:13 UTC\nOne.\n\n2023-11-14 22:13 UTC\nTwo.\n\n-- \nYou get")
        );
        assert!(mail.html.contains("<li><b>2023-11-14 22:13 UTC</b><br>Two.</li>"), "{}", mail.html);
        assert_eq!(message(&digest(&["One."], 0), at).subject, "Latchkey, 2024-10-04: 1 event");
    }

    #[test]
    fn what_is_left_out_is_counted() {
        let mail = message(&digest(&["One."], 7), Timestamp::from_millis(0).expect("in range"));
        assert_eq!(mail.subject, "Latchkey, 2024-10-04: 8 events");
        for part in [&mail.text, &mail.html] {
            assert!(part.contains("7 more are in the audit trail."), "{part}");
        }
    }

    #[test]
    fn names_are_no_html() {
        let mail =
            message(&digest(&["<script>\"&'</script>"], 0), Timestamp::from_millis(0).expect("in range"));
        assert!(
            mail.html.contains("<br>&lt;script&gt;&quot;&amp;&#39;&lt;/script&gt;</li>"),
            "{}",
            mail.html
        );
        assert!(mail.text.contains("\n<script>\"&'</script>\n"), "{}", mail.text);
    }
}
