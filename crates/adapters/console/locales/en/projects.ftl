# Projects, their members and their policies.
