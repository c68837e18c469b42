-- Queries that every reader writes alike, and the cleanup.

-- Best rank first; of every category, or of one. A negative or missing limit is refused by LIMIT itself.
CREATE FUNCTION top_trends(wanted category DEFAULT NULL, page_size integer DEFAULT 10, page_offset integer DEFAULT 0)
    RETURNS SETOF trends
    LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT * FROM trends
    WHERE (wanted IS NULL OR trends.category = wanted) AND state <> 'archived'
    ORDER BY rank, score DESC, id
    LIMIT page_size OFFSET page_offset;
END;

-- What a person types ("ai -crypto", "deep learning" in quotes), best match first.
CREATE FUNCTION search_trends(typed text, page_size integer DEFAULT 10)
    RETURNS SETOF trends
    LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT * FROM trends
    WHERE search @@ websearch_to_tsquery('english', typed)
    ORDER BY ts_rank(search, websearch_to_tsquery('english', typed)) DESC, score DESC, id
    LIMIT page_size;
END;

CREATE FUNCTION items_of_topic(topic uuid, page_size integer DEFAULT 100)
    RETURNS SETOF processed_items
    LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT processed_items.* FROM processed_items
    JOIN topic_items ON topic_items.item_id = processed_items.id
    WHERE topic_items.topic_id = topic
    ORDER BY topic_items.relevance DESC, processed_items.published_at DESC NULLS LAST, processed_items.id
    LIMIT page_size;
END;

-- One batch, so that no cleanup holds locks for long: call it until it returns 0.
CREATE FUNCTION delete_old_items(older_than interval DEFAULT '30 days', batch integer DEFAULT 10000) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = ''
AS $$
DECLARE
    deleted bigint;
BEGIN
    IF older_than <= interval '0' OR batch < 1 THEN
        RAISE EXCEPTION 'delete_old_items: older_than % and batch % must both be above 0', older_than, batch
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    DELETE FROM public.processed_items WHERE id IN (
        SELECT id FROM public.processed_items WHERE collected_at < now() - older_than
        ORDER BY collected_at LIMIT batch FOR UPDATE SKIP LOCKED
    );
    GET DIAGNOSTICS deleted = ROW_COUNT;
    RETURN deleted;
END
$$;
