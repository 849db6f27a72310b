-- +goose Up

-- Whether a donation is a later payment of a membership, and when it last
-- turned: the newest creation of its charge, a refund or a dispute of it.
ALTER TABLE donations ADD COLUMN renewal BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE donations ADD COLUMN turned_at BIGINT NOT NULL DEFAULT 0;

-- Donations that an ask won, all but renewals, and how many of those are kept.
ALTER TABLE sums ADD COLUMN won BIGINT NOT NULL DEFAULT 0;
ALTER TABLE sums ADD COLUMN kept BIGINT NOT NULL DEFAULT 0;

-- Signals by day (20260131) and by month (202601), and checkouts among them.
CREATE TABLE signals_wider (
    day       BIGINT NOT NULL,
    article   TEXT NOT NULL,
    placement TEXT NOT NULL,
    variant   TEXT NOT NULL,
    kind      TEXT NOT NULL CHECK (kind IN ('seen', 'clicked', 'closed', 'checkout')),
    times     BIGINT NOT NULL,
    PRIMARY KEY (day, article, placement, variant, kind)
);
INSERT INTO signals_wider SELECT day, article, placement, variant, kind, times FROM signals_daily;
INSERT INTO signals_wider
    SELECT day / 100, article, placement, variant, kind, CAST(SUM(times) AS BIGINT)
    FROM signals_daily GROUP BY day / 100, article, placement, variant, kind;
DROP TABLE signals_daily;
ALTER TABLE signals_wider RENAME TO signals_daily;
CREATE INDEX signals_article ON signals_daily (article, day);
CREATE INDEX signals_variant ON signals_daily (variant, day) WHERE variant <> '';

-- What moved the sums in each transaction of the ledger, to know how they stood
-- at any moment. It is appended to and never changed, and a rebuild keeps it.
CREATE TABLE journal (
    moved_at  BIGINT PRIMARY KEY,
    first_day BIGINT NOT NULL,             -- of the donations that it moved
    last_day  BIGINT NOT NULL,
    body      BYTEA NOT NULL
);

-- Each month as it stood when it was closed: a fact, whatever changes later.
CREATE TABLE statements (
    month     BIGINT PRIMARY KEY,          -- 202601
    closed_at BIGINT NOT NULL,
    as_of     BIGINT NOT NULL,             -- of the figures
    closed_by TEXT NOT NULL,
    timezone  TEXT NOT NULL,               -- of its days
    body      TEXT NOT NULL                -- JSON
);

-- The few objects that may need a hand: a small index of a large table.
CREATE INDEX registers_watched ON registers (ref) WHERE substr(ref, 1, 7) IN ('dispute', 'payout/');

-- What a membership was worth when, and by what that moved monthly recurring
-- revenue: by day, and by month and the month in which memberships began.
ALTER TABLE memberships ADD COLUMN steps TEXT NOT NULL DEFAULT '';
CREATE TABLE membership_sums (
    period        BIGINT NOT NULL,
    cohort        BIGINT NOT NULL,         -- 202601; 0 beside a day
    movement      TEXT NOT NULL,           -- new, expansion, contraction, churned or reactivated
    currency      TEXT NOT NULL,
    members       BIGINT NOT NULL,
    monthly_minor BIGINT NOT NULL,
    PRIMARY KEY (period, cohort, movement, currency)
);
