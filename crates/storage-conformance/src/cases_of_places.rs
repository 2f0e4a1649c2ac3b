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
            an_id_is_unique,
            no_id_is_given_again,
            case_matters,
        });
    };
}
