//! Where pages are.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// The path below which all pages are.
pub(crate) const ROOT: &str = "/console";

/// What a part of a path escapes.
const PART: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Returns a text as a part of a path.
pub(crate) fn escaped(text: &str) -> String {
    utf8_percent_encode(text, PART).to_string()
}

/// Returns a path with a query. Empty values are left out.
pub(crate) fn with_query<N: AsRef<str>, V: AsRef<str>>(
    path: &str,
    pairs: impl IntoIterator<Item = (N, V)>,
) -> String {
    let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let mut address = path.to_owned();
    let mut mark = '?';
    for (name, value) in pairs {
        let (name, value) = (name.as_ref(), value.as_ref());
        if !value.is_empty() {
            address.extend([mark.to_string(), encoded(name), "=".to_owned(), encoded(value)]);
            mark = '&';
        }
    }
    address
}
