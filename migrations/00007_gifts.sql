-- +goose Up

-- What has become of a donation, and by what its giver is searched for: folded
-- (no case, no accents) and as bytes, so that a prefix is a range whatever the
-- database's collation.
ALTER TABLE donations ADD COLUMN status TEXT NOT NULL DEFAULT 'received';
ALTER TABLE donations ADD COLUMN email_folded BYTEA NOT NULL DEFAULT '';
ALTER TABLE donations ADD COLUMN name_folded BYTEA NOT NULL DEFAULT '';
UPDATE donations SET status = CASE
    WHEN disputed_minor > lost_minor THEN 'disputed'
    WHEN lost_minor > 0 THEN 'lost'
    WHEN refunded_minor > 0 AND refunded_minor >= gross_minor THEN 'refunded'
    WHEN refunded_minor > 0 THEN 'partly_refunded'
    ELSE 'received' END;

-- One for each filter of the list, by time. The value that most gifts have is
-- left out: a list of those is found fast without, and each recording is spared
-- the write.
CREATE INDEX donations_article ON donations (article, created_at);
CREATE INDEX donations_country ON donations (country, created_at);
CREATE INDEX donations_currency ON donations (currency, created_at);
CREATE INDEX donations_amount ON donations (currency, gross_minor);
CREATE INDEX donations_campaign ON donations (campaign, created_at) WHERE campaign <> '';
CREATE INDEX donations_status ON donations (status, created_at) WHERE status <> 'received';
CREATE INDEX donations_interval ON donations (gift_interval, created_at) WHERE gift_interval <> 'once';
CREATE INDEX donations_method ON donations (method, created_at) WHERE method <> 'card';
CREATE INDEX donations_placement ON donations (placement, created_at) WHERE placement <> 'mid';
CREATE INDEX donations_attribution ON donations (attribution, created_at) WHERE attribution <> 'signed';
CREATE INDEX donations_subscription ON donations (subscription, created_at) WHERE subscription <> '';
CREATE INDEX donations_first ON donations (created_at, key) WHERE is_first;
CREATE INDEX donations_email ON donations (email_folded);
CREATE INDEX donations_name ON donations (name_folded);

-- What staff did about a donation or membership, or wrote about it. The id is
-- made with the form and is here before Stripe is asked, so that a second
-- press finds the first.
CREATE TABLE actions (
    id         TEXT PRIMARY KEY,
    subject    TEXT NOT NULL,              -- a donation's key, or a subscription
    kind       TEXT NOT NULL CHECK (kind IN ('refund', 'receipt', 'cancel', 'keep', 'pause', 'resume', 'correction', 'note')),
    who        TEXT NOT NULL,              -- a member of staff, by address
    reason     TEXT NOT NULL,              -- or what a note says
    detail     TEXT NOT NULL,              -- what exactly was asked for, JSON by kind
    state      TEXT NOT NULL CHECK (state IN ('asked', 'done', 'refused')),
    outcome    TEXT NOT NULL,              -- what came of it, in words; '' while asked
    created_at BIGINT NOT NULL,
    done_at    BIGINT NOT NULL             -- 0 while asked
);
CREATE INDEX actions_subject ON actions (subject, created_at);

-- Filters of the list that a member of staff saved under a name. Those without
-- a name hold what was searched for, so that no address stands in a URL, and
-- are dropped after a while.
CREATE TABLE saved_views (
    id         TEXT PRIMARY KEY,
    staff      TEXT NOT NULL,
    name       TEXT NOT NULL,
    filters    TEXT NOT NULL,              -- as a query
    created_at BIGINT NOT NULL
);
CREATE INDEX saved_views_staff ON saved_views (staff, name);

-- The mails about one gift or membership.
CREATE INDEX outbox_subject ON outbox (subject);
