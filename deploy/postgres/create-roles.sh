#!/bin/sh
# Run once by the database image on an empty volume: the owner of the schema and the role that
# serves. The passwords come from the environment and are quoted by psql.
set -eu
psql --set ON_ERROR_STOP=1 --no-psqlrc --quiet --username postgres --dbname postgres <<'SQL'
\getenv owner_password OWNER_DATABASE_PASSWORD
\getenv app_password APP_DATABASE_PASSWORD
SET password_encryption = 'scram-sha-256';
CREATE ROLE bidwell_owner LOGIN PASSWORD :'owner_password';
CREATE ROLE bidwell_app LOGIN PASSWORD :'app_password';
CREATE DATABASE bidwell OWNER bidwell_owner;
REVOKE CONNECT ON DATABASE bidwell FROM PUBLIC;
GRANT CONNECT ON DATABASE bidwell TO bidwell_app;
SQL
