-- The document's six tables. `total_engagement` and `metrics` hold upvotes, comments and score.

CREATE TABLE topics (
    id uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
    title text NOT NULL CHECK (title <> ''),
    summary text NOT NULL DEFAULT '',
    category category NOT NULL,
    sources source_type[] NOT NULL DEFAULT '{}',
    keywords text[] NOT NULL DEFAULT '{}',
    language text NOT NULL DEFAULT 'en' CHECK (language ~ '^[a-z]{2,3}(-[A-Za-z0-9]+)*$'),
    item_count integer NOT NULL DEFAULT 0 CHECK (item_count >= 0),
    total_engagement jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(total_engagement) = 'object'),
    metadata jsonb NOT NULL DEFAULT '{}',
    first_seen timestamptz NOT NULL DEFAULT now(),
    last_updated timestamptz NOT NULL DEFAULT now(),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    search tsvector NOT NULL GENERATED ALWAYS AS (
        setweight(to_tsvector('english', title), 'A') || setweight(to_tsvector('english', summary), 'B')
    ) STORED
);

COMMENT ON COLUMN topics.item_count IS 'Rows of topic_items, kept by a trigger once there are any';

CREATE TABLE trends (
    id uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
    topic_id uuid NOT NULL REFERENCES topics (id) ON DELETE CASCADE,
    rank integer NOT NULL CHECK (rank >= 1),
    title text NOT NULL CHECK (title <> ''),
    summary text NOT NULL DEFAULT '',
    category category NOT NULL,
    state trend_state NOT NULL DEFAULT 'emerging',
    score double precision NOT NULL DEFAULT 0,
    sources source_type[] NOT NULL DEFAULT '{}',
    keywords text[] NOT NULL DEFAULT '{}',
    language text NOT NULL DEFAULT 'en' CHECK (language ~ '^[a-z]{2,3}(-[A-Za-z0-9]+)*$'),
    item_count integer NOT NULL DEFAULT 0 CHECK (item_count >= 0),
    total_engagement jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(total_engagement) = 'object'),
    metadata jsonb NOT NULL DEFAULT '{}',
    first_seen timestamptz NOT NULL DEFAULT now(),
    last_updated timestamptz NOT NULL DEFAULT now(),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    search tsvector NOT NULL GENERATED ALWAYS AS (
        setweight(to_tsvector('english', title), 'A') || setweight(to_tsvector('english', summary), 'B')
    ) STORED
);

CREATE TABLE processed_items (
    id uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
    source source_type NOT NULL,
    source_id text NOT NULL CHECK (source_id <> ''),
    title text NOT NULL,
    content text NOT NULL DEFAULT '',
    url text,
    author text,
    language text NOT NULL DEFAULT 'en',
    category category,
    keywords text[] NOT NULL DEFAULT '{}',
    status processing_status NOT NULL DEFAULT 'pending',
    metrics jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(metrics) = 'object'),
    metadata jsonb NOT NULL DEFAULT '{}',
    published_at timestamptz,
    collected_at timestamptz NOT NULL DEFAULT now(),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    search tsvector NOT NULL GENERATED ALWAYS AS (
        setweight(to_tsvector('english', title), 'A') || setweight(to_tsvector('english', left(content, 100000)), 'B')
    ) STORED,
    UNIQUE (source, source_id)
);

COMMENT ON COLUMN processed_items.search IS 'The first 100,000 characters of content: a tsvector holds 1 MB at most';

CREATE TABLE topic_items (
    topic_id uuid NOT NULL REFERENCES topics (id) ON DELETE CASCADE,
    item_id uuid NOT NULL REFERENCES processed_items (id) ON DELETE CASCADE,
    relevance double precision NOT NULL DEFAULT 1 CHECK (relevance BETWEEN 0 AND 1),
    added_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (topic_id, item_id)
);

CREATE TABLE plugin_health (
    plugin_name text PRIMARY KEY,
    source source_type,
    healthy boolean NOT NULL DEFAULT true,
    last_run_at timestamptz,
    last_success_at timestamptz,
    last_error text,
    consecutive_failures integer NOT NULL DEFAULT 0 CHECK (consecutive_failures >= 0),
    total_runs bigint NOT NULL DEFAULT 0 CHECK (total_runs >= 0),
    success_rate double precision CHECK (success_rate BETWEEN 0 AND 1),
    metadata jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE pipeline_runs (
    id uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
    pipeline text NOT NULL CHECK (pipeline <> ''),
    status processing_status NOT NULL DEFAULT 'pending',
    started_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz CHECK (finished_at >= started_at),
    items_collected integer NOT NULL DEFAULT 0 CHECK (items_collected >= 0),
    items_processed integer NOT NULL DEFAULT 0 CHECK (items_processed >= 0),
    topics_created integer NOT NULL DEFAULT 0 CHECK (topics_created >= 0),
    trends_created integer NOT NULL DEFAULT 0 CHECK (trends_created >= 0),
    error text,
    metadata jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
