//! What a process may do with a database.

/// What a process may do with a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Access {
    /// Read and write the primary.
    #[default]
    Full,
    /// Read any server of the cluster, also a standby.
    ReadOnly,
}
