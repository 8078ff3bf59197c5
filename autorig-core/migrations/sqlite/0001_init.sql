-- Times are microseconds since the epoch, UTC. Ids are UUIDs as text. JSON is text.

CREATE TABLE tasks (
    id               TEXT    NOT NULL PRIMARY KEY,
    kind             TEXT    NOT NULL,
    params           TEXT    NOT NULL,
    owner_type       TEXT    NOT NULL,
    owner_id         TEXT    NOT NULL,
    visibility       TEXT    NOT NULL,
    input_blob       TEXT    NOT NULL,
    input_name       TEXT    NOT NULL,
    input_size       INTEGER NOT NULL,
    input_sha256     TEXT    NOT NULL,
    status           TEXT    NOT NULL CHECK (status IN ('created', 'processing', 'done', 'error', 'cancelled')),
    stage            TEXT,
    progress         INTEGER NOT NULL CHECK (progress BETWEEN 0 AND 100),
    attempt          INTEGER NOT NULL,
    failures         INTEGER NOT NULL,
    total_count      INTEGER NOT NULL,
    error            TEXT,
    revision         INTEGER NOT NULL,
    version          INTEGER NOT NULL,
    lease_owner      TEXT,
    lease_until      INTEGER,
    next_attempt_at  INTEGER,
    created_at       INTEGER NOT NULL,
    started_at       INTEGER,
    finished_at      INTEGER,
    stage_started_at INTEGER,
    timings          TEXT    NOT NULL,
    CHECK ((status = 'processing') = (lease_until IS NOT NULL)),
    CHECK ((status IN ('done', 'error', 'cancelled')) = (finished_at IS NOT NULL))
);

-- The queue: finished tasks are in none of these, however many there are.
CREATE INDEX tasks_waiting ON tasks (created_at, id) WHERE status = 'created';
CREATE INDEX tasks_next_attempt ON tasks (next_attempt_at) WHERE status = 'created' AND next_attempt_at IS NOT NULL;
CREATE INDEX tasks_leased ON tasks (lease_until) WHERE status = 'processing';
CREATE INDEX tasks_done ON tasks (finished_at) WHERE status = 'done';
CREATE INDEX tasks_of_owner ON tasks (owner_type, owner_id, created_at, id);

CREATE TABLE task_files (
    task_id    TEXT    NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
    file_index INTEGER NOT NULL,
    key        TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    size       INTEGER NOT NULL,
    sha256     TEXT    NOT NULL,
    mime       TEXT    NOT NULL,
    blob       TEXT    NOT NULL,
    PRIMARY KEY (task_id, file_index),
    UNIQUE (task_id, key)
);

CREATE TABLE task_events (
    task_id TEXT    NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
    id      INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    kind    TEXT    NOT NULL,
    body    TEXT    NOT NULL,
    PRIMARY KEY (task_id, id)
) WITHOUT ROWID;

CREATE TABLE idempotency (
    scope       TEXT    NOT NULL,
    key         TEXT    NOT NULL,
    node        TEXT,
    fingerprint TEXT,
    task_id     TEXT,
    expires_at  INTEGER NOT NULL,
    PRIMARY KEY (scope, key),
    CHECK ((fingerprint IS NULL) = (task_id IS NULL))
);
CREATE INDEX idempotency_expiry ON idempotency (expires_at);

CREATE TABLE outbox (
    seq          INTEGER PRIMARY KEY AUTOINCREMENT,
    dedup_id     TEXT    NOT NULL UNIQUE,
    topic        TEXT    NOT NULL,
    payload      TEXT    NOT NULL,
    created_at   INTEGER NOT NULL,
    delivered_at INTEGER
);
CREATE INDEX outbox_pending ON outbox (seq) WHERE delivered_at IS NULL;
