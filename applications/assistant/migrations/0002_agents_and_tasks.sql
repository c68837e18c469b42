-- What each agent has to remember between two runs, and what was done.

CREATE TABLE agent_states (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL REFERENCES user_profiles (id) ON DELETE CASCADE,
    agent text NOT NULL CHECK (agent <> ''),
    status text NOT NULL DEFAULT 'idle' CHECK (status IN ('idle', 'running', 'waiting', 'failed')),
    state jsonb NOT NULL DEFAULT '{}',
    version integer NOT NULL DEFAULT 1 CHECK (version >= 1),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (user_id, agent)
);

COMMENT ON COLUMN agent_states.version IS
    'Raised by each writer: UPDATE … WHERE version = the one that was read finds no row if somebody else was faster';

CREATE TABLE task_history (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL REFERENCES user_profiles (id) ON DELETE CASCADE,
    agent text NOT NULL CHECK (agent <> ''),
    task_type text NOT NULL CHECK (task_type <> ''),
    status text NOT NULL DEFAULT 'pending'
        CHECK (status IN ('pending', 'running', 'succeeded', 'failed', 'cancelled')),
    input jsonb NOT NULL DEFAULT '{}',
    result jsonb,
    error text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    finished_at timestamptz CHECK (finished_at >= started_at)
);

CREATE INDEX task_history_user_id_created_at ON task_history (user_id, created_at DESC);
CREATE INDEX task_history_unfinished ON task_history (created_at) WHERE status IN ('pending', 'running');

CREATE TRIGGER set_updated_at BEFORE UPDATE ON agent_states FOR EACH ROW EXECUTE FUNCTION set_updated_at();
CREATE TRIGGER set_updated_at BEFORE UPDATE ON task_history FOR EACH ROW EXECUTE FUNCTION set_updated_at();
