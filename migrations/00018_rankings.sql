-- +goose Up

-- By what an article stands first, in each day and month of the sums, all its
-- currencies in one: the index finds the first articles of a period without
-- reading the others.
CREATE TABLE rankings (
    period  BIGINT NOT NULL,
    ranking TEXT NOT NULL,                 -- 'donations', or 'net ' and the currency it settled in
    article TEXT NOT NULL,
    n       BIGINT NOT NULL,               -- donations, or minor units
    PRIMARY KEY (period, ranking, article)
);
INSERT INTO rankings
    SELECT period, 'donations', value, CAST(SUM(donations) AS BIGINT)
    FROM sums WHERE dimension = 'article' GROUP BY period, value;
INSERT INTO rankings
    SELECT period, 'net ' || settlement_currency, value, CAST(SUM(net_minor) AS BIGINT)
    FROM sums WHERE dimension = 'article' AND settlement_currency <> '' GROUP BY period, settlement_currency, value;
CREATE INDEX rankings_first ON rankings (period, ranking, n DESC, article);
