//! An error with its causes, for logs and for the command line.

use std::{error::Error, fmt};

/// Displays an error and its causes in one line, except for a cause that only repeats the text before.
#[derive(Debug)]
pub struct ErrorChain<'e>(pub &'e (dyn Error + 'static));

impl fmt::Display for ErrorChain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut said = self.0.to_string();
        f.write_str(&said)?;
        for cause in std::iter::successors(self.0.source(), |&cause| cause.source()) {
            let cause = cause.to_string();
            if !said.ends_with(&cause) {
                write!(f, ": {cause}")?;
                said = cause;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{said}")]
    struct Step {
        said: &'static str,
        source: Option<Box<Step>>,
    }

    #[test]
    fn causes_follow_and_are_not_repeated() {
        let step = |said, source: Option<Step>| Step { said, source: source.map(Box::new) };
        let error = step("no token", Some(step("not kept: disk full", Some(step("disk full", None)))));
        assert_eq!(ErrorChain(&error).to_string(), "no token: not kept: disk full");
        assert_eq!(ErrorChain(&step("no token", None)).to_string(), "no token");
    }
}
