-- Files' metadata: buckets, and the objects in them. Columns, types and defaults are those of the storage document.
-- The roles anon, authenticated, service_role, supabase_admin and supabase_storage_admin exist before any migration.

CREATE SCHEMA storage;

CREATE TABLE storage.buckets (
    id text PRIMARY KEY,
    name text NOT NULL UNIQUE,
    owner uuid,
    created_at timestamptz DEFAULT now(),
    updated_at timestamptz DEFAULT now(),
    public boolean DEFAULT false,
    avif_autodetection boolean DEFAULT false,
    file_size_limit bigint DEFAULT 0,
    allowed_mime_types text[]
);

COMMENT ON COLUMN storage.buckets.file_size_limit IS 'Bytes; 0 or NULL is no limit';
COMMENT ON COLUMN storage.buckets.allowed_mime_types IS 'NULL is any; image/* is every type of image';

CREATE TABLE storage.objects (
    id uuid DEFAULT gen_random_uuid() PRIMARY KEY,
    bucket_id text NOT NULL REFERENCES storage.buckets (id),
    name text NOT NULL,
    owner uuid,
    created_at timestamptz DEFAULT now(),
    updated_at timestamptz DEFAULT now(),
    last_accessed_at timestamptz DEFAULT now(),
    metadata jsonb,
    path_tokens text[] GENERATED ALWAYS AS (string_to_array(name, '/')) STORED,
    version uuid,
    UNIQUE (bucket_id, name)
);

COMMENT ON COLUMN storage.objects.metadata IS 'size (bytes) and mimetype are checked against the bucket';

-- Names below a path (`WHERE bucket_id = … AND name LIKE 'a/b/%'`) whatever the collation, and what one user owns.
CREATE INDEX objects_bucket_id_name_prefix ON storage.objects (bucket_id, name text_pattern_ops);
CREATE INDEX objects_owner ON storage.objects (owner);
CREATE INDEX objects_path_tokens ON storage.objects USING gin (path_tokens);
