-- Once, on the primary: sudo -u postgres psql -v password="$PASSWORD" -f create-database.sql
CREATE ROLE latchkey LOGIN PASSWORD :'password';
CREATE DATABASE latchkey OWNER latchkey TEMPLATE template0 ENCODING UTF8 LOCALE 'C.UTF-8';
