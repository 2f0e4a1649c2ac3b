DROP TRIGGER membership_removed;
DROP TRIGGER membership_added;
DROP TRIGGER project_made_without_members;
DROP TABLE project_member_counts;
