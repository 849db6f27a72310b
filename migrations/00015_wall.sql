-- +goose Up

-- Memberships that are charged again: few enough to find who has two.
CREATE INDEX memberships_running ON memberships (supporter)
    WHERE status IN ('active', 'trialing', 'past_due', 'unpaid') AND NOT cancel_at_end;

-- A reminder before a yearly renewal.
ALTER TABLE supporter_choices ADD COLUMN mail_reminders BOOLEAN NOT NULL DEFAULT TRUE;

-- Whether a message may be shown publicly: what its form said when it was sent.
ALTER TABLE checkouts ADD COLUMN show_message BOOLEAN NOT NULL DEFAULT FALSE;
CREATE INDEX checkouts_public ON checkouts (created_at) WHERE name <> '' AND NOT anonymous;

-- Gifts whose givers may be thanked by name: what staff decided about each. The
-- words stand where they were given, and nothing of them here but a hash of
-- those that staff read, so that others are never shown in their place.
CREATE TABLE wall (
    checkout   TEXT PRIMARY KEY,
    donation   TEXT NOT NULL,              -- its first one
    state      TEXT NOT NULL CHECK (state IN ('waiting', 'accepted', 'rejected', 'shown')),
    words      TEXT NOT NULL,              -- hash of what was decided about; '' while waiting
    batch      BIGINT NOT NULL,            -- with which it is shown, from 1; 0 before
    found_at   BIGINT NOT NULL,
    decided_at BIGINT NOT NULL,            -- 0 while waiting
    decided_by TEXT NOT NULL,
    shown_at   BIGINT NOT NULL             -- of the batch; 0 before
);
CREATE INDEX wall_state ON wall (state, batch, found_at);
CREATE INDEX wall_donation ON wall (donation);
