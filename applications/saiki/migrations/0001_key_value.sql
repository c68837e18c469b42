-- Values by key, and lists of values by key. Keys carry the client's prefix, `saiki:db:`.

CREATE TABLE kv (
    key text PRIMARY KEY CHECK (key <> ''),
    value jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

-- The keys that begin with a prefix, whatever the database's collation.
CREATE INDEX kv_key_prefix ON kv (key text_pattern_ops);

CREATE FUNCTION set_updated_at() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = ''
AS $$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END
$$;

CREATE TRIGGER set_updated_at BEFORE UPDATE ON kv FOR EACH ROW EXECUTE FUNCTION set_updated_at();
