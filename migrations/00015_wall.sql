-- +goose Up

-- Memberships that are charged again: few enough to find who has two.
CREATE INDEX memberships_running ON memberships (supporter)
    WHERE status IN ('active', 'trialing', 'past_due', 'unpaid') AND NOT cancel_at_end;

-- A reminder before a yearly renewal.
ALTER TABLE supporter_choices ADD COLUMN mail_reminders BOOLEAN NOT NULL DEFAULT TRUE;
