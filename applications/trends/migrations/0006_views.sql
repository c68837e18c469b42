-- Common queries, ready made. The unique indexes are what REFRESH … CONCURRENTLY needs, which blocks no reader; MAINTAIN
-- lets the login refresh what it does not own.

CREATE MATERIALIZED VIEW current_trends AS
    SELECT id, topic_id, rank, title, category, state, score, language, item_count, last_updated
    FROM trends
    WHERE state IN ('emerging', 'rising', 'peaking', 'sustained');

CREATE UNIQUE INDEX current_trends_id ON current_trends (id);
CREATE INDEX current_trends_category_rank ON current_trends (category, rank);

CREATE MATERIALIZED VIEW category_summary AS
    SELECT
        topics.category,
        count(*) AS topics,
        sum(topics.item_count) AS items,
        max(topics.last_updated) AS last_updated
    FROM topics
    GROUP BY topics.category;

CREATE UNIQUE INDEX category_summary_category ON category_summary (category);

GRANT MAINTAIN ON current_trends, category_summary TO trend_user;
