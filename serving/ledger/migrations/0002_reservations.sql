-- Attempts that somebody was told may be made, and that count until it is known what became of them.
CREATE TABLE reservation (
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
    -- The whole proposal as canonical JSON, and the rulebook that allowed it.
    proposal TEXT NOT NULL,
    rulebook TEXT NOT NULL,
    CONSTRAINT a_reservation_is_made_once PRIMARY KEY (merchant_id, reservation_id),
    CONSTRAINT the_state_of_a_reservation_is_known CHECK (state IN ('held', 'spent', 'released', 'expired')),
    -- A hold without an end would count for ever if its holder died.
    CONSTRAINT a_hold_ends_after_it_began CHECK (expires_at > held_at),
    CONSTRAINT a_reservation_is_held_until_it_is_closed CHECK ((state = 'held') = (closed_at IS NULL)),
    CONSTRAINT what_is_spent_names_its_attempt CHECK ((state = 'spent') = (attempt_id IS NOT NULL)),
    CONSTRAINT the_amount_of_a_reservation_is_not_negative CHECK (amount_minor >= 0)
);

-- While one attempt on a payment is allowed and open, another might charge the payer twice.
CREATE UNIQUE INDEX one_hold_a_payment ON reservation (merchant_id, payment_id) WHERE state = 'held';
-- Holds count by credential and by mandate too; only what is held is looked at, so old reservations cost nothing.
CREATE INDEX held_by_method ON reservation (merchant_id, method_id) WHERE state = 'held';
CREATE INDEX held_by_mandate ON reservation (merchant_id, mandate_id) WHERE state = 'held' AND mandate_id IS NOT NULL;
