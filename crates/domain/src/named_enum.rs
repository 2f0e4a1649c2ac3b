//! Enums whose values have names on the wire and in stores.

/// Declares an enum with the name of each value, and parsing and printing by that name. The part after `else` is the
/// error for any other text.
macro_rules! named_enum {
    (
        $(#[$meta:meta])*
        pub enum $type:ident { $($(#[$value_meta:meta])* $value:ident = $name:literal,)+ }
        else $error:ty: $make:expr
    ) => {
        $(#[$meta])*
        pub enum $type { $($(#[$value_meta])* $value,)+ }

        impl $type {
            /// Every value.
            pub const ALL: &[Self] = &[$(Self::$value),+];

            /// Returns the name on the wire and in stores.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$value => $name,)+
                }
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $type {
            type Err = $error;

            fn from_str(text: &str) -> Result<Self, $error> {
                Self::ALL.iter().copied().find(|value| value.as_str() == text).ok_or_else(|| $make(text))
            }
        }
    };
}
