-- Roles that people make from now on get ids from 100 on, as on SQLite: those below are kept for roles to be built in.
SELECT setval(pg_get_serial_sequence('roles', 'id'), greatest(max(id), 99)) FROM roles;
