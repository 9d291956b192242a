-- What is to be sent is taken target by target, a few for each. By time alone the way to one target's events led through
-- all those of another that waited longer.
DROP INDEX sending_due;
CREATE INDEX sending_due ON sending (merchant_id, target, next_at, event_id) WHERE next_at IS NOT NULL;
