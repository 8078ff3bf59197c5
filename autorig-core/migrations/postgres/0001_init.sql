-- The twin of SQLite's: the same tables and names, with the types that PostgreSQL has for them.

CREATE TABLE tasks (
    id               uuid        NOT NULL PRIMARY KEY,
    kind             text        NOT NULL,
    params           jsonb       NOT NULL,
    owner_type       text        NOT NULL,
    owner_id         text        NOT NULL,
    visibility       text        NOT NULL,
    input_blob       text        NOT NULL,
    input_name       text        NOT NULL,
    input_size       bigint      NOT NULL,
    input_sha256     text        NOT NULL,
    status           text        NOT NULL CHECK (status IN ('created', 'processing', 'done', 'error', 'cancelled')),
    stage            text,
    progress         bigint      NOT NULL CHECK (progress BETWEEN 0 AND 100),
    attempt          bigint      NOT NULL,
    failures         bigint      NOT NULL,
    total_count      bigint      NOT NULL,
    error            jsonb,
    revision         bigint      NOT NULL,
    version          bigint      NOT NULL,
    lease_owner      text,
    lease_until      timestamptz,
    next_attempt_at  timestamptz,
    created_at       timestamptz NOT NULL,
    started_at       timestamptz,
    finished_at      timestamptz,
    stage_started_at timestamptz,
    timings          jsonb       NOT NULL,
    CHECK ((status = 'processing') = (lease_until IS NOT NULL)),
    CHECK ((status IN ('done', 'error', 'cancelled')) = (finished_at IS NOT NULL))
);

-- The queue: finished tasks are in none of these, however many there are.
CREATE INDEX tasks_waiting ON tasks (created_at, id) WHERE status = 'created';
CREATE INDEX tasks_next_attempt ON tasks (next_attempt_at) WHERE status = 'created' AND next_attempt_at IS NOT NULL;
CREATE INDEX tasks_leased ON tasks (lease_until) WHERE status = 'processing';
CREATE INDEX tasks_done ON tasks (finished_at) WHERE status = 'done';
CREATE INDEX tasks_of_owner ON tasks (owner_type, owner_id, created_at, id);

-- Rows change several times within seconds: vacuum early, not after a fifth of the table.
ALTER TABLE tasks SET (
    autovacuum_vacuum_scale_factor = 0.01,
    autovacuum_vacuum_threshold = 1000,
    autovacuum_vacuum_insert_scale_factor = 0.05,
    autovacuum_analyze_scale_factor = 0.02
);

CREATE TABLE task_files (
    task_id    uuid   NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
    file_index bigint NOT NULL,
    key        text   NOT NULL,
    name       text   NOT NULL,
    size       bigint NOT NULL,
    sha256     text   NOT NULL,
    mime       text   NOT NULL,
    blob       text   NOT NULL,
    PRIMARY KEY (task_id, file_index),
    UNIQUE (task_id, key)
);

CREATE TABLE task_events (
    task_id uuid        NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
    id      bigint      NOT NULL,
    at      timestamptz NOT NULL,
    kind    text        NOT NULL,
    body    jsonb       NOT NULL,
    PRIMARY KEY (task_id, id)
);

CREATE TABLE idempotency (
    scope       text        NOT NULL,
    key         text        NOT NULL,
    node        text,
    fingerprint text,
    task_id     uuid,
    expires_at  timestamptz NOT NULL,
    PRIMARY KEY (scope, key),
    CHECK ((fingerprint IS NULL) = (task_id IS NULL))
);
CREATE INDEX idempotency_expiry ON idempotency (expires_at);

CREATE TABLE outbox (
    seq          bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dedup_id     text        NOT NULL UNIQUE,
    topic        text        NOT NULL,
    payload      jsonb       NOT NULL,
    created_at   timestamptz NOT NULL,
    delivered_at timestamptz
);
CREATE INDEX outbox_pending ON outbox (seq) WHERE delivered_at IS NULL;
