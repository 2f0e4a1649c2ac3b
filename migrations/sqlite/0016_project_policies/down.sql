DROP TABLE project_policies;
