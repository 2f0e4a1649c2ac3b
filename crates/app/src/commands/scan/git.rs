//! Where a secret is: the line of a file, or, in the output of `git log -p`, the commit, the file and the line in it.

use std::mem;

/// A line is kept up to here: enough for a header with a path.
const MAX_HEADER: usize = 8 * 1024;
/// How many digits ids of commits have (SHA-1, SHA-256).
const ID_LENGTHS: [usize; 2] = [40, 64];

/// The place that was reached in an input.
pub(super) enum Place {
    /// In plain text: the number of the line.
    Text { path: String, line: u64 },
    /// In the output of git.
    Git(Box<GitPlace>),
}

impl Place {
    /// Begins a file.
    pub(super) fn in_file(path: &str) -> Self {
        Self::Text { path: path.to_owned(), line: 1 }
    }

    /// Begins a stream, which its first block shows to be text or the output of git.
    pub(super) fn in_stream(path: &str, block: &[u8]) -> Self {
        let first = block.split(|byte| *byte == b'\n').next().unwrap_or_default();
        if commit_of(first).is_some() || first.starts_with(b"diff --git ") {
            Self::Git(Box::default())
        } else {
            Self::in_file(path)
        }
    }

    /// Goes over these bytes.
    pub(super) fn advance(&mut self, bytes: &[u8]) {
        match self {
            Self::Text { line, .. } => {
                let ends = memchr::memchr_iter(b'\n', bytes).count();
                *line += u64::try_from(ends).unwrap_or(u64::MAX);
            }
            Self::Git(place) => place.advance(bytes),
        }
    }

    /// Returns the file, if there is one, the commit, and the line in the file or in what git prints of the commit.
    pub(super) fn here(&self) -> (Option<String>, Option<String>, u64) {
        match self {
            Self::Text { path, line } => (Some(path.clone()), None, *line),
            Self::Git(place) => place.here(),
        }
    }
}

/// The place in the output of git.
#[derive(Default)]
pub(super) struct GitPlace {
    commit: Option<String>,
    /// How many lines of the commit, or of the output without one, came before this.
    lines: u64,
    old_path: Option<String>,
    new_path: Option<String>,
    hunk: Hunk,
    /// The beginning of this line.
    line: Vec<u8>,
}

/// A part of a file, as `@@ -1,2 +3,4 @@` announces it, from one old version, or from several for a merge.
#[derive(Default)]
struct Hunk {
    old: Vec<Range>,
    new: Range,
}

/// The lines of a version that are still to come.
#[derive(Default, Clone, Copy)]
struct Range {
    next: u64,
    left: u64,
}

impl Range {
    /// Reads `1,2` or `1`.
    fn parse(text: &str) -> Option<Self> {
        let (next, left) = text.split_once(',').unwrap_or((text, "1"));
        Some(Self { next: next.parse().ok()?, left: left.parse().ok()? })
    }

    fn step(&mut self) {
        self.next += 1;
        self.left = self.left.saturating_sub(1);
    }
}

impl Hunk {
    /// Reads its first line.
    fn parse(line: &str) -> Option<Self> {
        let (ranges, _) =
            line.strip_prefix("@@")?.trim_start_matches('@').strip_prefix(' ')?.split_once(" @@")?;
        let mut hunk = Self::default();
        for range in ranges.split(' ') {
            match range.strip_prefix('-') {
                Some(old) => hunk.old.push(Range::parse(old)?),
                None => hunk.new = Range::parse(range.strip_prefix('+')?)?,
            }
        }
        (!hunk.old.is_empty()).then_some(hunk)
    }

    fn has_lines(&self) -> bool {
        self.new.left > 0 || self.old.iter().any(|old| old.left > 0)
    }

    /// The marks before a line, one for each old version: ` `, `+` or `-`.
    fn marks<'l>(&self, line: &'l [u8]) -> &'l [u8] {
        line.get(..self.old.len()).unwrap_or(line)
    }

    /// Goes over a line.
    fn step(&mut self, line: &[u8]) {
        // "\ No newline at end of file"
        if line.starts_with(b"\\") {
            return;
        }
        let marks = self.marks(line);
        let is_removed = marks.contains(&b'-');
        let kept_mark = if is_removed { b'-' } else { b' ' };
        // Some programs take the blank off empty lines.
        let marks = marks.iter().copied().chain(std::iter::repeat(b' '));
        for (old, mark) in self.old.iter_mut().zip(marks) {
            if mark == kept_mark {
                old.step();
            }
        }
        if !is_removed {
            self.new.step();
        }
    }
}

impl GitPlace {
    fn advance(&mut self, bytes: &[u8]) {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            let room = MAX_HEADER.saturating_sub(self.line.len());
            let text = part.strip_suffix(b"\n").unwrap_or(part);
            self.line.extend_from_slice(text.get(..room).unwrap_or(text));
            if part.ends_with(b"\n") {
                self.end_line();
            }
        }
    }

    fn end_line(&mut self) {
        let mut line = mem::take(&mut self.line);
        self.lines += 1;
        if self.hunk.has_lines() {
            self.hunk.step(&line);
        } else if let Some(commit) = commit_of(&line) {
            *self = Self { commit: Some(commit.to_owned()), lines: 1, ..Self::default() };
        } else {
            self.read_header(&String::from_utf8_lossy(&line));
        }
        line.clear();
        // Its memory serves the next line.
        self.line = line;
    }

    fn read_header(&mut self, line: &str) {
        if line.starts_with("diff --") {
            (self.old_path, self.new_path) = (None, None);
        } else if let Some(path) = line.strip_prefix("--- ") {
            self.old_path = path_of(path);
        } else if let Some(path) = line.strip_prefix("+++ ") {
            self.new_path = path_of(path);
        } else if let Some(hunk) = Hunk::parse(line) {
            self.hunk = hunk;
        }
    }

    fn here(&self) -> (Option<String>, Option<String>, u64) {
        let commit = self.commit.clone();
        if !self.hunk.has_lines() {
            return (None, commit, self.lines + 1);
        }
        let removed = self.hunk.marks(&self.line).iter().position(|mark| *mark == b'-');
        let (path, range) = match removed.and_then(|from| self.hunk.old.get(from)) {
            Some(old) => (self.old_path.as_ref().or(self.new_path.as_ref()), *old),
            None => (self.new_path.as_ref(), self.hunk.new),
        };
        (path.cloned(), commit, range.next)
    }
}

/// Returns the id in a line that begins a commit.
fn commit_of(line: &[u8]) -> Option<&str> {
    let rest = str::from_utf8(line.strip_prefix(b"commit ")?).ok()?;
    let id = rest.split([' ', '\r']).next()?;
    (ID_LENGTHS.contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(id)
}

/// Returns the path in a header, which git marks with `a/` or `b/`, and quotes if it has unusual characters.
fn path_of(header: &str) -> Option<String> {
    let path = header.trim_end_matches(['\t', '\r']).trim_matches('"');
    let path = path.strip_prefix("a/").or_else(|| path.strip_prefix("b/")).unwrap_or(path);
    (path != "/dev/null").then(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0123456789abcdef0123456789abcdef01234567";

    /// Returns where each `$` is.
    fn places(text: &str) -> Vec<(Option<String>, Option<String>, u64)> {
        let mut place = Place::in_stream("-", text.as_bytes());
        let mut places = Vec::new();
        for part in text.split_inclusive('$') {
            let (before, mark) = part.split_at(part.len() - usize::from(part.ends_with('$')));
            // However the bytes are cut.
            before.as_bytes().chunks(7).for_each(|bytes| place.advance(bytes));
            if !mark.is_empty() {
                places.push(place.here());
            }
            place.advance(mark.as_bytes());
        }
        places
    }

    fn in_file(path: &str, line: u64) -> (Option<String>, Option<String>, u64) {
        (Some(path.to_owned()), Some(ID.to_owned()), line)
    }

    #[test]
    fn text_has_lines() {
        let at = |line| (Some("-".to_owned()), None, line);
        assert_eq!(places("$a$\n\n$\n"), [at(1), at(1), at(3)]);
        assert_eq!(places("commit 123\n$"), [at(2)]);
    }

    #[test]
    fn a_log_has_commits_files_and_lines() {
        let log = format!(
            "commit {ID} (HEAD -> main)\nAuthor: A <a@example.com>\n\n    A message with $\n\n\
             diff --git a/old.txt b/dir/new.txt\nsimilarity index 90%\n--- a/old.txt\n+++ b/dir/new.txt\n\
             @@ -10,3 +20,4 @@ fn main() $\n kept $\n-removed $\n+++ b/added $\n+added $\n kept $\n\
             @@ -40 +51,0 @@\n-- a/removed $\n\\ No newline at end of file\n\
             diff --git \"a/\\303\\244\" \"b/\\303\\244\"\nnew file mode 100644\n--- /dev/null\n+++ \"b/\\303\\244\"\n\
             @@ -0,0 +1,2 @@\n+commit {ID}\n+$\n\ncommit {ID}\n$"
        );
        let message = |line| (None, Some(ID.to_owned()), line);
        assert_eq!(
            places(&log),
            [
                message(4),
                message(10),
                in_file("dir/new.txt", 20),
                in_file("old.txt", 11),
                in_file("dir/new.txt", 21),
                in_file("dir/new.txt", 22),
                in_file("dir/new.txt", 23),
                in_file("old.txt", 40),
                in_file("\\303\\244", 2),
                message(2),
            ]
        );
    }

    #[test]
    fn a_merge_has_several_old_versions() {
        let log = format!(
            "commit {ID}\nMerge: 1 2\n\ndiff --cc a.txt\n--- a/a.txt\n+++ b/a.txt\n@@@ -1,3 -5,2 +9,3 @@@\n\
             - first $\n -second $\n++both $\n  kept $\n +one $\n\ncommit {ID}\n$"
        );
        let expected = [1, 5, 9, 10, 11].map(|line| in_file("a.txt", line));
        assert_eq!(places(&log), [&expected[..], &[(None, Some(ID.to_owned()), 2)]].concat());
    }

    #[test]
    fn a_diff_has_no_commit() {
        let diff = "diff --git a/a b/a\n--- a/a\n+++ b/a\n@@ -1 +1 @@\n-x\n+$\n";
        assert_eq!(places(diff), [(Some("a".to_owned()), None, 1)]);
    }
}
