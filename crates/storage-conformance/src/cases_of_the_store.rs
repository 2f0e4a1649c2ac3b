//! The cases about the store as a whole: what is in a new one, the audit trail, and calls that come at once or are dropped.

/// Makes tests of the cases about the store as a whole: what is in a new one, the audit trail, and calls that come at once or are dropped; for [`suite!`](crate::suite) alone.
#[doc(hidden)]
#[macro_export]
macro_rules! cases_of_the_store {
    () => {
        $crate::area!(fresh {
            it_answers,
            there_is_one_project,
            there_are_two_environments,
            there_are_the_built_in_roles,
            there_is_nothing_else,
            an_id_is_none_of_a_built_in_role,
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
            followers_miss_nothing_of_removals,
        });
        $crate::area!(dropped_futures {
            of_creations,
            never_begun,
            of_removals,
            of_everything_else,
            many_at_once,
        });
        $crate::area!(sweep {
            nothing_to_forget,
            retired_secrets,
            sessions,
            login_failures,
            everything_at_once,
            tokens_stay,
        });
        $crate::area!(event_queries {
            the_newest_first,
            by_kind,
            by_actor,
            by_time,
            by_project,
            by_reach,
            a_removed_project_has_its_trail,
            by_everything_at_once,
            pages,
            counting_ends,
            old_events_are_forgotten,
            the_newest_stays,
        });
        $crate::area!(removal_races {
            a_project_and_its_tokens,
            an_environment_and_its_tokens,
            two_projects_at_once,
            one_removal_wins,
            a_project_and_an_environment,
            counts_beside_each_other,
        });
        $crate::area!(dropped_changes {
            of_rotations,
            of_changed_ends,
            of_other_creations,
            of_other_changes,
        });
        $crate::area!(dropped_removals { of_project_removals, of_environment_removals, of_other_removals });
    };
}
