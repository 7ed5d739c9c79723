-- Roles and rights of the platform; run once per server as a superuser in template1 (production: in the platform's database).
-- The owner migrates, the app serves under row-level security, the audit role reads.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'yl_owner') THEN CREATE ROLE yl_owner LOGIN CREATEDB; END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'yl_app') THEN CREATE ROLE yl_app LOGIN; END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'yl_audit') THEN CREATE ROLE yl_audit LOGIN; END IF;
END $$;
ALTER ROLE yl_audit SET default_transaction_read_only = on;

ALTER DEFAULT PRIVILEGES FOR ROLE yl_owner GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO yl_app;
ALTER DEFAULT PRIVILEGES FOR ROLE yl_owner GRANT USAGE, SELECT ON SEQUENCES TO yl_app;
ALTER DEFAULT PRIVILEGES FOR ROLE yl_owner GRANT SELECT ON TABLES TO yl_audit;

CREATE EXTENSION IF NOT EXISTS btree_gist;
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE EXTENSION IF NOT EXISTS ltree;
