-- +goose Up

-- Memberships whose payment fails: few among many.
CREATE INDEX memberships_failing ON memberships (created_at) WHERE status IN ('past_due', 'unpaid');
