-- Extensions that the document names (both may be made by a database's owner), and the values that columns can have.

CREATE EXTENSION "uuid-ossp";
CREATE EXTENSION pgcrypto;

CREATE TYPE trend_state AS ENUM ('emerging', 'rising', 'peaking', 'sustained', 'declining', 'archived');

CREATE TYPE source_type AS ENUM (
    'reddit', 'hacker_news', 'youtube', 'twitter', 'google_news', 'rss', 'github', 'demo', 'custom'
);

CREATE TYPE category AS ENUM (
    'Technology', 'Science', 'Business', 'Politics', 'Health', 'Entertainment', 'Sports', 'World', 'Other'
);

CREATE TYPE processing_status AS ENUM ('pending', 'processing', 'completed', 'failed', 'skipped');
