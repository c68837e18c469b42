-- A list knows its length, and each value its place: the length costs one row, a page as many rows as it has.

CREATE TABLE lists (
    key text PRIMARY KEY CHECK (key <> ''),
    length bigint NOT NULL DEFAULT 0 CHECK (length >= 0)
);

CREATE INDEX lists_key_prefix ON lists (key text_pattern_ops);

CREATE TABLE list_values (
    key text NOT NULL REFERENCES lists (key) ON DELETE CASCADE,
    position bigint NOT NULL CHECK (position >= 0),
    value jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (key, position)
);

-- Returns the new length. Two that append to one list wait for each other: no place is given twice, and none is left out.
CREATE FUNCTION list_append(list_key text, new_value jsonb) RETURNS bigint
    LANGUAGE sql
BEGIN ATOMIC
    WITH head AS (
        INSERT INTO lists (key, length) VALUES (list_key, 1)
        ON CONFLICT (key) DO UPDATE SET length = lists.length + 1
        RETURNING length
    )
    INSERT INTO list_values (key, position, value) SELECT list_key, head.length - 1, new_value FROM head
    RETURNING position + 1;
END;

CREATE FUNCTION list_length(list_key text) RETURNS bigint
    LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT coalesce((SELECT length FROM lists WHERE key = list_key), 0);
END;

-- From `first` to `last`, both included, as Redis counts: -1 is the last value, -10 the tenth from the end.
CREATE FUNCTION list_range(list_key text, first bigint, last bigint) RETURNS TABLE (place bigint, value jsonb)
    LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT position, list_values.value FROM list_values
    WHERE key = list_key
        AND position >= CASE WHEN first < 0 THEN list_length(list_key) + first ELSE first END
        AND position <= CASE WHEN last < 0 THEN list_length(list_key) + last ELSE last END
    ORDER BY position;
END;
