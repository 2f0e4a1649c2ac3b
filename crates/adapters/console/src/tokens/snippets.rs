//! How to use a secret that has just been shown: ready to paste.

/// An example in one language.
pub(crate) struct Snippet {
    /// Its name, which is the same in every language.
    pub(crate) name: &'static str,
    pub(crate) id: &'static str,
    pub(crate) text: String,
}

/// What stands in the place of the secret.
const SECRET: &str = "@SECRET@";
/// What stands in the place of this server's address.
const SERVER: &str = "@SERVER@";

const TEXTS: [(&str, &str, &str); 7] = [
    ("curl", "curl", include_str!("../../snippets/curl.txt")),
    ("Node.js", "node", include_str!("../../snippets/node.txt")),
    ("Python", "python", include_str!("../../snippets/python.txt")),
    ("Go", "go", include_str!("../../snippets/go.txt")),
    ("Java", "java", include_str!("../../snippets/java.txt")),
    ("nginx", "nginx", include_str!("../../snippets/nginx.txt")),
    ("Kubernetes", "kubernetes", include_str!("../../snippets/kubernetes.txt")),
];

/// Returns the examples with a secret and the address of this server in them.
pub(crate) fn of(secret: &str, server: &str) -> Vec<Snippet> {
    let filled = |text: &str| text.replace(SECRET, secret).replace(SERVER, server);
    TEXTS
        .into_iter()
        .map(|(name, id, text)| Snippet { name, id, text: filled(text).trim_end().to_owned() })
        .collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_example_has_the_secret() {
        for snippet in super::of("the-secret", "https://latchkey.example.com") {
            assert!(snippet.text.contains("the-secret"), "{}", snippet.name);
            assert!(!snippet.text.contains('@'), "{}", snippet.text);
        }
    }
}
