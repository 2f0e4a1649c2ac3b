//! The list of cases, and the macro that makes tests of them.

/// Makes a test of every case: see the crate's documentation.
#[macro_export]
macro_rules! suite {
    ($fixture:expr) => {
        #[cfg(test)]
        async fn latchkey_conformance_fixture() -> $crate::Fixture {
            ($fixture)().await
        }

        $crate::area!(fresh {
            it_answers,
            there_is_one_project,
            there_are_two_environments,
            there_are_the_built_in_roles,
            there_is_nothing_else,
        });
        $crate::area!(tokens {
            every_kind_is_read_back,
            the_longest_values_are_read_back,
            names_are_kept_as_they_are,
            moments_of_all_years_are_read_back,
            projects_keep_their_order,
            tokens_are_listed_by_id,
            a_token_is_listed_under_each_of_its_projects,
            tokens_of_all_projects_are_not_listed,
            a_list_of_an_unknown_project_is_refused,
            a_token_is_found_by_any_of_several_digests,
            a_removed_token_is_gone,
            removing_nothing_is_refused,
            a_removed_token_can_be_created_again,
        });
        $crate::area!(token_refusals {
            the_order_of_refusals,
            places_that_are_not_there,
            the_quota_of_a_project,
            the_quota_of_all_projects,
            the_largest_quota,
            a_digest_is_unique,
            an_id_is_unique,
        });
        $crate::area!(first_tokens {
            all_are_kept_with_their_events,
            they_are_kept_once,
            not_where_there_is_a_token,
            again_once_there_is_none,
            none_at_all,
            all_or_none,
        });
        $crate::area!(seen {
            a_moment_is_noted,
            a_moment_never_goes_backwards,
            moments_of_all_years_are_noted,
            tokens_that_are_gone_are_passed_over,
            no_event_is_left,
            a_big_batch_is_noted,
        });
        $crate::area!(places {
            a_project_is_read_back,
            an_archived_project_is_read_back,
            moments_of_all_years_are_read_back,
            projects_are_listed_by_id,
            an_id_is_unique,
            no_id_is_given_again,
            case_matters,
        });
        $crate::area!(users {
            every_sort_is_read_back,
            the_longest_values_are_read_back,
            moments_of_all_years_are_read_back,
            ids_are_positive_and_differ,
            a_root_role_must_be_one,
            identities_are_unique,
            what_is_missing_does_not_clash,
            a_login_is_a_user_name_or_an_email,
            a_user_name_is_preferred,
        });
        $crate::area!(access {
            the_root_role_counts,
            roles_in_projects_count,
            nobody_has_no_grants,
            the_order_of_refusals,
            a_root_role_is_refused,
            a_role_is_held_once,
        });
        $crate::area!(personal_tokens {
            a_token_is_found_with_its_user,
            grants_are_of_the_moment,
            a_token_is_found_by_any_of_several_digests,
            the_extremes_are_read_back,
            an_unknown_user_is_refused,
            a_description_is_unique_among_the_users,
            a_digest_is_unique,
            a_moment_never_goes_backwards,
            a_big_batch_is_noted,
        });
        $crate::area!(events {
            every_mutation_leaves_its_event,
            no_id_is_added_to_nothing,
            kinds_and_actors_are_read_back,
            origins_are_read_back,
            places_are_read_back,
            snapshots_are_read_back,
            moments_of_all_years_are_read_back,
            the_trail_is_read_in_pages,
            the_ends_of_the_trail,
        });
        $crate::area!(races {
            one_removal_wins,
            one_project_wins,
            one_user_of_an_email_wins,
            one_user_of_a_name_wins,
            one_membership_wins,
            one_personal_token_wins,
            one_secret_wins,
            creations_do_not_block_each_other,
            notes_do_not_block_each_other,
            followers_miss_nothing,
        });
        $crate::area!(quota_races {
            one_project,
            several_projects,
            all_projects,
            overlapping_projects,
            limits_do_not_touch_each_other,
            first_tokens,
        });
        $crate::area!(dropped_futures {
            of_creations,
            never_begun,
            of_removals,
            of_everything_else,
            many_at_once,
        });
    };
}

/// Makes a module of tests of the cases of one area; for [`suite!`] alone.
#[doc(hidden)]
#[macro_export]
macro_rules! area {
    ($area:ident { $($case:ident,)* }) => {
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
        let list = include_str!("suite.rs");
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
        assert!(cases > 80, "only {cases} cases were found");
    }
}
