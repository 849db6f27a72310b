-- +goose Up

-- What the site's articles are called and where they are, by the slug that
-- gifts carry: read from the site's feed or sitemap, corrected by staff. Never
-- from a reader's request.
CREATE TABLE articles (
    slug    TEXT PRIMARY KEY,
    title   TEXT NOT NULL,             -- plain text; '' where only the address is known
    address TEXT NOT NULL,             -- absolute; '' where unknown
    source  TEXT NOT NULL CHECK (source IN ('feed', 'staff')),
    seen_at BIGINT NOT NULL            -- when it was last said differently
);
CREATE INDEX articles_newest ON articles (seen_at, slug);
