//! Just enough of Rust's syntax to see which paths a file uses. Not a parser: comments, literals and test code are
//! removed, and what is left is read token by token.

/// A token: an identifier, `::`, or one other character.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token {
    Ident(String),
    PathSeparator,
    Other(char),
}

/// One name that a `use` item brings in: `use a::b as c` is path `[a, b]`, name `c`; a glob has the name `*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Import {
    pub(crate) path: Vec<String>,
    pub(crate) name: String,
    /// Whether the item is re-exported by any `pub`.
    pub(crate) is_public: bool,
}

/// What a source file says about modules and names.
#[derive(Debug, Default)]
pub(crate) struct Source {
    pub(crate) imports: Vec<Import>,
    /// Paths outside `use` items, `a::b::c` as written.
    pub(crate) paths: Vec<Vec<String>>,
    /// Names of the items that the file defines.
    pub(crate) items: Vec<String>,
}

/// Reads a source file.
pub(crate) fn read(text: &str) -> Source {
    let tokens = without_test_code(&tokens(text));
    let mut source = Source::default();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let after_separator = at > 0 && tokens.get(at - 1) == Some(&Token::PathSeparator);
        match token {
            Token::Ident(word) if word == "use" && !after_separator => {
                let is_public = is_public(&tokens, at);
                at += 1;
                read_use(&tokens, &mut at, &[], is_public, &mut source.imports);
            }
            Token::Ident(word) if !after_separator => {
                const ITEMS: &[&str] =
                    &["struct", "enum", "trait", "type", "fn", "const", "static", "union", "macro_rules"];
                if ITEMS.contains(&word.as_str()) {
                    let skipped = usize::from(tokens.get(at + 1) == Some(&Token::Other('!')));
                    if let Some(Token::Ident(name)) = tokens.get(at + 1 + skipped) {
                        source.items.push(name.clone());
                    }
                }
                let path = read_path(&tokens, &mut at);
                if path.len() > 1 {
                    source.paths.push(path);
                }
            }
            _ => at += 1,
        }
    }
    source
}

/// Reads `a::b::c` from the identifier at `at`, which is left behind it.
fn read_path(tokens: &[Token], at: &mut usize) -> Vec<String> {
    let mut path = Vec::new();
    while let Some(Token::Ident(word)) = tokens.get(*at) {
        path.push(word.clone());
        *at += 1;
        if tokens.get(*at) != Some(&Token::PathSeparator) {
            break;
        }
        *at += 1;
    }
    path
}

/// Reads a tree of imports up to `;`, `,` or `}`, which is not consumed.
fn read_use(tokens: &[Token], at: &mut usize, prefix: &[String], is_public: bool, imports: &mut Vec<Import>) {
    let mut path = prefix.to_vec();
    loop {
        match tokens.get(*at) {
            Some(Token::Ident(word)) if word == "as" => {
                if let Some(Token::Ident(name)) = tokens.get(*at + 1) {
                    imports.push(Import { path, name: name.clone(), is_public });
                }
                *at += 2;
                return;
            }
            Some(Token::Ident(word)) => path.push(word.clone()),
            Some(Token::PathSeparator) => {}
            Some(Token::Other('*')) => {
                imports.push(Import { path, name: "*".to_owned(), is_public });
                *at += 1;
                return;
            }
            Some(Token::Other('{')) => {
                *at += 1;
                while !matches!(tokens.get(*at), Some(Token::Other('}')) | None) {
                    read_use(tokens, at, &path, is_public, imports);
                    if tokens.get(*at) == Some(&Token::Other(',')) {
                        *at += 1;
                    }
                }
                *at += 1;
                return;
            }
            _ => {
                if path.last().is_some_and(|last| last == "self") {
                    path.pop();
                }
                if let Some(name) = path.last().cloned() {
                    imports.push(Import { path, name, is_public });
                }
                return;
            }
        }
        *at += 1;
    }
}

/// Whether `pub` or `pub(…)` stands before the token.
fn is_public(tokens: &[Token], at: usize) -> bool {
    let mut before = tokens.get(..at).unwrap_or_default().iter().rev();
    match before.next() {
        Some(Token::Ident(word)) => word == "pub",
        Some(Token::Other(')')) => {
            let mut words = before.skip_while(|token| **token != Token::Other('('));
            words.next();
            words.next() == Some(&Token::Ident("pub".to_owned()))
        }
        _ => false,
    }
}

/// The tokens without items under `#[cfg(test)]`.
fn without_test_code(tokens: &[Token]) -> Vec<Token> {
    let ident = |word: &str| Token::Ident(word.to_owned());
    let mark = [Token::Other('#'), Token::Other('['), ident("cfg"), Token::Other('('), ident("test")];
    let mut kept = Vec::new();
    let mut rest = tokens;
    while let Some((token, after)) = rest.split_first() {
        if rest.starts_with(&mark) {
            rest = after_item(rest.get(mark.len()..).unwrap_or_default());
        } else {
            kept.push(token.clone());
            rest = after;
        }
    }
    kept
}

/// What follows the item: behind its `;`, or behind its block.
fn after_item(tokens: &[Token]) -> &[Token] {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::Other('{') => depth += 1,
            Token::Other('}') if depth <= 1 => return tokens.get(at + 1..).unwrap_or_default(),
            Token::Other('}') => depth -= 1,
            Token::Other(';') if depth == 0 => return tokens.get(at + 1..).unwrap_or_default(),
            _ => {}
        }
    }
    &[]
}

fn tokens(text: &str) -> Vec<Token> {
    let characters: Vec<char> = text.chars().collect();
    let at = |index: usize| characters.get(index).copied().unwrap_or('\0');
    let mut tokens = Vec::new();
    let mut index = 0;
    while index < characters.len() {
        let c = at(index);
        if c == '/' && at(index + 1) == '/' {
            while index < characters.len() && at(index) != '\n' {
                index += 1;
            }
        } else if c == '/' && at(index + 1) == '*' {
            while index < characters.len() && !(at(index) == '*' && at(index + 1) == '/') {
                index += 1;
            }
            index += 2;
        } else if c == '"' {
            index += 1;
            while index < characters.len() && at(index) != '"' {
                index += if at(index) == '\\' { 2 } else { 1 };
            }
            index += 1;
        } else if c == 'r' && is_raw_string(&characters, index) {
            index = after_raw_string(&characters, index);
        } else if c == '\'' && at(index + 1) == '\\' {
            index += 3;
            while index < characters.len() && at(index) != '\'' {
                index += 1;
            }
            index += 1;
        } else if c == '\'' && at(index + 2) == '\'' {
            index += 3;
        } else if c.is_alphabetic() || c == '_' {
            let start = index;
            while at(index).is_alphanumeric() || at(index) == '_' {
                index += 1;
            }
            tokens.push(Token::Ident(characters.get(start..index).unwrap_or_default().iter().collect()));
        } else if c == ':' && at(index + 1) == ':' {
            tokens.push(Token::PathSeparator);
            index += 2;
        } else {
            if !c.is_whitespace() {
                tokens.push(Token::Other(c));
            }
            index += 1;
        }
    }
    tokens
}

fn is_raw_string(characters: &[char], start: usize) -> bool {
    let mut rest = characters.iter().skip(start + 1).skip_while(|c| **c == '#');
    rest.next() == Some(&'"')
}

fn after_raw_string(characters: &[char], start: usize) -> usize {
    let hashes = characters.iter().skip(start + 1).take_while(|c| **c == '#').count();
    let mut index = start + hashes + 2;
    while index < characters.len() {
        let closes = characters.get(index) == Some(&'"')
            && characters.iter().skip(index + 1).take_while(|c| **c == '#').take(hashes).count() == hashes;
        index += 1;
        if closes {
            return index + hashes;
        }
    }
    index
}

#[test]
fn imports_paths_and_items_are_read() {
    let source = read(
        r#"
        //! use crate::comment;
        use std::fmt;
        pub(crate) use self::table::{Path, Table as Routes};
        use super::{a, b::{self, c::*}};
        pub struct Thing { field: crate::deep::Type }
        const TEXT: &str = "use crate::string;";
        fn run() { child::go('\'', 'x', '"'); }
        #[cfg(test)] mod tests { use crate::test_only::X; fn f() {} }
        fn after() {}
        "#,
    );
    let imports: Vec<String> = source
        .imports
        .iter()
        .map(|import| format!("{} {} {}", import.path.join("::"), import.name, import.is_public))
        .collect();
    assert_eq!(
        imports,
        [
            "std::fmt fmt false",
            "self::table::Path Path true",
            "self::table::Table Routes true",
            "super::a a false",
            "super::b b false",
            "super::b::c * false",
        ]
    );
    let paths: Vec<String> = source.paths.iter().map(|path| path.join("::")).collect();
    assert_eq!(paths, ["crate::deep::Type", "child::go"]);
    assert_eq!(source.items, ["Thing", "TEXT", "run", "after"]);
    let raw = read("const RAW: &str = r#\"crate::\"raw\"\"#; fn after() {}");
    assert_eq!((raw.paths.len(), raw.items), (0, vec!["RAW".to_owned(), "after".to_owned()]));
}
