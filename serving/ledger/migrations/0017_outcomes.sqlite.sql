-- The attempts of a customer in order of time: what was known of a payer before an experiment's payment failed.
CREATE INDEX attempt_by_customer ON attempt (merchant_id, customer_id, at);

-- Money of an approved attempt that went back to the payer: refunds, and chargebacks of cards. No network counts them
-- as declines and the payment is not owed again by them, so no limit and no standing looks here; outcomes of
-- experiments do. Nothing in here is changed or removed.
CREATE TABLE money_back (
    merchant_id TEXT NOT NULL,
    source TEXT NOT NULL,
    source_event_id TEXT NOT NULL,
    attempt_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    -- In the currency of the attempt; absent where the source does not say how much, which is all of it.
    amount_minor BIGINT,
    said_at BIGINT NOT NULL,
    recorded_at BIGINT NOT NULL,
    CONSTRAINT money_goes_back_once_an_event PRIMARY KEY (merchant_id, source, source_event_id),
    CONSTRAINT money_goes_back_in_a_known_way CHECK (kind IN ('refund', 'chargeback')),
    CONSTRAINT what_goes_back_is_not_negative CHECK (amount_minor >= 0)
);
CREATE INDEX money_back_of_attempt ON money_back (merchant_id, attempt_id);

CREATE TRIGGER money_back_is_never_changed BEFORE UPDATE ON money_back
BEGIN
    SELECT RAISE(ABORT, 'money back is never changed');
END;

CREATE TRIGGER money_back_is_never_removed BEFORE DELETE ON money_back
BEGIN
    SELECT RAISE(ABORT, 'money back is never removed');
END;
