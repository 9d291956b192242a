-- The table of reservations with its states one by one in the rule that knows them: a list of more than two is kept in a
-- table of its own, made anew for each row that is written. SQLite changes a rule only with the table, so all is copied.
CREATE TABLE reservation_copied (
    merchant_id TEXT NOT NULL,
    reservation_id TEXT NOT NULL,
    payment_id TEXT NOT NULL,
    method_id TEXT NOT NULL,
    mandate_id TEXT,
    network TEXT NOT NULL,
    processor TEXT NOT NULL,
    initiator TEXT NOT NULL,
    amount_minor BIGINT NOT NULL,
    currency TEXT NOT NULL,
    -- When the attempt is to be made.
    at BIGINT NOT NULL,
    held_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    state TEXT NOT NULL,
    closed_at BIGINT,
    -- Why it was released, in the caller's words.
    reason TEXT,
    -- The attempt that spent it.
    attempt_id TEXT,
    -- What no column says of the proposal, as JSON, and the rulebook that allowed it.
    proposal TEXT NOT NULL,
    rulebook TEXT NOT NULL,
    CONSTRAINT a_reservation_is_made_once PRIMARY KEY (merchant_id, reservation_id),
    CONSTRAINT the_state_of_a_reservation_is_known CHECK (
        state = 'held' OR state = 'spent' OR state = 'released' OR state = 'expired'
    ),
    -- A hold without an end would count for ever if its holder died.
    CONSTRAINT a_hold_ends_after_it_began CHECK (expires_at > held_at),
    CONSTRAINT a_reservation_is_held_until_it_is_closed CHECK ((state = 'held') = (closed_at IS NULL)),
    CONSTRAINT what_is_spent_names_its_attempt CHECK ((state = 'spent') = (attempt_id IS NOT NULL)),
    CONSTRAINT the_amount_of_a_reservation_is_not_negative CHECK (amount_minor >= 0)
);
INSERT INTO reservation_copied (merchant_id, reservation_id, payment_id, method_id, mandate_id, network, processor,
    initiator, amount_minor, currency, at, held_at, expires_at, state, closed_at, reason, attempt_id, proposal, rulebook)
SELECT merchant_id, reservation_id, payment_id, method_id, mandate_id, network, processor,
    initiator, amount_minor, currency, at, held_at, expires_at, state, closed_at, reason, attempt_id, proposal, rulebook
FROM reservation ORDER BY rowid;
DROP TABLE reservation;
ALTER TABLE reservation_copied RENAME TO reservation;

-- Its indexes and triggers are those of steps 0003, 0006 and 0008.
-- While one attempt on a payment is allowed and open, another might charge the payer twice.
CREATE UNIQUE INDEX one_hold_a_payment ON reservation (merchant_id, payment_id) WHERE state = 'held' AND payment_id <> '';
CREATE INDEX held_by_method ON reservation (merchant_id, method_id) WHERE state = 'held' AND method_id <> '';
CREATE INDEX held_by_mandate ON reservation (merchant_id, mandate_id) WHERE state = 'held' AND mandate_id <> '';
CREATE INDEX closed_of_payment ON reservation (merchant_id, payment_id, held_at) WHERE state <> 'held';
CREATE TRIGGER a_closed_reservation_stays_closed BEFORE UPDATE ON reservation WHEN OLD.state <> 'held'
BEGIN
    SELECT RAISE(ABORT, 'a closed reservation stays closed');
END;

CREATE TRIGGER reservations_are_never_removed BEFORE DELETE ON reservation
BEGIN
    SELECT RAISE(ABORT, 'reservations are never removed');
END;
