-- Two roles for PostgreSQL: support_owner owns the schema and changes it, and
-- support_app is what `support serve` signs in as. The second can neither
-- change nor remove a line of the audit log, nor drop or alter a table.
--
-- Run by a superuser in the database, once, and again after each upgrade that
-- has a new step of the schema (`support migrate status`):
--
--   psql -v ON_ERROR_STOP=1 -f postgres-roles.sql support
--   \password support_owner
--   \password support_app
--
-- DATABASE_URL of `support migrate` and `support rebuild` names support_owner,
-- that of `serve` and of all other commands support_app.

DO $$
BEGIN
	IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'support_owner') THEN
		CREATE ROLE support_owner LOGIN;
	END IF;
	IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'support_app') THEN
		CREATE ROLE support_app LOGIN;
	END IF;
END $$;

-- What is there already changes hands; what comes is the owner's from the start.
DO $$
DECLARE r record;
BEGIN
	EXECUTE format('GRANT CREATE ON DATABASE %I TO support_owner', current_database());
	FOR r IN SELECT c.oid::regclass AS name FROM pg_class c
		WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'S', 'v')
			AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype IN ('a', 'i') AND d.classid = 'pg_class'::regclass)
	LOOP
		EXECUTE format('ALTER TABLE %s OWNER TO support_owner', r.name);
	END LOOP;
END $$;

REVOKE CREATE ON SCHEMA public FROM PUBLIC, support_app;
GRANT USAGE, CREATE ON SCHEMA public TO support_owner;
GRANT USAGE ON SCHEMA public TO support_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO support_app;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO support_app;
-- In any schema: a rebuild makes its tables beside the live ones and moves them.
ALTER DEFAULT PRIVILEGES FOR ROLE support_owner GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO support_app;
ALTER DEFAULT PRIVILEGES FOR ROLE support_owner GRANT USAGE, SELECT ON SEQUENCES TO support_app;

-- The audit log is added to and read; its head moves.
REVOKE UPDATE, DELETE, TRUNCATE ON audit FROM support_app;
