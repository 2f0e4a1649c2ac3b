//! The cases about API tokens.

/// Makes tests of the cases about API tokens; for [`suite!`](crate::suite) alone.
#[doc(hidden)]
#[macro_export]
macro_rules! cases_of_tokens {
    () => {
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
            whether_there_are_any,
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
        $crate::area!(quota_races {
            one_project,
            several_projects,
            all_projects,
            overlapping_projects,
            limits_do_not_touch_each_other,
            first_tokens,
        });
        $crate::area!(token_lists {
            a_list_has_whole_tokens,
            by_kind,
            by_project,
            by_environment,
            by_name,
            by_part_of_a_name,
            by_expiry,
            by_last_use,
            by_everything_at_once,
        });
        $crate::area!(token_orders {
            by_creation,
            by_id_within_a_millisecond,
            by_name,
            by_end,
            by_last_use,
            pages_by_offset,
            the_ends_of_a_list,
            pages_by_the_last_id,
            after_any_id,
            after_an_id_in_another_order,
        });
        $crate::area!(token_changes {
            an_end_changes,
            an_end_of_any_year,
            an_end_that_changed_meanwhile,
            an_end_of_nothing,
            one_change_wins,
            a_change_beside_a_removal,
        });
        $crate::area!(rotation {
            with_an_overlap,
            without_an_overlap,
            several_retired_secrets,
            an_overlap_of_any_year,
            an_alias_stays,
            what_is_kept_of_a_secret_changes,
            by_any_of_several_digests,
            a_secret_that_changed_meanwhile,
            a_new_secret_is_new,
            a_retired_secret_is_taken,
            nothing_to_rotate,
            the_order_of_refusals,
            a_removal_takes_all_secrets,
            a_retired_secret_finds_the_token_of_the_moment,
            retired_secrets_are_few,
        });
        $crate::area!(rotation_races {
            one_rotation_wins,
            a_rotation_beside_a_removal,
            a_rotation_beside_a_project_removal,
            one_secret_wins,
        });
        $crate::area!(master_keys {
            the_secrets_of_tokens_are_walked_by_id,
            a_sealed_secret_gets_under_another_key,
            what_has_a_digest_alone_gets_under_another_key,
            what_changed_meanwhile_is_passed_over,
            a_form_is_never_changed,
            a_digest_that_is_taken_is_passed_over,
            of_two_with_one_digest_the_first,
            a_big_batch,
        });
        $crate::area!(master_key_counts { secrets_are_counted_by_key, what_has_ended_is_counted_apart });
        $crate::area!(master_key_races {
            beside_a_rotation,
            beside_a_removal,
            beside_a_project_removal,
            beside_the_end_of_a_user,
            two_at_once,
            dropped,
        });
    };
}
