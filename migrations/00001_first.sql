-- Times are microseconds since 1970 UTC; money is in minor units beside its
-- currency; days are written 20260131 and months 202601, in SUPPORT_TIMEZONE.
-- A currency of '' means "not known yet". JSON is opaque text.

-- +goose Up

-- What Stripe delivered, byte for byte (compressed), once for each event id.
CREATE TABLE events (
    id          TEXT PRIMARY KEY,
    type        TEXT NOT NULL,
    ref         TEXT NOT NULL,             -- the object it is about: charge/ch_1
    api_version TEXT NOT NULL,
    livemode    BOOLEAN NOT NULL,
    created_at  BIGINT NOT NULL,           -- by Stripe's clock
    received_at BIGINT NOT NULL,           -- by ours, the first time
    deliveries  BIGINT NOT NULL,           -- how often it came
    state       TEXT NOT NULL CHECK (state IN ('applied', 'foreign', 'ignored', 'parked')),
    error       TEXT NOT NULL,             -- why it is parked
    body        BYTEA NOT NULL
);
CREATE INDEX events_ref ON events (ref);
CREATE INDEX events_received ON events (received_at);
CREATE INDEX events_parked ON events (received_at) WHERE state = 'parked';

-- What Stripe's API answered, object by object, and facts of our own in the
-- same form. The id is a hash of the rest.
CREATE TABLE snapshots (
    id          TEXT PRIMARY KEY,
    ref         TEXT NOT NULL,
    as_of       BIGINT NOT NULL,           -- by Stripe's clock
    received_at BIGINT NOT NULL,           -- by ours
    body        BYTEA NOT NULL
);
CREATE INDEX snapshots_ref ON snapshots (ref);
CREATE INDEX snapshots_received ON snapshots (received_at);

-- What is known of each Stripe object: the join of all its snapshots.
CREATE TABLE registers (
    ref   TEXT PRIMARY KEY,
    state TEXT NOT NULL
);

-- Which object names which other: a subscription leads to its invoices.
CREATE TABLE links (
    to_ref   TEXT NOT NULL,
    from_ref TEXT NOT NULL,
    PRIMARY KEY (to_ref, from_ref)
);

-- One row a gift of money received; a function of the registers.
CREATE TABLE donations (
    key                 TEXT PRIMARY KEY,  -- PaymentIntent, else charge, invoice or import reference
    charge              TEXT NOT NULL,
    invoice             TEXT NOT NULL,
    subscription        TEXT NOT NULL,
    customer            TEXT NOT NULL,
    checkout            TEXT NOT NULL,
    supporter           TEXT NOT NULL,
    is_first            BOOLEAN NOT NULL,  -- the earliest donation of its supporter
    created_at          BIGINT NOT NULL,
    currency            TEXT NOT NULL,
    settlement_currency TEXT NOT NULL,
    gross_minor         BIGINT NOT NULL,
    refunded_minor      BIGINT NOT NULL,
    disputed_minor      BIGINT NOT NULL,   -- open or lost
    lost_minor          BIGINT NOT NULL,   -- lost alone
    fee_minor           BIGINT NOT NULL,   -- in settlement_currency
    net_minor           BIGINT NOT NULL,   -- in settlement_currency
    elsewhere           TEXT NOT NULL,     -- fee and net in yet other currencies, JSON
    gift_interval       TEXT NOT NULL,
    tier                TEXT NOT NULL,
    article             TEXT NOT NULL,
    placement           TEXT NOT NULL,
    campaign            TEXT NOT NULL,
    variant             TEXT NOT NULL,
    country             TEXT NOT NULL,
    locale              TEXT NOT NULL,
    attribution         TEXT NOT NULL,
    utm_source          TEXT NOT NULL,
    utm_medium          TEXT NOT NULL,
    utm_campaign        TEXT NOT NULL,
    method              TEXT NOT NULL,
    email               TEXT NOT NULL,
    name                TEXT NOT NULL,
    source              TEXT NOT NULL      -- stripe or offline
);
CREATE INDEX donations_created ON donations (created_at, key);
CREATE INDEX donations_supporter ON donations (supporter);

CREATE TABLE memberships (
    subscription   TEXT PRIMARY KEY,
    customer       TEXT NOT NULL,
    supporter      TEXT NOT NULL,
    status         TEXT NOT NULL,
    live           BOOLEAN NOT NULL,       -- counts as a member
    live_until     BIGINT NOT NULL,        -- end of grace; 0 where no timer runs
    created_at     BIGINT NOT NULL,
    ended_at       BIGINT NOT NULL,
    period_end     BIGINT NOT NULL,
    cancel_at_end  BOOLEAN NOT NULL,
    currency       TEXT NOT NULL,
    amount_minor   BIGINT NOT NULL,
    gift_interval  TEXT NOT NULL,
    tier           TEXT NOT NULL,
    article        TEXT NOT NULL,
    placement      TEXT NOT NULL,
    campaign       TEXT NOT NULL,
    variant        TEXT NOT NULL,
    locale         TEXT NOT NULL,
    attribution    TEXT NOT NULL,
    checkout       TEXT NOT NULL,
    utm_source     TEXT NOT NULL,
    utm_medium     TEXT NOT NULL,
    utm_campaign   TEXT NOT NULL,
    email          TEXT NOT NULL
);
CREATE INDEX memberships_supporter ON memberships (supporter);
CREATE INDEX memberships_until ON memberships (live_until) WHERE live_until > 0;

-- How many live donations and memberships a supporter has in each scope.
CREATE TABLE supporter_scopes (
    scope       TEXT NOT NULL,             -- all, article:SLUG, campaign:SLUG
    supporter   TEXT NOT NULL,
    donations   BIGINT NOT NULL,
    memberships BIGINT NOT NULL,
    PRIMARY KEY (scope, supporter)
);

-- The public counts. The revision is one sequence for all scopes, and the row
-- of scope '' is where it stands. It has no index: with one, each update of
-- these few, busy rows would write to two indexes.
CREATE TABLE scopes (
    scope      TEXT PRIMARY KEY,
    supporters BIGINT NOT NULL,
    members    BIGINT NOT NULL,
    revision   BIGINT NOT NULL
);
INSERT INTO scopes (scope, supporters, members, revision) VALUES ('', 0, 0, 0);

-- Sums for reports, by day (20260131) and by month (202601) in one table.
CREATE TABLE sums (
    dimension           TEXT NOT NULL,
    period              BIGINT NOT NULL,
    value               TEXT NOT NULL,
    currency            TEXT NOT NULL,
    settlement_currency TEXT NOT NULL,
    donations           BIGINT NOT NULL,
    new_supporters      BIGINT NOT NULL,
    gross_minor         BIGINT NOT NULL,
    refunded_minor      BIGINT NOT NULL,
    disputed_minor      BIGINT NOT NULL,
    fee_minor           BIGINT NOT NULL,
    net_minor           BIGINT NOT NULL,
    PRIMARY KEY (dimension, period, value, currency, settlement_currency)
);

-- Every attempt to give, written before Stripe is asked.
CREATE TABLE checkouts (
    id              TEXT PRIMARY KEY,
    attempt         TEXT NOT NULL UNIQUE,  -- the caller's id, else our own
    digest          TEXT NOT NULL,         -- of what was asked for
    idempotency_key TEXT NOT NULL,
    status          TEXT NOT NULL CHECK (status IN ('new', 'open', 'failed')),
    error           TEXT NOT NULL,
    session         TEXT NOT NULL,
    url             TEXT NOT NULL,
    currency        TEXT NOT NULL,
    amount_minor    BIGINT NOT NULL,
    gift_interval   TEXT NOT NULL,
    article         TEXT NOT NULL,
    placement       TEXT NOT NULL,
    campaign        TEXT NOT NULL,
    variant         TEXT NOT NULL,
    tier            TEXT NOT NULL,
    locale          TEXT NOT NULL,
    attribution     TEXT NOT NULL,
    utm             TEXT NOT NULL,         -- JSON
    name            TEXT NOT NULL,
    anonymous       BOOLEAN NOT NULL,
    message         TEXT NOT NULL,
    return_url      TEXT NOT NULL,
    created_at      BIGINT NOT NULL,
    expires_at      BIGINT NOT NULL
);
CREATE INDEX checkouts_session ON checkouts (session);
CREATE INDEX checkouts_created ON checkouts (created_at);

-- What must be asked of Stripe, one row an object or list.
CREATE TABLE fetches (
    ref          TEXT PRIMARY KEY,         -- charge/ch_1, or refunds/ch_1 for a list
    priority     BIGINT NOT NULL,          -- lower first
    wanted       BIGINT NOT NULL,          -- raised by each new wish, so that none is lost while one is answered
    due_at       BIGINT NOT NULL,
    locked_until BIGINT NOT NULL,
    attempts     BIGINT NOT NULL,
    queued_at    BIGINT NOT NULL,
    error        TEXT NOT NULL
);
CREATE INDEX fetches_due ON fetches (priority, due_at);

CREATE TABLE campaigns (
    slug          TEXT PRIMARY KEY,
    name          TEXT NOT NULL,
    goal_kind     TEXT NOT NULL CHECK (goal_kind IN ('', 'supporters', 'money')),
    goal          BIGINT NOT NULL,         -- people, or minor units of goal_currency
    goal_currency TEXT NOT NULL
);

-- API tokens for reports, hashed.
CREATE TABLE tokens (
    name       TEXT PRIMARY KEY,
    hash       TEXT NOT NULL UNIQUE,
    role       TEXT NOT NULL CHECK (role IN ('viewer', 'finance')),
    created_at BIGINT NOT NULL,
    revoked_at BIGINT NOT NULL             -- 0 while valid
);

-- Single facts: the time zone of the days above, how far we are reconciled.
CREATE TABLE facts (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

-- Every difference a reconciliation found.
CREATE TABLE differences (
    id         TEXT PRIMARY KEY,
    ref        TEXT NOT NULL,
    cause      TEXT NOT NULL,
    detail     TEXT NOT NULL,
    found_at   BIGINT NOT NULL,
    repaired   BOOLEAN NOT NULL
);
CREATE INDEX differences_found ON differences (found_at);
