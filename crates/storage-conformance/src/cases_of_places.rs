//! The cases about projects and environments.

/// Makes tests of the cases about projects and environments; for [`suite!`](crate::suite) alone.
#[doc(hidden)]
#[macro_export]
macro_rules! cases_of_places {
    () => {
        $crate::area!(places {
            a_project_is_read_back,
            an_archived_project_is_read_back,
            moments_of_all_years_are_read_back,
            projects_are_listed_by_id,
            modes_are_read_back,
            a_project_has_its_environments,
            a_project_has_its_owner,
            the_order_of_refusals,
            an_id_is_unique,
            no_id_is_given_again,
            case_matters,
        });
        $crate::area!(project_changes {
            everything_changes,
            the_first_project_changes,
            moments_of_all_years,
            an_archived_project_keeps_what_is_in_it,
            a_project_that_changed_meanwhile,
            a_project_that_is_not_there,
            one_change_wins,
        });
        $crate::area!(project_lists {
            by_visibility,
            the_archive,
            there_and_back,
            pages,
            no_overview_of_nothing,
            members_are_counted,
            tokens_are_counted,
            each_projects_own,
        });
        $crate::area!(project_removal {
            each_token_meets_its_fate,
            a_narrowed_token_goes_on,
            a_revoked_token_is_gone,
            no_token_widens,
            what_was_in_it_goes,
            a_removed_project_can_be_created_again,
            an_archived_project_can_be_removed,
            nothing_to_remove,
            many_tokens,
        });
        $crate::area!(environments {
            every_sort_is_read_back,
            a_name_is_unique,
            a_list_is_sorted,
            everything_changes,
            an_environment_that_changed_meanwhile,
            an_environment_that_is_not_there,
            places_change_together,
            all_places_or_none,
            counts_are_exact,
            one_change_wins,
            one_environment_wins,
        });
        $crate::area!(project_environments {
            there_and_back,
            a_project_may_have_none,
            tokens_are_not_touched,
            an_environment_is_in_a_project_once,
            what_is_not_there,
            what_is_not_in_the_project,
            one_wins_each_way,
            beside_a_removal,
        });
        $crate::area!(environment_removal {
            each_token_in_it_is_revoked,
            a_revoked_token_is_gone,
            it_leaves_all_projects,
            all_of_them,
            a_removed_environment_can_be_created_again,
            nothing_to_remove,
            many_tokens,
        });
    };
}
