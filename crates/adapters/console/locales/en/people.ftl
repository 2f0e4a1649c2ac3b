# Users, service accounts, groups and roles.
