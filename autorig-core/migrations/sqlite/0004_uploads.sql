-- Every stored file that something refers to, and how many things do. At none it is doomed: its bytes are
-- about to be removed, and the row after them.
CREATE TABLE blobs (
    key       TEXT    NOT NULL PRIMARY KEY,
    refs      INTEGER NOT NULL CHECK (refs >= 0),
    doomed_at INTEGER,
    CHECK ((refs = 0) = (doomed_at IS NOT NULL))
);
CREATE INDEX blobs_doomed ON blobs (doomed_at) WHERE doomed_at IS NOT NULL;

INSERT INTO blobs (key, refs)
SELECT held.key, count(*)
FROM (SELECT input_blob AS key FROM tasks UNION ALL SELECT blob FROM task_files
      UNION ALL SELECT blob FROM task_old_files) AS held
GROUP BY held.key;

CREATE TABLE uploads (
    id         TEXT    NOT NULL PRIMARY KEY,
    owner_type TEXT    NOT NULL,
    owner_id   TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    size       INTEGER NOT NULL,
    sha256     TEXT,
    received   INTEGER NOT NULL CHECK (received BETWEEN 0 AND size),
    complete   INTEGER NOT NULL,
    blob       TEXT    NOT NULL,
    token      TEXT    NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    touched_at INTEGER NOT NULL,
    CHECK (complete = 0 OR (received = size AND sha256 IS NOT NULL))
);
CREATE INDEX uploads_by_age ON uploads (complete, touched_at);
CREATE INDEX uploads_of_owner ON uploads (owner_type, owner_id, sha256);
CREATE INDEX uploads_by_blob ON uploads (blob);

-- What retention looks for.
CREATE INDEX tasks_finished ON tasks (owner_type, finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX outbox_delivered ON outbox (delivered_at) WHERE delivered_at IS NOT NULL;

-- How far a sweep has come that leaves no other trace.
CREATE TABLE sweep_marks (
    name TEXT    NOT NULL PRIMARY KEY,
    at   INTEGER NOT NULL
);
