-- Keys of a merchant's sandbox beside those of the merchant itself.
ALTER TABLE api_key ADD COLUMN sandbox BIGINT NOT NULL DEFAULT 0
    CONSTRAINT a_key_is_live_or_of_a_sandbox CHECK (sandbox IN (0, 1));

-- The sandbox of each merchant that has one. What is recorded in it is kept in a database of its own.
CREATE TABLE sandbox (
    merchant_id TEXT NOT NULL,
    -- One higher each time it is wiped; every generation has a database of its own.
    generation BIGINT NOT NULL,
    -- What time it is in there (microseconds since 1970, UTC).
    clock BIGINT NOT NULL,
    -- What processors answer in there, as JSON.
    answers TEXT NOT NULL,
    CONSTRAINT a_merchant_has_one_sandbox PRIMARY KEY (merchant_id),
    CONSTRAINT generations_are_counted_from_one CHECK (generation >= 1)
);
