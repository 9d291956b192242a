-- How an attempt ended, as one number: equal for all that no rule's trigger tells apart but by the day. Of attempts from
-- before this step it is not known, so that they are looked at closely.
ALTER TABLE attempt ADD COLUMN ending BIGINT;

-- Most reservations need to know no more of a counter than when its attempts were and how they ended: all in the index.
DROP INDEX attempt_by_method;
DROP INDEX attempt_by_mandate;
DROP INDEX attempt_by_payment;
CREATE INDEX attempt_by_method ON attempt (merchant_id, method_id, at, ending);
CREATE INDEX attempt_by_mandate ON attempt (merchant_id, mandate_id, at, ending) WHERE mandate_id IS NOT NULL;
CREATE INDEX attempt_by_payment ON attempt (merchant_id, payment_id, at, ending);
