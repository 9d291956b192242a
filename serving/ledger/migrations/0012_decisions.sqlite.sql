-- Decisions as they were answered, each with all that it was made from, so that it can be explained and computed again.
CREATE TABLE decision (
    merchant_id TEXT NOT NULL,
    -- A hash of the decision's content: the same content has the same id and is kept once.
    decision_id TEXT NOT NULL,
    payment_id TEXT NOT NULL,
    -- As of when it was decided, and when it was answered (microseconds since 1970, UTC).
    as_of BIGINT NOT NULL,
    answered_at BIGINT NOT NULL,
    -- The hold that was made with it, in the same transaction.
    reservation_id TEXT,
    -- What it was made with; the contents of a version stand in `decided_with`, those of a model in a folder.
    policy TEXT NOT NULL,
    policy_source TEXT NOT NULL,
    model TEXT NOT NULL,
    rulebook TEXT NOT NULL,
    economics TEXT NOT NULL,
    code TEXT NOT NULL,
    -- `retry` with its method and processor, or `stop` or `hold` with the reason.
    action TEXT NOT NULL,
    reason TEXT,
    method_id TEXT,
    processor TEXT,
    propensity DOUBLE PRECISION NOT NULL,
    -- Context, record and answer as JSON, a line each, compressed (zlib).
    content BLOB NOT NULL,
    CONSTRAINT a_decision_is_kept_once PRIMARY KEY (merchant_id, decision_id),
    CONSTRAINT a_retry_names_its_method_and_a_stop_its_reason CHECK (
        (action = 'retry') = (method_id IS NOT NULL)
        AND (action = 'retry') = (processor IS NOT NULL)
        AND (action = 'retry') = (reason IS NULL)
    ),
    CONSTRAINT a_propensity_is_a_probability CHECK (propensity >= 0 AND propensity <= 1)
);
CREATE INDEX decision_by_time ON decision (answered_at, merchant_id, decision_id);
CREATE INDEX decision_by_merchant ON decision (merchant_id, answered_at, decision_id);
CREATE INDEX decision_by_payment ON decision (merchant_id, payment_id, answered_at, decision_id);

-- What decisions were made with, by version: written once, so that a decision can be computed again after a change.
CREATE TABLE decided_with (
    -- `rulebook` or `economics`.
    kind TEXT NOT NULL,
    version TEXT NOT NULL,
    -- JSON, compressed (zlib).
    content BLOB NOT NULL,
    CONSTRAINT a_version_is_written_once PRIMARY KEY (kind, version),
    CONSTRAINT the_kind_of_a_version_is_known CHECK (kind IN ('rulebook', 'economics'))
);

CREATE TRIGGER decisions_are_never_changed BEFORE UPDATE ON decision
BEGIN
    SELECT RAISE(ABORT, 'decisions are never changed');
END;

CREATE TRIGGER versions_are_never_changed BEFORE UPDATE ON decided_with
BEGIN
    SELECT RAISE(ABORT, 'versions are never changed');
END;
