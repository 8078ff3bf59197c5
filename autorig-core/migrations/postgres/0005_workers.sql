-- Where a worker is with a task, in its own words: what a restarted server needs to go on with it.
CREATE TABLE task_checkpoints (
    task_id uuid  NOT NULL PRIMARY KEY REFERENCES tasks (id) ON DELETE CASCADE,
    value   jsonb NOT NULL
);

-- Workers that come and ask.
CREATE TABLE workers (
    name    text        NOT NULL PRIMARY KEY,
    slots   bigint      NOT NULL,
    seen_at timestamptz NOT NULL
);
