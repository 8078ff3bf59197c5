-- Every stored file that something refers to, and how many things do. At none it is doomed: its bytes are
-- about to be removed, and the row after them.
CREATE TABLE blobs (
    key       text    NOT NULL PRIMARY KEY,
    refs      bigint NOT NULL CHECK (refs >= 0),
    doomed_at timestamptz,
    CHECK ((refs = 0) = (doomed_at IS NOT NULL))
);
CREATE INDEX blobs_doomed ON blobs (doomed_at) WHERE doomed_at IS NOT NULL;

INSERT INTO blobs (key, refs)
SELECT held.key, count(*)
FROM (SELECT input_blob AS key FROM tasks UNION ALL SELECT blob FROM task_files
      UNION ALL SELECT blob FROM task_old_files) AS held
GROUP BY held.key;

CREATE TABLE uploads (
    id         uuid        NOT NULL PRIMARY KEY,
    owner_type text    NOT NULL,
    owner_id   text    NOT NULL,
    name       text    NOT NULL,
    size       bigint      NOT NULL,
    sha256     text,
    received   bigint      NOT NULL CHECK (received BETWEEN 0 AND size),
    complete   boolean     NOT NULL,
    blob       text    NOT NULL,
    token      text    NOT NULL UNIQUE,
    created_at timestamptz NOT NULL,
    touched_at timestamptz NOT NULL,
    CHECK (NOT complete OR (received = size AND sha256 IS NOT NULL))
);
CREATE INDEX uploads_by_age ON uploads (complete, touched_at);
CREATE INDEX uploads_of_owner ON uploads (owner_type, owner_id, sha256);
CREATE INDEX uploads_by_blob ON uploads (blob);

-- What retention looks for.
CREATE INDEX tasks_finished ON tasks (owner_type, finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX outbox_delivered ON outbox (delivered_at) WHERE delivered_at IS NOT NULL;

-- How far a sweep has come that leaves no other trace.
CREATE TABLE sweep_marks (
    name text    NOT NULL PRIMARY KEY,
    at   timestamptz NOT NULL
);
