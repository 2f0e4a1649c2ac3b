//! Tables as comma-separated values (RFC 4180).

use std::error::Error;

use csv::{Terminator, WriterBuilder};

/// Returns rows as lines.
///
/// # Errors
/// None that is known: rows have the same length.
pub fn table<const N: usize>(
    rows: impl IntoIterator<Item = [String; N]>,
) -> Result<Vec<u8>, Box<dyn Error + Send + Sync>> {
    let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new());
    for row in rows {
        writer.write_record(row)?;
    }
    Ok(writer.into_inner()?)
}

/// Returns text that no spreadsheet takes for a formula, which could send the other cells elsewhere.
#[must_use]
pub fn plain(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    if is_formula { format!("'{text}") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_are_no_formulas() {
        let text = |cell: &str| table([[plain(cell), String::new()]]).expect("a line");
        assert_eq!(text("a,\"b\"\nc"), b"\"a,\"\"b\"\"\nc\",\r\n");
        assert_eq!(text("=HYPERLINK(1)"), b"'=HYPERLINK(1),\r\n");
        assert_eq!(text("shop"), b"shop,\r\n");
    }
}
