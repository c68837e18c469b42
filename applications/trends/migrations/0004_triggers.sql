-- What holds for every writer: updated_at tells the truth, and a topic knows how many items it has.

CREATE FUNCTION set_updated_at() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = ''
AS $$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END
$$;

CREATE TRIGGER set_updated_at BEFORE UPDATE ON topics FOR EACH ROW EXECUTE FUNCTION set_updated_at();
CREATE TRIGGER set_updated_at BEFORE UPDATE ON trends FOR EACH ROW EXECUTE FUNCTION set_updated_at();
CREATE TRIGGER set_updated_at BEFORE UPDATE ON processed_items FOR EACH ROW EXECUTE FUNCTION set_updated_at();
CREATE TRIGGER set_updated_at BEFORE UPDATE ON plugin_health FOR EACH ROW EXECUTE FUNCTION set_updated_at();
CREATE TRIGGER set_updated_at BEFORE UPDATE ON pipeline_runs FOR EACH ROW EXECUTE FUNCTION set_updated_at();

-- Once per statement: a batch of a thousand rows updates each topic once. Topics are locked in the order of their ids, so
-- that two batches wait for each other instead of ending in a deadlock. A topic that goes is not there to be counted.
CREATE FUNCTION count_added_items() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = ''
AS $$
BEGIN
    PERFORM FROM public.topics WHERE id IN (SELECT topic_id FROM added) ORDER BY id FOR NO KEY UPDATE;
    UPDATE public.topics SET item_count = item_count + counted.number
    FROM (SELECT topic_id, count(*) AS number FROM added GROUP BY topic_id) AS counted
    WHERE id = counted.topic_id;
    RETURN NULL;
END
$$;

CREATE FUNCTION count_removed_items() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = ''
AS $$
BEGIN
    PERFORM FROM public.topics WHERE id IN (SELECT topic_id FROM removed) ORDER BY id FOR NO KEY UPDATE;
    UPDATE public.topics SET item_count = greatest(item_count - counted.number, 0)
    FROM (SELECT topic_id, count(*) AS number FROM removed GROUP BY topic_id) AS counted
    WHERE id = counted.topic_id;
    RETURN NULL;
END
$$;

CREATE TRIGGER count_added_items AFTER INSERT ON topic_items
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION count_added_items();

CREATE TRIGGER count_removed_items AFTER DELETE ON topic_items
    REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION count_removed_items();

-- Whose topic changes is counted as one that went and one that came.
CREATE TRIGGER count_moved_items_away AFTER UPDATE ON topic_items
    REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION count_removed_items();

CREATE TRIGGER count_moved_items_in AFTER UPDATE ON topic_items
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION count_added_items();
