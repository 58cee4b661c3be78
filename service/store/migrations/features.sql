-- Runs after every migration; safe to run again. Uses what the server has beyond plain PostgreSQL, so a site that
-- installs TimescaleDB later gains it with its next `lumbar db migrate`. CREATE EXTENSION is the operator's job.
-- The function is looked up as well as the extension: builds exist that have one without the other.
DO $$
DECLARE
    home text;
BEGIN
    SELECT n.nspname INTO home
    FROM pg_catalog.pg_extension e
    JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
    WHERE e.extname = 'timescaledb'
      AND EXISTS (
          SELECT FROM pg_catalog.pg_proc p WHERE p.pronamespace = e.extnamespace AND p.proname = 'create_hypertable'
      );
    IF home IS NULL THEN
        RAISE DEBUG 'plain PostgreSQL: lumbar.finding stays an ordinary table';
        RETURN;
    END IF;
    EXECUTE format(
        'SELECT %I.create_hypertable(''lumbar.finding'', ''t0'', chunk_time_interval => interval ''7 days'','
        ' if_not_exists => true, migrate_data => true)',
        home
    );
END
$$;
