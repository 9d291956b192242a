-- What happens to a payment that Recoup was asked about, told to the merchant's own systems. A recovery begins when a
-- retry of a payment is first asked for and ends with one event; a payment that is owed again begins the next one.
CREATE TABLE recovery (
    merchant_id TEXT NOT NULL,
    payment_id TEXT NOT NULL,
    number BIGINT NOT NULL,
    started_at BIGINT NOT NULL,
    -- No retry is made later; a recovery that nothing else has ended ends then.
    recover_by BIGINT NOT NULL,
    ended_at BIGINT,
    -- The reason of its end: `recovered`, or why nothing more is tried.
    ending TEXT,
    CONSTRAINT a_payment_has_one_recovery_at_a_time PRIMARY KEY (merchant_id, payment_id),
    CONSTRAINT a_recovery_has_an_end_with_a_reason CHECK ((ended_at IS NULL) = (ending IS NULL))
);
CREATE INDEX recovery_open ON recovery (recover_by) WHERE ended_at IS NULL;

-- The events, written in the transaction of what they tell of. Nothing in here is changed or removed.
CREATE TABLE event_out (
    merchant_id TEXT NOT NULL,
    event_id TEXT NOT NULL,
    payment_id TEXT NOT NULL,
    recovery BIGINT NOT NULL,
    type TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    -- What is sent, byte for byte.
    body TEXT NOT NULL,
    CONSTRAINT an_event_out_is_written_once PRIMARY KEY (merchant_id, event_id),
    CONSTRAINT the_type_of_an_event_out_is_known CHECK (type IN (
        'retry.scheduled', 'recovery.recovered', 'recovery.exhausted', 'recovery.action_needed', 'limit.reached'
    ))
);
-- One authoritative event ends each recovery.
CREATE UNIQUE INDEX one_final_event_a_recovery ON event_out (merchant_id, payment_id, recovery)
WHERE type IN ('recovery.recovered', 'recovery.exhausted');

CREATE TRIGGER events_out_are_never_changed BEFORE UPDATE ON event_out
BEGIN
    SELECT RAISE(ABORT, 'events out are never changed');
END;

CREATE TRIGGER events_out_are_never_removed BEFORE DELETE ON event_out
BEGIN
    SELECT RAISE(ABORT, 'events out are never removed');
END;

-- Each event on its way to each target of its merchant; written anew with every try.
CREATE TABLE sending (
    merchant_id TEXT NOT NULL,
    event_id TEXT NOT NULL,
    target TEXT NOT NULL,
    -- `waiting`: not accepted yet; `delivered`; `failed`: given up, see `reason`.
    state TEXT NOT NULL,
    tries BIGINT NOT NULL,
    -- When it is tried next; while somebody tries it, when another may take it over. NULL where it is not tried again.
    next_at BIGINT,
    -- Who tries it.
    claim TEXT NOT NULL,
    reason TEXT NOT NULL,
    touched_at BIGINT NOT NULL,
    CONSTRAINT an_event_goes_once_to_a_target PRIMARY KEY (merchant_id, event_id, target),
    CONSTRAINT the_state_of_a_sending_is_known CHECK (state IN ('waiting', 'delivered', 'failed')),
    -- What is not accepted yet must come up again, or it would be forgotten.
    CONSTRAINT what_waits_is_tried_again CHECK ((state = 'waiting') = (next_at IS NOT NULL))
);
CREATE INDEX sending_due ON sending (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX sending_by_state ON sending (state, touched_at);
