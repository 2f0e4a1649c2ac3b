//! What only the program that serves the console knows of itself.

/// What only the program that serves the console knows of itself.
#[derive(Debug, Default)]
pub struct Instance {
    /// The name of the database system; empty if it is not known.
    pub store: &'static str,
    /// The settings in effect, in the order of their declaration.
    pub settings: Vec<Setting>,
}

/// A setting in effect.
#[derive(Debug)]
pub struct Setting {
    pub section: &'static str,
    pub name: &'static str,
    /// The value as it may be shown, with passwords masked.
    pub value: String,
    /// Where it comes from: `default`, a variable, a file or a flag.
    pub origin: String,
}

impl Setting {
    /// The origin of a value that nothing sets.
    pub(super) const DEFAULT: &str = "default";

    pub(super) fn is_default(&self) -> bool {
        self.origin == Self::DEFAULT
    }
}
