//! Generates the `suite!` macro from the cases: every `pub async fn` of a module in `src/` is one.

use std::{env, error::Error, fmt::Write as _, fs, path::Path};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=src");
    let mut modules = Vec::new();
    for entry in fs::read_dir("src")? {
        let path = entry?.path();
        let cases = cases_in(&fs::read_to_string(&path)?);
        if let Some(module) = path.file_stem().and_then(|stem| stem.to_str())
            && !cases.is_empty()
        {
            modules.push((module.to_owned(), cases));
        }
    }
    modules.sort();
    let generated = Path::new(&env::var("OUT_DIR")?).join("suite.rs");
    fs::write(generated, macros(&modules)?)?;
    Ok(())
}

fn cases_in(source: &str) -> Vec<String> {
    let signatures = source.lines().filter_map(|line| line.strip_prefix("pub async fn "));
    signatures.filter_map(|rest| rest.split_once('(')).map(|(name, _)| name.to_owned()).collect()
}

fn macros(modules: &[(String, Vec<String>)]) -> Result<String, std::fmt::Error> {
    let mut arms = String::new();
    for (module, cases) in modules {
        writeln!(arms, "    ({module}) => {{ $crate::tests_of!({module} {{ {} }}); }};", cases.join(", "))?;
    }
    let all: Vec<_> = modules.iter().map(|(module, _)| module.as_str()).collect();
    Ok(format!(
        r"
/// Generates one test per case: of all modules, or of those listed after `only`. The crate's documentation shows both.
#[macro_export]
macro_rules! suite {{
    ($fixture:expr) => {{ $crate::suite!($fixture, only: [{}]); }};
    ($fixture:expr, only: [$($module:ident),+ $(,)?]) => {{
        #[cfg(test)]
        async fn latchkey_conformance_fixture() -> $crate::Fixture {{
            ($fixture)().await
        }}

        $($crate::module!($module);)+
    }};
}}

/// Generates the tests of one module; used by [`suite!`].
#[doc(hidden)]
#[macro_export]
macro_rules! module {{
{arms}}}
",
        all.join(", ")
    ))
}
