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
    };
}
