-- +goose Up

-- Who works here. Somebody who is removed is gone; the audit log remembers.
CREATE TABLE staff (
    id         TEXT PRIMARY KEY,
    email      TEXT NOT NULL,              -- as it was typed
    folded     TEXT NOT NULL UNIQUE,       -- the same without case
    role       TEXT NOT NULL CHECK (role IN ('viewer', 'finance', 'admin')),
    created_at BIGINT NOT NULL
);

-- One-time sign-in addresses. What is in them is derived from the id and a
-- secret that is not here.
CREATE TABLE staff_links (
    id         TEXT PRIMARY KEY,
    staff      TEXT NOT NULL REFERENCES staff (id) ON DELETE CASCADE,
    browser    TEXT NOT NULL,              -- hash of the cookie of the browser that asked; '' where somebody else did
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at    BIGINT NOT NULL,            -- 0 while it is not
    tries      BIGINT NOT NULL             -- of its short code
);
CREATE INDEX staff_links_staff ON staff_links (staff);
CREATE INDEX staff_links_browser ON staff_links (browser);

CREATE TABLE staff_sessions (
    id         TEXT PRIMARY KEY,           -- names it on pages
    hash       TEXT NOT NULL UNIQUE,       -- of the cookie
    staff      TEXT NOT NULL REFERENCES staff (id) ON DELETE CASCADE,
    method     TEXT NOT NULL CHECK (method IN ('link', 'passkey', 'sso')),
    agent      TEXT NOT NULL,              -- the browser, as it calls itself
    created_at BIGINT NOT NULL,
    used_at    BIGINT NOT NULL,            -- to the minute
    flash      TEXT NOT NULL               -- one sentence for the next page
);
CREATE INDEX staff_sessions_staff ON staff_sessions (staff);

CREATE TABLE staff_passkeys (
    id         TEXT PRIMARY KEY,           -- the credential's, base64url
    staff      TEXT NOT NULL REFERENCES staff (id) ON DELETE CASCADE,
    name       TEXT NOT NULL,
    credential TEXT NOT NULL,              -- JSON, as the library keeps it
    created_at BIGINT NOT NULL,
    used_at    BIGINT NOT NULL             -- 0 before the first time
);
CREATE INDEX staff_passkeys_staff ON staff_passkeys (staff);

-- What a browser has to come back with: a passkey's challenge, a sign-on's state.
CREATE TABLE staff_challenges (
    hash       TEXT PRIMARY KEY,           -- of the browser's cookie
    purpose    TEXT NOT NULL,
    data       TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);

-- What staff, tokens and commands did. Rows are added and never changed: each
-- holds the hash of itself and the one before.
CREATE TABLE audit (
    number  BIGINT PRIMARY KEY,            -- from 1, without gaps
    at      BIGINT NOT NULL,
    who     TEXT NOT NULL,
    action  TEXT NOT NULL,
    subject TEXT NOT NULL,
    reason  TEXT NOT NULL,
    detail  TEXT NOT NULL,
    hash    TEXT NOT NULL
);
CREATE INDEX audit_at ON audit (at, number);

-- Where the chain ends, in one row: a tail that was cut off is missed.
CREATE TABLE audit_head (
    id     BIGINT PRIMARY KEY,
    number BIGINT NOT NULL,
    hash   TEXT NOT NULL
);
INSERT INTO audit_head (id, number, hash) VALUES (1, 0, '');
