-- Which payments were answered by which variant of an experiment, written with the first such answer. Nothing in here is
-- changed or removed: who was exposed stays so, whatever the definition says later.
CREATE TABLE exposure (
    merchant_id TEXT NOT NULL,
    experiment TEXT NOT NULL,
    payment_id TEXT NOT NULL,
    -- What was assigned: the customer, or the payment itself.
    unit_id TEXT NOT NULL,
    customer_id TEXT NOT NULL,
    variant TEXT NOT NULL,
    -- P(this variant) of a unit that takes part, in millionths.
    propensity_ppm BIGINT NOT NULL,
    -- 1 for testers, who count in no analysis.
    tester BIGINT NOT NULL,
    exposed_at BIGINT NOT NULL,
    -- What was known at the first failure, for windows and segments.
    failed_at BIGINT NOT NULL,
    amount_minor BIGINT NOT NULL,
    currency TEXT NOT NULL,
    market TEXT NOT NULL,
    rail TEXT NOT NULL,
    category TEXT NOT NULL,
    CONSTRAINT a_payment_is_exposed_once PRIMARY KEY (merchant_id, payment_id, experiment),
    CONSTRAINT a_propensity_is_a_probability CHECK (propensity_ppm BETWEEN 1 AND 1000000),
    CONSTRAINT nobody_is_exposed_before_the_failure CHECK (failed_at <= exposed_at)
);
CREATE INDEX exposure_by_experiment ON exposure (experiment, merchant_id, exposed_at);

CREATE TRIGGER exposures_are_never_changed BEFORE UPDATE ON exposure
FOR EACH ROW EXECUTE FUNCTION refuse();

CREATE TRIGGER exposures_are_never_removed BEFORE DELETE ON exposure
FOR EACH ROW EXECUTE FUNCTION refuse();

CREATE TRIGGER exposures_are_never_emptied BEFORE TRUNCATE ON exposure
FOR EACH STATEMENT EXECUTE FUNCTION refuse();
