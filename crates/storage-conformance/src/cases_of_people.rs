//! The cases about people, service accounts and what they hold.

/// Makes tests of the cases about people, service accounts and what they hold; for [`suite!`](crate::suite) alone.
#[doc(hidden)]
#[macro_export]
macro_rules! cases_of_people {
    () => {
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
        $crate::area!(accounts {
            a_password_is_read_back,
            nobodys_account,
            a_password_is_set,
            a_new_password_ends_sessions,
            no_password_for_these,
            a_list_has_one_kind,
            a_list_in_pages,
            a_search,
            a_search_has_an_end,
        });
        $crate::area!(passwords {
            a_session_begins_by_the_password_that_is,
            a_password_is_replaced_that_is_the_one_seen,
            a_replaced_password_opens_no_session,
            an_upgraded_hash_ends_nothing_and_leaves_no_event,
            only_the_hash_that_was_seen_is_upgraded,
        });
        $crate::area!(user_changes {
            everything_changes,
            the_case_of_an_address_changes,
            what_was_given_up_is_free,
            everything_else_stays,
            a_user_who_changed_meanwhile,
            the_order_of_refusals,
            anothers_identity_is_taken,
            a_new_root_role_counts,
            a_user_goes_with_everything,
            no_id_is_given_again,
            nobody_goes,
            one_change_wins,
        });
        $crate::area!(last_admin {
            the_last_one_stays,
            all_but_one_can_go,
            a_new_one_lets_the_old_go,
            the_last_one_may_change,
            others_go_without_any,
            the_order_of_refusals,
            two_at_once,
            thirty_at_once,
        });
        $crate::area!(roles {
            every_sort_is_read_back,
            a_role_is_found_by_its_id,
            a_name_is_unique,
            everything_changes,
            a_change_counts_at_once,
            a_role_that_changed_meanwhile,
            the_order_of_refusals,
            a_role_goes,
            a_role_in_use_stays,
            a_role_is_free_with_its_holder,
            a_role_is_held_where_its_kind_says,
            one_wins_each_way,
            a_role_is_read_whole,
        });
        $crate::area!(memberships {
            several_users_get_several_roles,
            a_member_is_a_whole_user,
            roles_are_added,
            moments_of_all_years_are_read_back,
            what_is_named_twice,
            nothing_to_give,
            roles_are_replaced,
            roles_are_taken_away,
            the_order_of_refusals,
            the_last_of_many_replacements_stays,
            opposite_orders,
        });
        $crate::area!(personal_token_lists {
            of_several_users,
            a_token_goes,
            nothing_to_remove,
            no_more_than_there_may_be,
            the_order_of_refusals,
            thirty_at_once,
            one_removal_wins,
            beside_a_removal_of_the_user,
        });
        $crate::area!(sessions {
            a_session_is_found_with_its_user,
            grants_are_of_the_moment,
            by_any_of_several_digests,
            the_extremes_are_read_back,
            a_list_goes_by_age,
            the_user_was_seen,
            the_oldest_go,
            no_session_for_these,
            digests_and_ids_are_unique,
            a_session_ends,
            nothing_to_end,
            many_begin_at_once,
            one_end_wins,
            beside_a_removal,
        });
        $crate::area!(login_failures {
            at_first,
            each_key_by_itself,
            several_keys_at_a_time,
            old_failures_do_not_count,
            moments_of_all_years_are_noted,
            failures_are_forgotten,
            no_event_is_left,
            thirty_at_once,
            one_address_and_many_accounts,
        });
        $crate::area!(access_races {
            a_role_and_its_holders,
            a_root_role_and_its_holders,
            a_project_and_its_members,
        });
    };
}
