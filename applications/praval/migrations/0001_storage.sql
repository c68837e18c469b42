-- The table of the document. Its provider makes tables by itself where there are none: CREATE is for those, and they belong
-- to the login.

CREATE TABLE storage (
    key text PRIMARY KEY CHECK (key <> ''),
    data jsonb NOT NULL,
    metadata jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(metadata) = 'object'),
    created_at timestamptz NOT NULL DEFAULT now()
);

COMMENT ON COLUMN storage.metadata IS 'ttl: seconds after created_at from when the row no longer counts';

CREATE INDEX storage_metadata ON storage USING gin (metadata jsonb_path_ops);
CREATE INDEX storage_created_at ON storage (created_at DESC);

GRANT CREATE ON SCHEMA public TO praval;
