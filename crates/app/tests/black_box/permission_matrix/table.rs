//! Parses the table.

/// The columns, in order.
pub(crate) const CALLERS: [&str; 11] = [
    "anonymous",
    "viewer",
    "stranger",
    "member",
    "owner",
    "editor",
    "admin",
    "service",
    "client",
    "frontend",
    "expired",
];

/// One operation.
pub(crate) struct Row {
    pub(crate) method: String,
    /// With `{parameter=thing}` where a thing must be created.
    pub(crate) path: String,
    pub(crate) body: Option<String>,
    statuses: Vec<u16>,
}

impl Row {
    fn read(line: &str) -> Self {
        let mut columns = line.splitn(3, '|').map(str::trim);
        let request = columns.next().expect("a request");
        let (method, path) = request.split_once(' ').expect("a method and a path");
        let statuses = columns.next().expect("statuses").split_whitespace();
        let statuses: Vec<u16> = statuses.map(|status| status.parse().expect("a status")).collect();
        assert_eq!(statuses.len(), CALLERS.len(), "{line}");
        Self {
            method: method.to_owned(),
            path: path.trim().to_owned(),
            body: columns.next().map(str::to_owned),
            statuses,
        }
    }

    /// Returns the name in the OpenAPI document: `GET /path/{parameter}`.
    pub(crate) fn operation(&self) -> String {
        let mut path = String::new();
        let without_query = self.path.split('?').next().unwrap_or_default();
        for part in without_query.split_inclusive('}') {
            match part.split_once('=') {
                Some((before, _)) => {
                    path.push_str(before);
                    path.push('}');
                }
                None => path.push_str(part),
            }
        }
        format!("{} {path}", self.method)
    }

    /// Returns the status for each caller.
    pub(crate) fn cells(&self) -> impl Iterator<Item = (&'static str, u16)> {
        CALLERS.into_iter().zip(self.statuses.iter().copied())
    }
}

/// Returns all rows.
pub(crate) fn rows() -> Vec<Row> {
    let lines = include_str!("table.txt").lines().map(str::trim);
    lines.filter(|line| !line.is_empty() && !line.starts_with('#')).map(Row::read).collect()
}
