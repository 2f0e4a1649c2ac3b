//! Misspelt environment variables and keys: an unknown name that begins as Latchkey's do is an error that suggests the
//! nearest name, because a setting that is not read in silence is worse than a start that fails.

use anyhow::{anyhow, bail};

use super::{
    env_vars::{EnvVars, SECRETS, TOKEN},
    settings::SECTIONS,
};

/// How like two names must be for one to be suggested for the other, from 0 to 1.
const MIN_LIKENESS: f64 = 0.6;
/// How like a key without its section is to the whole one.
const WITHOUT_SECTION: f64 = 0.9;
/// How like a variable of the form `INIT_…` must be to one of Latchkey's to count as misspelt: others have such variables.
const MIN_INIT_LIKENESS: f64 = 0.85;

/// Fails for a variable that begins with `LATCHKEY_` and is not known, and for one that is nearly an `INIT_*_API_TOKENS`.
/// Those that begin with `LATCHKEY__` are keys, which are checked when they are read.
///
/// # Errors
/// Names the variable, and the one that it is most like.
pub(super) fn check(variables: &EnvVars) -> anyhow::Result<()> {
    for (name, value) in variables.iter() {
        if SECRETS.contains(&name) || name.starts_with("LATCHKEY__") {
            continue;
        }
        if name.starts_with("LATCHKEY_") && !is_of_kubernetes(name, value) {
            bail!(unknown(name));
        }
        if name.starts_with("INIT_") && SECRETS.iter().any(|known| likeness(known, name) >= MIN_INIT_LIKENESS)
        {
            bail!(unknown(name));
        }
    }
    Ok(())
}

fn unknown(name: &str) -> anyhow::Error {
    anyhow!("unknown environment variable {name}{}", suggestion(name))
}

/// Returns ": did you mean …?" with the variable that is most like this one, or what to do where none is.
pub(super) fn suggestion(name: &str) -> String {
    let of_settings = SECTIONS.iter().flat_map(|section| &section.settings);
    let of_settings =
        of_settings.map(|setting| format!("LATCHKEY__{}", setting.key.to_uppercase().replace('.', "__")));
    // The short name of the token is like many that mean a setting.
    let of_secrets = SECRETS.iter().filter(|secret| **secret != TOKEN);
    let of_secrets = of_secrets.flat_map(|secret| [(*secret).to_owned(), format!("{secret}_FILE")]);
    let nearest = of_settings
        .chain(of_secrets)
        .map(|known| (likeness(&known, name), known))
        // The first of those that are equally like it: `port` is that of the server.
        .reduce(|best, next| if next.0 > best.0 { next } else { best });
    match nearest {
        Some((likeness, known)) if likeness >= MIN_LIKENESS => format!(": did you mean {known}?"),
        _ => ": remove it, or see the names that `latchkey config --reference` lists".to_owned(),
    }
}

/// Compares two names without regard to the word that all have, and to how many underscores are between words. A key without its
/// section is nearly one with it.
fn likeness(known: &str, name: &str) -> f64 {
    let words = |name: &str| name.to_uppercase().replace("__", "_").replacen("LATCHKEY_", "", 1);
    let (known, name) = (words(known), words(name));
    if known.strip_suffix(&name).is_some_and(|section| section.ends_with('_')) {
        return WITHOUT_SECTION;
    }
    strsim::normalized_damerau_levenshtein(&known, &name)
}

/// Whether Kubernetes sets the variable, in every container, for a service with a name that begins with `latchkey`.
fn is_of_kubernetes(name: &str, value: &str) -> bool {
    name.ends_with("_SERVICE_HOST")
        || name.contains("_SERVICE_PORT")
        || (name.ends_with("_PORT") && value.contains("://"))
        || name.split_once("_PORT_").is_some_and(|(_, port)| port.starts_with(|c: char| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(name: &str, value: &str) -> Option<String> {
        check(&EnvVars::from([(name, value)])).err().map(|error| error.to_string())
    }

    #[test]
    fn a_misspelt_variable_is_refused_with_the_nearest_name() {
        for (name, nearest) in [
            ("LATCHKEY_MASTERKEY", "LATCHKEY_MASTER_KEY"),
            ("LATCHKEY_MASTER_KEYS", "LATCHKEY_MASTER_KEY"),
            ("LATCHKEY_MASTER_KEY_PATH", "LATCHKEY_MASTER_KEY_FILE"),
            ("LATCHKEY_SERVER_PORT", "LATCHKEY__SERVER__PORT"),
            ("LATCHKEY_SERVER__LISTEN", "LATCHKEY__SERVER__LISTEN"),
            ("LATCHKEY_DATABASE_URL", "LATCHKEY__DATABASE__URL"),
            ("INIT_ADMIN_API_TOKEN", "INIT_ADMIN_API_TOKENS"),
        ] {
            let problem = problem(name, "8080").expect("refused");
            assert_eq!(problem, format!("unknown environment variable {name}: did you mean {nearest}?"));
        }
        let far = problem("LATCHKEY_QUIET", "1").expect("refused");
        assert!(far.contains("latchkey config --reference"), "{far}");
    }

    #[test]
    fn variables_of_others_are_let_pass() {
        for (name, value) in [
            ("LATCHKEY_SERVICE_HOST", "10.0.0.1"),
            ("LATCHKEY_SERVICE_PORT", "4242"),
            ("LATCHKEY_VERIFY_SERVICE_PORT_HTTP", "4242"),
            ("LATCHKEY_PORT", "tcp://10.0.0.1:4242"),
            ("LATCHKEY_PORT_4242_TCP_ADDR", "10.0.0.1"),
            ("LATCHKEY_PORT_4242_TCP", "tcp://10.0.0.1:4242"),
            ("INIT_VERSION", "systemd"),
            ("PORT", "8080"),
            ("LATCHKEY_MASTER_KEY", "hush"),
            ("INIT_FRONTEND_API_TOKENS", "hush"),
        ] {
            assert_eq!(problem(name, value), None, "{name}");
        }
    }
}
