-- Who may call. Secrets are kept as their SHA-256 only.

CREATE TABLE api_keys (
    id           TEXT    NOT NULL PRIMARY KEY,
    hash         TEXT    NOT NULL UNIQUE,
    owner_type   TEXT    NOT NULL,
    owner_id     TEXT    NOT NULL,
    name         TEXT    NOT NULL,
    hint         TEXT    NOT NULL,
    live         INTEGER NOT NULL,
    scopes       TEXT    NOT NULL,
    created_at   INTEGER NOT NULL,
    last_used_at INTEGER,
    expires_at   INTEGER,
    revoked_at   INTEGER
);
CREATE INDEX api_keys_of_owner ON api_keys (owner_type, owner_id, created_at, id);

CREATE TABLE admin_links (
    hash       TEXT    NOT NULL PRIMARY KEY,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at    INTEGER
);

CREATE TABLE sessions (
    hash       TEXT    NOT NULL PRIMARY KEY,
    owner_type TEXT    NOT NULL,
    owner_id   TEXT    NOT NULL,
    admin      INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
);
CREATE INDEX sessions_expiry ON sessions (expires_at);

-- Creations of the last day, also of tasks that were removed since: what an owner may make is counted from these.
CREATE TABLE task_starts (
    task_id    TEXT    NOT NULL PRIMARY KEY,
    owner_type TEXT    NOT NULL,
    owner_id   TEXT    NOT NULL,
    at         INTEGER NOT NULL,
    pending    INTEGER NOT NULL
);
CREATE INDEX task_starts_of_owner ON task_starts (owner_type, owner_id, at);
CREATE INDEX task_starts_age ON task_starts (at);

-- Taken by whoever counts an owner's creations, so that two at once count one after the other.
CREATE TABLE owner_locks (
    owner_type TEXT    NOT NULL,
    owner_id   TEXT    NOT NULL,
    at         INTEGER NOT NULL,
    PRIMARY KEY (owner_type, owner_id)
);

CREATE INDEX tasks_open_of_owner ON tasks (owner_type, owner_id) WHERE status IN ('created', 'processing');

-- What the owner calls a task.
ALTER TABLE tasks ADD COLUMN title TEXT;

-- Files of results that a correction has replaced; those of the newest are in task_files.
CREATE TABLE task_old_files (
    task_id    TEXT    NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
    revision   INTEGER NOT NULL,
    file_index INTEGER NOT NULL,
    key        TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    size       INTEGER NOT NULL,
    sha256     TEXT    NOT NULL,
    mime       TEXT    NOT NULL,
    blob       TEXT    NOT NULL,
    PRIMARY KEY (task_id, revision, file_index),
    UNIQUE (task_id, revision, key)
);
