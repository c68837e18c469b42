-- Sessions and messages, with the document's three indexes under its names.

CREATE TABLE sessions (
    id text PRIMARY KEY CHECK (id <> ''),
    data jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    last_activity timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE messages (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    session_id text NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    content jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX idx_messages_session_created ON messages (session_id, created_at);
CREATE INDEX idx_messages_content_gin ON messages USING gin (content);
CREATE INDEX idx_sessions_last_activity ON sessions (last_activity DESC);
CREATE INDEX idx_sessions_data_gin ON sessions USING gin (data);
