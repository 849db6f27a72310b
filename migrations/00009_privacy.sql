-- +goose Up

-- Customers of people who were erased, to be deleted at Stripe once no
-- membership of theirs runs. That they were erased is a fact in snapshots.
CREATE TABLE erased_customers (
    customer   TEXT PRIMARY KEY,
    erased_at  BIGINT NOT NULL,
    deleted_at BIGINT NOT NULL,            -- 0 while it is there
    error      TEXT NOT NULL               -- why it still is
);
CREATE INDEX erased_customers_open ON erased_customers (customer) WHERE deleted_at = 0;
