-- What holds for every writer: updated_at tells the truth, and an object keeps its bucket's limits.

CREATE FUNCTION storage.set_updated_at() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = ''
AS $$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END
$$;

CREATE TRIGGER set_updated_at BEFORE UPDATE ON storage.buckets
    FOR EACH ROW EXECUTE FUNCTION storage.set_updated_at();

CREATE TRIGGER set_updated_at BEFORE UPDATE ON storage.objects
    FOR EACH ROW EXECUTE FUNCTION storage.set_updated_at();

-- SECURITY DEFINER: whoever writes an object need not be allowed to read its bucket. The owner reads every bucket by a
-- policy of its own; should that ever be lost, no row is found, and the trigger refuses rather than waves through.
CREATE FUNCTION storage.enforce_limits() RETURNS trigger
    LANGUAGE plpgsql
    SECURITY DEFINER
    SET search_path = ''
AS $$
DECLARE
    bucket storage.buckets;
    size text := NEW.metadata ->> 'size';
    mimetype text := NEW.metadata ->> 'mimetype';
BEGIN
    SELECT * INTO bucket FROM storage.buckets WHERE id = NEW.bucket_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'bucket "%" does not exist', NEW.bucket_id USING ERRCODE = 'foreign_key_violation';
    END IF;
    IF NEW.metadata IS NULL THEN
        RETURN NEW; -- an upload that has only begun; its metadata are checked when they are written
    END IF;

    IF bucket.file_size_limit > 0 THEN
        IF size IS NULL OR size !~ '^[0-9]+$' THEN
            RAISE EXCEPTION 'object "%": metadata has no size in bytes, and bucket "%" limits it', NEW.name, bucket.id
                USING ERRCODE = 'check_violation';
        END IF;
        IF size::numeric > bucket.file_size_limit THEN
            RAISE EXCEPTION 'object "%" has % bytes, and bucket "%" allows %',
                NEW.name, size, bucket.id, bucket.file_size_limit
                USING ERRCODE = 'check_violation';
        END IF;
    END IF;

    IF bucket.allowed_mime_types IS NOT NULL AND NOT EXISTS (
        SELECT FROM unnest(bucket.allowed_mime_types) AS allowed
        WHERE lower(mimetype) = lower(allowed)
           OR (allowed LIKE '%/*' AND starts_with(lower(mimetype), lower(left(allowed, -1))))
    ) THEN
        RAISE EXCEPTION 'object "%" is of type %, and bucket "%" allows %',
            NEW.name, coalesce(mimetype, '(none)'), bucket.id, array_to_string(bucket.allowed_mime_types, ', ')
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER enforce_limits BEFORE INSERT OR UPDATE OF bucket_id, metadata ON storage.objects
    FOR EACH ROW EXECUTE FUNCTION storage.enforce_limits();
