-- Whether the merchant itself stopped or resumed all of its retries; 0 where an operator did, and for words on one payment.
-- Of earlier words it is not known: an operator lifts what they stopped.
ALTER TABLE advice_event ADD COLUMN by_merchant BIGINT NOT NULL DEFAULT 0 CHECK (by_merchant IN (0, 1));

-- A merchant's own stop and an operator's stop of it are lifted each for itself.
ALTER TABLE advice ADD COLUMN by_merchant BIGINT NOT NULL DEFAULT 0;
ALTER TABLE advice DROP CONSTRAINT advice_stands_in_one_place;
ALTER TABLE advice ADD CONSTRAINT advice_stands_in_one_place PRIMARY KEY (merchant_id, payment_id, by_merchant);
