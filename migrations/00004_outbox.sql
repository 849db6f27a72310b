-- +goose Up

-- Every mail that is to be sent, was sent, or will not be. A row stays: it is
-- the fact that keeps its mail from being sent again. A rebuild never touches
-- it.
CREATE TABLE outbox (
    id           TEXT PRIMARY KEY,         -- a hash of kind and subject, and so unique with them; its Message-ID
    kind         TEXT NOT NULL,            -- which mail: receipt, sign_in, …
    subject      TEXT NOT NULL,            -- about what, such as a donation's key
    address      TEXT NOT NULL,            -- '' once it is forgotten
    locale       TEXT NOT NULL,
    data         TEXT NOT NULL,            -- JSON, by kind
    state        TEXT NOT NULL CHECK (state IN ('queued', 'sent', 'kept', 'dropped', 'refused')),
    queued_at    BIGINT NOT NULL,          -- when it was due first
    due_at       BIGINT NOT NULL,
    locked_until BIGINT NOT NULL,
    attempts     BIGINT NOT NULL,
    done_at      BIGINT NOT NULL,          -- 0 while queued
    error        TEXT NOT NULL
);
CREATE INDEX outbox_open ON outbox (state, due_at) WHERE state IN ('queued', 'refused');
CREATE INDEX outbox_queued ON outbox (queued_at, id);
