-- +goose Up

-- What staff publish, each version whole: the policy of the asks, the switch of
-- all asks, a campaign. The newest of a kind is in force.
CREATE TABLE documents (
    kind    TEXT NOT NULL,             -- asks, switch, campaign:SLUG
    version BIGINT NOT NULL,           -- 1, 2, …
    body    TEXT NOT NULL,
    who     TEXT NOT NULL,
    reason  TEXT NOT NULL,
    at      BIGINT NOT NULL,
    PRIMARY KEY (kind, version)
);

-- What somebody is writing and has not published.
CREATE TABLE drafts (
    kind TEXT NOT NULL,
    who  TEXT NOT NULL,
    base BIGINT NOT NULL,              -- the version it began from; 0 for none
    body TEXT NOT NULL,
    at   BIGINT NOT NULL,
    PRIMARY KEY (kind, who)
);

-- Pictures of campaigns, as they are served, by a hash of their bytes.
CREATE TABLE pictures (
    hash  TEXT PRIMARY KEY,
    media TEXT NOT NULL CHECK (media IN ('image/jpeg', 'image/png')),
    body  BYTEA NOT NULL,
    at    BIGINT NOT NULL
);

-- A campaign in all its languages, with dates, texts and picture, as JSON.
ALTER TABLE campaigns ADD COLUMN body TEXT NOT NULL DEFAULT '{}';

INSERT INTO documents (kind, version, body, who, reason, at)
SELECT CASE name WHEN 'asks' THEN 'switch' ELSE 'asks' END, 1, value, 'command line', 'Taken over.', 0
FROM facts WHERE name IN ('asks', 'ask_policy') AND value <> '';
DELETE FROM facts WHERE name IN ('asks', 'ask_policy');
