SELECT setval(pg_get_serial_sequence('roles', 'id'), max(id)) FROM roles;
