-- +goose Up

-- When somebody last proved in a browser who they are; 0 where it was only
-- taken from a sign-on that was open already.
ALTER TABLE staff_sessions ADD COLUMN proved_at BIGINT NOT NULL DEFAULT 0;

-- When a token was last used, to the hour; 0 if never.
ALTER TABLE tokens ADD COLUMN used_at BIGINT NOT NULL DEFAULT 0;

-- Which tokens read which reports in which hour. The audit log has an entry for
-- each, and no more, however often a program asks. Rows are swept later.
CREATE TABLE token_reads (
    token TEXT NOT NULL,
    route TEXT NOT NULL,
    hour  BIGINT NOT NULL,                 -- hours since 1970
    PRIMARY KEY (hour, token, route)
);
