-- Whether the merchant itself stopped or resumed all of its retries; 0 where an operator did, and for words on one payment.
-- Of earlier words it is not known: an operator lifts what they stopped.
ALTER TABLE advice_event ADD COLUMN by_merchant BIGINT NOT NULL DEFAULT 0 CHECK (by_merchant IN (0, 1));

-- A merchant's own stop and an operator's stop of it are lifted each for itself. SQLite changes a key only with the table.
CREATE TABLE advice_copied (
    merchant_id TEXT NOT NULL,
    payment_id TEXT NOT NULL,
    by_merchant BIGINT NOT NULL DEFAULT 0,
    word TEXT NOT NULL,
    reason TEXT NOT NULL,
    said_at BIGINT NOT NULL,
    CONSTRAINT advice_stands_in_one_place PRIMARY KEY (merchant_id, payment_id, by_merchant)
);
INSERT INTO advice_copied (merchant_id, payment_id, word, reason, said_at)
SELECT merchant_id, payment_id, word, reason, said_at FROM advice;
DROP TABLE advice;
ALTER TABLE advice_copied RENAME TO advice;
CREATE INDEX advice_of_merchants ON advice (merchant_id) WHERE payment_id = '';
