-- metadata.ttl, which Redis knows by itself. What it holds has to be a number of seconds above 0.

ALTER TABLE storage ADD CONSTRAINT storage_ttl CHECK (
    NOT metadata ? 'ttl'
    OR (jsonb_typeof(metadata -> 'ttl') = 'number' AND (metadata ->> 'ttl')::numeric > 0)
);

-- What a cleanup looks at: rows that can expire at all.
CREATE INDEX storage_expiring ON storage (created_at) WHERE metadata ? 'ttl';

-- Rows that still count.
CREATE VIEW live_storage AS
    SELECT key, data, metadata, created_at FROM storage
    WHERE NOT metadata ? 'ttl'
        OR created_at + make_interval(secs => (metadata ->> 'ttl')::double precision) > now();

-- One batch, so that no cleanup holds locks for long: call it until it returns 0.
CREATE FUNCTION delete_expired(batch integer DEFAULT 10000) RETURNS bigint
    LANGUAGE sql
BEGIN ATOMIC
    WITH gone AS (
        DELETE FROM storage WHERE key IN (
            SELECT key FROM storage
            WHERE metadata ? 'ttl'
                AND created_at + make_interval(secs => (metadata ->> 'ttl')::double precision) <= now()
            LIMIT batch
        )
        RETURNING key
    )
    SELECT count(*) FROM gone;
END;
