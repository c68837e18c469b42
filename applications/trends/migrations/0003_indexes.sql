-- What the repositories filter and sort by: category, state, language, times, keywords, full text and metadata.

CREATE INDEX topics_category_last_updated ON topics (category, last_updated DESC);
CREATE INDEX topics_language_last_updated ON topics (language, last_updated DESC);
CREATE INDEX topics_last_updated ON topics (last_updated DESC);
CREATE INDEX topics_keywords ON topics USING gin (keywords);
CREATE INDEX topics_metadata ON topics USING gin (metadata jsonb_path_ops);
CREATE INDEX topics_search ON topics USING gin (search);

CREATE INDEX trends_topic_id ON trends (topic_id);
CREATE INDEX trends_category_rank ON trends (category, rank);
CREATE INDEX trends_state_score ON trends (state, score DESC);
CREATE INDEX trends_language_score ON trends (language, score DESC);
CREATE INDEX trends_score ON trends (score DESC);
CREATE INDEX trends_first_seen ON trends (first_seen DESC);
CREATE INDEX trends_last_updated ON trends (last_updated DESC);
CREATE INDEX trends_keywords ON trends USING gin (keywords);
CREATE INDEX trends_metadata ON trends USING gin (metadata jsonb_path_ops);
CREATE INDEX trends_search ON trends USING gin (search);

CREATE INDEX processed_items_collected_at ON processed_items (collected_at);
CREATE INDEX processed_items_published_at ON processed_items (published_at DESC);
CREATE INDEX processed_items_category_published_at ON processed_items (category, published_at DESC);
CREATE INDEX processed_items_language ON processed_items (language);
CREATE INDEX processed_items_unfinished ON processed_items (status, collected_at) WHERE status IN ('pending', 'failed');
CREATE INDEX processed_items_keywords ON processed_items USING gin (keywords);
CREATE INDEX processed_items_metadata ON processed_items USING gin (metadata jsonb_path_ops);
CREATE INDEX processed_items_search ON processed_items USING gin (search);

CREATE INDEX topic_items_item_id ON topic_items (item_id);
CREATE INDEX pipeline_runs_started_at ON pipeline_runs (started_at DESC);
