//! Misspelt names of members: a name that is nearly one that is known, or the word that the command line has for it.

/// The most letters that a name may differ in from the one that was meant.
const MAX_DISTANCE: usize = 2;
/// How many letters a known name has for each in which another may differ. Short names are like many others: `mode` is not meant
/// by `name`.
const LETTERS_PER_MISTAKE: usize = 3;

/// Words that stand for a member whose name is not like them, by the names of options of the command line.
const SYNONYMS: &[(&str, &str)] = &[
    ("expires", "expiresAt"),
    ("expires-at", "expiresAt"),
    ("expires-in", "expiresAt"),
    ("expiresIn", "expiresAt"),
    ("expiry", "expiresAt"),
    ("name", "tokenName"),
];

/// Members that Unleash's schemas have in the bodies of requests that are served here, or in what clients read, change and send
/// back. They are ignored, whatever the members of our own bodies will be called.
const OF_UNLEASH: &[&str] = &[
    "accountType",
    "activeSessions",
    "alias",
    "apiTokenCount",
    "archivedAt",
    "changeRequestEnvironments",
    "changeRequestsEnabled",
    "companyRole",
    "createdAt",
    "createdBy",
    "defaultStickiness",
    "defaultStrategy",
    "deletedSessions",
    "displayName",
    "emailHash",
    "emailSent",
    "enabledToggleCount",
    "favorite",
    "featureCount",
    "featureLimit",
    "featureNaming",
    "hasPermission",
    "health",
    "imageUrl",
    "inviteLink",
    "isAPI",
    "joinedAt",
    "linkTemplates",
    "loginAttempts",
    "memberCount",
    "owners",
    "productivityReportEmail",
    "projectCount",
    "protected",
    "requiredApprovals",
    "scimId",
    "secret",
    "secure",
    "seenAt",
    "stickiness",
    "updatedAt",
    "userCount",
    "userId",
];

/// Returns the known name that the sender of an unknown one must have meant, if there is one.
pub(super) fn meant<'k>(sent: &str, known: impl Iterator<Item = &'k str> + Clone) -> Option<&'k str> {
    if OF_UNLEASH.contains(&sent) {
        return None;
    }
    let says =
        |known: &&str| SYNONYMS.iter().any(|(word, name)| name == known && word.eq_ignore_ascii_case(sent));
    known.clone().find(says).or_else(|| nearest(sent, known))
}

fn nearest<'k>(sent: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    let length = sent.chars().count();
    let near = known.filter_map(|known| {
        let allowed = MAX_DISTANCE.min(known.len() / LETTERS_PER_MISTAKE);
        // Most names end here, and long ones always: distances take a time that is the product of both lengths.
        if known.len().abs_diff(length) > allowed {
            return None;
        }
        let distance = strsim::osa_distance(&sent.to_lowercase(), &known.to_lowercase());
        (distance <= allowed).then_some((distance, known))
    });
    near.min_by_key(|(distance, _)| *distance).map(|(_, known)| known)
}

/// Returns the sentence about a member that is not known, and what was meant by it.
pub(super) fn not_known(sent: &str, meant: Option<&str>) -> String {
    match meant {
        Some(known) => format!("{sent} is not known here: did you mean {known}?"),
        None => format!("{sent} is not known here: leave it out."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [&str; 7] = ["description", "expiresAt", "id", "mode", "project", "projects", "tokenName"];

    fn meant_by(sent: &str) -> Option<&'static str> {
        meant(sent, KNOWN.into_iter())
    }

    #[test]
    fn a_name_with_up_to_two_mistakes_is_told() {
        for (sent, known) in [
            ("expires_at", "expiresAt"),
            ("expireAt", "expiresAt"),
            ("ExpiresAt", "expiresAt"),
            ("exipresAt", "expiresAt"),
            ("expiredat", "expiresAt"),
            ("tokenname", "tokenName"),
            ("token_names", "tokenName"),
            ("descripton", "description"),
            ("Project", "project"),
            ("projectss", "projects"),
            ("ID", "id"),
            ("moed", "mode"),
        ] {
            assert_eq!(meant_by(sent), Some(known), "{sent}");
        }
    }

    #[test]
    fn a_word_of_the_command_line_is_told_where_its_member_is_known() {
        for sent in ["expires", "expiry", "Expiry", "expiresIn", "expires-at", "expires-in"] {
            assert_eq!(meant_by(sent), Some("expiresAt"), "{sent}");
            assert_eq!(meant(sent, ["name"].into_iter()), None, "{sent}");
        }
        assert_eq!(meant_by("name"), Some("tokenName"));
        assert_eq!(meant("name", ["rootRole"].into_iter()), None);
    }

    #[test]
    fn other_names_are_not_told() {
        let long = "x".repeat(1_000_000);
        for sent in ["foo", "x", "", "it", "node_", "made_", "createdAt", "expirationTime", "naïve", &long] {
            assert_eq!(meant_by(sent), None, "{}", sent.chars().take(20).collect::<String>());
        }
    }

    #[test]
    fn what_clients_of_unleash_send_is_never_misspelt() {
        for sent in OF_UNLEASH {
            let one_off = format!("{sent}s");
            assert_eq!(meant(sent, [one_off.as_str()].into_iter()), None, "{sent}");
        }
        assert!(OF_UNLEASH.is_sorted(), "in order, so that a missing one is found");
    }
}
