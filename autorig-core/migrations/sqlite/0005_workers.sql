-- Where a worker is with a task, in its own words: what a restarted server needs to go on with it.
CREATE TABLE task_checkpoints (
    task_id TEXT NOT NULL PRIMARY KEY REFERENCES tasks (id) ON DELETE CASCADE,
    value   TEXT NOT NULL
) WITHOUT ROWID;

-- Workers that come and ask.
CREATE TABLE workers (
    name    TEXT    NOT NULL PRIMARY KEY,
    slots   INTEGER NOT NULL,
    seen_at INTEGER NOT NULL
) WITHOUT ROWID;
