-- +goose Up

-- Readers whom it would endanger to be known as supporters. Both are facts that
-- a rebuild never touches: what a reader chose with a gift, and what a
-- supporter chose about themselves.
ALTER TABLE checkouts ADD COLUMN discreet BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE supporter_choices ADD COLUMN discreet BOOLEAN NOT NULL DEFAULT FALSE;
CREATE INDEX checkouts_discreet ON checkouts (id) WHERE discreet;
