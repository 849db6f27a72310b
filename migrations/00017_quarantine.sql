-- +goose Up

-- Every time that somebody tried stolen cards on the checkout. Each is kept for
-- good: reports of those days say so. Nothing in it says who anybody was.
CREATE TABLE attacks (
    id       TEXT PRIMARY KEY,
    lasting  BOOLEAN UNIQUE,               -- TRUE while it lasts, then NULL: there is one at a time
    why      TEXT NOT NULL,                -- what gave it away, in words
    began_at BIGINT NOT NULL,
    ended_at BIGINT NOT NULL               -- 0 while it lasts
);
CREATE INDEX attacks_began ON attacks (began_at);

-- Gifts and checkouts that look like a thief's, until staff decide. What they
-- decided stays, so that nothing is asked twice.
CREATE TABLE quarantine (
    subject    TEXT PRIMARY KEY,           -- a donation's key, or a checkout's id
    kind       TEXT NOT NULL CHECK (kind IN ('gift', 'checkout')),
    attack     TEXT NOT NULL,              -- during which it was seen; '' where Stripe warned of it
    reason     TEXT NOT NULL,              -- in words for staff; of nobody's person
    found_at   BIGINT NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('held', 'accepted', 'rejected', 'gone')),
    decided_at BIGINT NOT NULL,            -- 0 while held
    decided_by TEXT NOT NULL
);
CREATE INDEX quarantine_found ON quarantine (state, found_at);
