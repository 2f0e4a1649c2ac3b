//! The macro that makes tests of the cases, which are listed by what they are about.

/// Makes a test of every case: see the crate's documentation.
#[macro_export]
macro_rules! suite {
    ($fixture:expr) => {
        #[cfg(test)]
        async fn latchkey_conformance_fixture() -> $crate::Fixture {
            ($fixture)().await
        }

        $crate::cases_of_the_store!();
        $crate::cases_of_tokens!();
        $crate::cases_of_places!();
        $crate::cases_of_people!();
    };
}

/// Makes a module of tests of the cases of one area; for [`suite!`] alone.
#[doc(hidden)]
#[macro_export]
macro_rules! area {
    ($area:ident { $($case:ident),* $(,)? }) => {
        #[cfg(test)]
        mod $area {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
                async fn $case() {
                    let fixture = super::latchkey_conformance_fixture().await;
                    $crate::$area::$case(&fixture.store).await;
                }
            )*
        }
    };
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    /// A case that is in no list never runs, and nobody would know.
    #[test]
    fn every_case_is_listed() {
        let lists = [
            include_str!("cases_of_people.rs"),
            include_str!("cases_of_places.rs"),
            include_str!("cases_of_the_store.rs"),
            include_str!("cases_of_tokens.rs"),
        ];
        let list = lists.concat();
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut cases = 0;
        for entry in fs::read_dir(sources).expect("the sources") {
            let path = entry.expect("a source").path();
            let source = fs::read_to_string(&path).expect("text");
            let area = path.file_stem().and_then(|stem| stem.to_str()).expect("a name");
            let named: Vec<_> = source
                .lines()
                .filter_map(|line| line.strip_prefix("pub async fn ")?.split_once('('))
                .map(|(name, _)| name)
                .collect();
            if named.is_empty() {
                continue;
            }
            let (_, listed) = list
                .split_once(&format!("$crate::area!({area} {{"))
                .unwrap_or_else(|| panic!("no list of {area}"));
            let (listed, _) = listed.split_once('}').expect("the end of a list");
            let listed: Vec<_> = listed.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
            assert_eq!(listed, named, "the list of {area}");
            cases += named.len();
        }
        assert!(cases > 250, "only {cases} cases were found");
    }
}
