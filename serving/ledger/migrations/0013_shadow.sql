-- What a challenger would have decided, beside what was answered; written after the answer, never read for one.
CREATE TABLE shadow (
    merchant_id TEXT NOT NULL,
    decision_id TEXT NOT NULL,
    payment_id TEXT NOT NULL,
    -- The instant of the decision (microseconds since 1970, UTC).
    as_of BIGINT NOT NULL,
    -- Who answered, and who was asked in shadow.
    champion TEXT NOT NULL,
    policy_source TEXT NOT NULL,
    challenger TEXT NOT NULL,
    -- What was advised: a retry with its method, processor, local day and slot, or a stop without.
    method_id TEXT,
    processor TEXT,
    day TEXT,
    slot_from BIGINT,
    slot_until BIGINT,
    -- What the challenger would have advised.
    challenger_method_id TEXT,
    challenger_processor TEXT,
    challenger_day TEXT,
    -- Chance of the retry that was advised, as the one that answered and as the challenger see it.
    chance DOUBLE PRECISION,
    challenger_chance DOUBLE PRECISION,
    CONSTRAINT a_decision_is_put_to_a_challenger_once PRIMARY KEY (merchant_id, decision_id, challenger),
    CONSTRAINT a_retry_is_told_whole CHECK (
        (method_id IS NULL) = (processor IS NULL) AND (method_id IS NULL) = (day IS NULL)
        AND (method_id IS NULL) = (slot_from IS NULL) AND (method_id IS NULL) = (slot_until IS NULL)
    ),
    CONSTRAINT a_chance_is_a_probability CHECK (
        (chance IS NULL OR (chance >= 0 AND chance <= 1))
        AND (challenger_chance IS NULL OR (challenger_chance >= 0 AND challenger_chance <= 1))
    )
);
CREATE INDEX shadow_by_time ON shadow (as_of);
