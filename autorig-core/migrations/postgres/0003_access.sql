-- The twin of SQLite's. Who may call; secrets are kept as their SHA-256 only.

CREATE TABLE api_keys (
    id           uuid    NOT NULL PRIMARY KEY,
    hash         text    NOT NULL UNIQUE,
    owner_type   text    NOT NULL,
    owner_id     text    NOT NULL,
    name         text    NOT NULL,
    hint         text    NOT NULL,
    live         boolean NOT NULL,
    scopes       jsonb    NOT NULL,
    created_at   timestamptz NOT NULL,
    last_used_at timestamptz,
    expires_at   timestamptz,
    revoked_at   timestamptz
);
CREATE INDEX api_keys_of_owner ON api_keys (owner_type, owner_id, created_at, id);

CREATE TABLE admin_links (
    hash       text    NOT NULL PRIMARY KEY,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at    timestamptz
);

CREATE TABLE sessions (
    hash       text    NOT NULL PRIMARY KEY,
    owner_type text    NOT NULL,
    owner_id   text    NOT NULL,
    admin      boolean NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX sessions_expiry ON sessions (expires_at);

-- Creations of the last day, also of tasks that were removed since: what an owner may make is counted from these.
CREATE TABLE task_starts (
    task_id    uuid    NOT NULL PRIMARY KEY,
    owner_type text    NOT NULL,
    owner_id   text    NOT NULL,
    at         timestamptz NOT NULL,
    pending    boolean NOT NULL
);
CREATE INDEX task_starts_of_owner ON task_starts (owner_type, owner_id, at);
CREATE INDEX task_starts_age ON task_starts (at);

-- Taken by whoever counts an owner's creations, so that two at once count one after the other.
CREATE TABLE owner_locks (
    owner_type text    NOT NULL,
    owner_id   text    NOT NULL,
    at         timestamptz NOT NULL,
    PRIMARY KEY (owner_type, owner_id)
);

CREATE INDEX tasks_open_of_owner ON tasks (owner_type, owner_id) WHERE status IN ('created', 'processing');

-- What the owner calls a task.
ALTER TABLE tasks ADD COLUMN title text;

-- Files of results that a correction has replaced; those of the newest are in task_files.
CREATE TABLE task_old_files (
    task_id    uuid    NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
    revision   bigint NOT NULL,
    file_index bigint NOT NULL,
    key        text    NOT NULL,
    name       text    NOT NULL,
    size       bigint NOT NULL,
    sha256     text    NOT NULL,
    mime       text    NOT NULL,
    blob       text    NOT NULL,
    PRIMARY KEY (task_id, revision, file_index),
    UNIQUE (task_id, revision, key)
);
