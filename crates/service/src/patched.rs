//! Members of merge patches.

/// What becomes of an optional member in a merge patch (RFC 7396).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Patched<T> {
    /// It stays as it is.
    #[default]
    Kept,
    /// It is removed.
    Removed,
    /// It gets this value.
    Set(T),
}

impl<T> Patched<T> {
    /// Converts the value.
    pub fn map<U>(self, convert: impl FnOnce(T) -> U) -> Patched<U> {
        match self {
            Self::Kept => Patched::Kept,
            Self::Removed => Patched::Removed,
            Self::Set(value) => Patched::Set(convert(value)),
        }
    }

    pub(crate) fn apply(self, member: &mut Option<T>) {
        match self {
            Self::Kept => {}
            Self::Removed => *member = None,
            Self::Set(value) => *member = Some(value),
        }
    }

    /// As [`Patched::apply`], for a member whose default counts as not set.
    pub(crate) fn apply_or_default(self, member: &mut T)
    where
        T: Default,
    {
        match self {
            Self::Kept => {}
            Self::Removed => *member = T::default(),
            Self::Set(value) => *member = value,
        }
    }
}
