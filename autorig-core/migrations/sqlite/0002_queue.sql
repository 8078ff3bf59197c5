-- The order of the queue: by rank (the lower the sooner), then by turn, then by age.
--
-- A turn is what makes it fair: an owner's waiting tasks have turns one after the other, beginning at the turn that is
-- being served when the first arrives. Whoever sends a thousand tasks takes turns with whoever sends one, and claiming
-- stays a walk along one index.

ALTER TABLE tasks ADD COLUMN rank INTEGER NOT NULL DEFAULT 0;
ALTER TABLE tasks ADD COLUMN turn INTEGER NOT NULL DEFAULT 0;
ALTER TABLE tasks ADD COLUMN owner_key TEXT GENERATED ALWAYS AS (owner_type || ':' || owner_id) VIRTUAL;
-- Failed for good through no fault of its sender: an admin may look into it and replay it.
ALTER TABLE tasks ADD COLUMN dead_letter INTEGER NOT NULL DEFAULT 0;

-- What may be claimed now; a task between two attempts is in tasks_next_attempt until it is due.
DROP INDEX tasks_waiting;
CREATE INDEX tasks_ready ON tasks (kind, rank, turn, created_at, id)
    WHERE status = 'created' AND next_attempt_at IS NULL;
CREATE INDEX tasks_ready_of_owner ON tasks (owner_key, kind, rank, turn)
    WHERE status = 'created' AND next_attempt_at IS NULL;
DROP INDEX tasks_next_attempt;
CREATE INDEX tasks_next_attempt ON tasks (next_attempt_at, kind)
    WHERE status = 'created' AND next_attempt_at IS NOT NULL;
DROP INDEX tasks_leased;
CREATE INDEX tasks_leased ON tasks (lease_until, owner_key) WHERE status = 'processing';
CREATE INDEX tasks_dead ON tasks (finished_at, id) WHERE dead_letter = 1;

-- Nodes that share the database, as they last said of themselves.
CREATE TABLE nodes (
    node         TEXT    NOT NULL PRIMARY KEY,
    slots        INTEGER NOT NULL,
    slots_free   INTEGER NOT NULL,
    at           INTEGER NOT NULL
);
