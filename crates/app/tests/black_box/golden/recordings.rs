//! The files of recorded cases.

use serde_json::Value;

use crate::golden::Case;

macro_rules! recordings {
    ($($file:ident = $name:literal,)*) => {
        /// A file of recorded cases.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Recording {
            $($file,)*
        }

        impl Recording {
            /// Every file there is.
            pub(crate) const ALL: &[Self] = &[$(Self::$file),*];

            fn text(self) -> &'static str {
                match self {
                    $(Self::$file => include_str!($name),)*
                }
            }
        }
    };
}

recordings! {
    Access = "access.json",
    AuthWhoami = "auth-whoami.json",
    Events = "events.json",
    InitLimits = "init-limits.json",
    InstanceTokens = "instance-tokens.json",
    OpsGeneric = "ops-generic.json",
    PersonalTokens = "personal-tokens.json",
    ProjectTokens = "project-tokens.json",
    ProjectsEnvironments = "projects-environments.json",
    TokenUse = "token-use.json",
    Users = "users.json",
}

impl Recording {
    /// Its cases, in order.
    pub(crate) fn cases(self) -> Vec<Case> {
        let recorded: Value = serde_json::from_str(self.text()).expect("the recorded cases");
        recorded.as_array().expect("a list").iter().map(Case::read).collect()
    }
}
