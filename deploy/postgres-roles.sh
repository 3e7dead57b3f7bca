#!/bin/sh
# The roles of the database: lotus_owner owns the tables and runs migrations, lotus_app is the application and owns nothing.
# Runs by itself on a new volume. On one of an earlier version, once: docker compose exec postgres sh /docker-entrypoint-initdb.d/roles.sh
set -eu
psql --quiet --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" \
    --set owner_password="$LOTUS_OWNER_PASSWORD" --set app_password="$LOTUS_APP_PASSWORD" <<'SQL'
SELECT 'CREATE ROLE lotus_owner' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'lotus_owner') \gexec
SELECT 'CREATE ROLE lotus_app' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'lotus_app') \gexec
ALTER ROLE lotus_owner LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'owner_password';
ALTER ROLE lotus_app LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'app_password';
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE, CREATE ON SCHEMA public TO lotus_owner;
GRANT USAGE ON SCHEMA public TO lotus_app;
-- What an earlier version made as another role.
SELECT format('ALTER TABLE %I OWNER TO lotus_owner', tablename) FROM pg_tables WHERE schemaname = 'public' \gexec
SELECT format('ALTER FUNCTION %s OWNER TO lotus_owner', oid::regprocedure) FROM pg_proc
    WHERE pronamespace = 'public'::regnamespace \gexec
SQL
