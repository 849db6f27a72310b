-- +goose Up

-- Wishes to sign in to a supporter's pages. What is mailed follows from the id
-- and SUPPORT_SECRET, so nothing here opens a door.
CREATE TABLE sign_ins (
    id         TEXT PRIMARY KEY,
    address    TEXT NOT NULL,              -- as typed, known to us or not
    folded     TEXT NOT NULL,              -- the same without case
    browser    TEXT NOT NULL,              -- hash of the cookie of the browser that asked
    locale     TEXT NOT NULL,
    return_url TEXT NOT NULL,              -- the news site's page that waits for the status; '' if none
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    judged_at  BIGINT NOT NULL,            -- when it was decided whether to mail; 0 before
    tries      BIGINT NOT NULL,            -- codes that were typed
    used_at    BIGINT NOT NULL             -- 0 while it is not
);
CREATE INDEX sign_ins_browser ON sign_ins (browser);
CREATE INDEX sign_ins_folded ON sign_ins (folded);
CREATE INDEX sign_ins_new ON sign_ins (created_at) WHERE judged_at = 0;

CREATE TABLE account_sessions (
    hash       TEXT PRIMARY KEY,           -- of the cookie
    address    TEXT NOT NULL,              -- proven by mail, without case
    created_at BIGINT NOT NULL,
    used_at    BIGINT NOT NULL             -- to the minute
);
CREATE INDEX account_sessions_address ON account_sessions (address);

-- What supporters chose about themselves. Facts: a rebuild never touches them.
CREATE TABLE supporter_choices (
    address        TEXT PRIMARY KEY,       -- without case
    locale         TEXT NOT NULL,          -- '' follows the browser, or the gift
    public         BOOLEAN NOT NULL,       -- may be thanked by name
    name           TEXT NOT NULL,          -- that name; '' is as it was given with each gift
    mail_renewals  BOOLEAN NOT NULL,       -- a receipt for each renewal
    mail_statement BOOLEAN NOT NULL,       -- word that the yearly statement is there
    updated_at     BIGINT NOT NULL
);
