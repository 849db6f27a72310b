-- +goose Up

-- How often asks were seen, clicked and closed. Nobody's name is near it.
CREATE TABLE signals_daily (
    day       BIGINT NOT NULL,
    article   TEXT NOT NULL,
    placement TEXT NOT NULL,
    variant   TEXT NOT NULL,
    kind      TEXT NOT NULL CHECK (kind IN ('seen', 'clicked', 'closed')),
    times     BIGINT NOT NULL,
    PRIMARY KEY (day, article, placement, variant, kind)
);
