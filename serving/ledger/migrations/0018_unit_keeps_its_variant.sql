-- Since when the buckets had been divided as they were when the unit got its variant, for experiments whose weights change;
-- NULL where that was not written.
ALTER TABLE exposure ADD COLUMN divided_since BIGINT;
-- A unit keeps its variant for its later payments, whatever the weights are by then.
CREATE INDEX exposure_by_unit ON exposure (merchant_id, unit_id, exposed_at);
