-- The rules of a reservation behind one check, which calls a function. The text of a check is read and planned anew for every
-- row that is written, a function once a connection; five checks took a fifth of a reservation. A broken rule is told by
-- its own name as before.
CREATE FUNCTION keeps_the_rules(one reservation) RETURNS BOOLEAN LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    broken TEXT := CASE
        WHEN one.state NOT IN ('held', 'spent', 'released', 'expired') THEN 'the_state_of_a_reservation_is_known'
        -- A hold without an end would count for ever if its holder died.
        WHEN one.expires_at <= one.held_at THEN 'a_hold_ends_after_it_began'
        WHEN (one.state = 'held') <> (one.closed_at IS NULL) THEN 'a_reservation_is_held_until_it_is_closed'
        WHEN (one.state = 'spent') <> (one.attempt_id IS NOT NULL) THEN 'what_is_spent_names_its_attempt'
        WHEN one.amount_minor < 0 THEN 'the_amount_of_a_reservation_is_not_negative'
    END;
BEGIN
    IF broken IS NOT NULL THEN
        RAISE check_violation USING MESSAGE = replace(broken, '_', ' '), CONSTRAINT = broken, TABLE = 'reservation';
    END IF;
    RETURN TRUE;
END
$$;
ALTER TABLE reservation
    DROP CONSTRAINT the_state_of_a_reservation_is_known,
    DROP CONSTRAINT a_hold_ends_after_it_began,
    DROP CONSTRAINT a_reservation_is_held_until_it_is_closed,
    DROP CONSTRAINT what_is_spent_names_its_attempt,
    DROP CONSTRAINT the_amount_of_a_reservation_is_not_negative,
    ADD CONSTRAINT a_reservation_keeps_the_rules CHECK (keeps_the_rules(reservation));

-- The glance as in step 0019, with less to be set up each time it is called: what counts is told apart at the end.
CREATE OR REPLACE FUNCTION reserve_at_once(
    locks BIGINT[], clear_below BIGINT, since_method BIGINT, since_mandate BIGINT, whole BIGINT,
    harmless_here BIGINT[], harmless_elsewhere BIGINT[],
    new_merchant_id TEXT, new_reservation_id TEXT, new_payment_id TEXT, new_method_id TEXT, new_mandate_id TEXT,
    new_network TEXT, new_processor TEXT, new_initiator TEXT, new_amount_minor BIGINT, new_currency TEXT,
    new_at BIGINT, new_held_at BIGINT, new_expires_at BIGINT, new_proposal TEXT, new_rulebook TEXT
) RETURNS BOOLEAN LANGUAGE plpgsql AS $$
DECLARE
    one BIGINT;
    rows_of_mandate BIGINT := 0;
    counted_of_mandate BIGINT := 0;
    harmless_of_mandate BOOLEAN := TRUE;
BEGIN
    FOREACH one IN ARRAY locks LOOP
        -- An expression, not a statement; what it returns is never NULL.
        IF pg_advisory_xact_lock(one) IS NULL THEN
            RETURN FALSE;
        END IF;
    END LOOP;
    IF new_mandate_id IS NOT NULL THEN
        SELECT count(*), coalesce(sum(near.counts), 0), coalesce(bool_and(near.harmless), TRUE)
        INTO rows_of_mandate, counted_of_mandate, harmless_of_mandate
        FROM (
            SELECT CASE WHEN a.at >= since_mandate THEN 1 ELSE 0 END AS counts,
                coalesce(a.ending = ANY (harmless_elsewhere), FALSE) AS harmless
            FROM (
                SELECT b.at, b.ending FROM attempt AS b
                WHERE b.merchant_id = new_merchant_id AND b.mandate_id = new_mandate_id ORDER BY b.at DESC LIMIT whole
            ) AS a
            UNION ALL
            SELECT 1, r.expires_at > new_held_at FROM reservation AS r
            WHERE r.merchant_id = new_merchant_id AND r.mandate_id = new_mandate_id AND r.mandate_id <> '' AND r.state = 'held'
        ) AS near;
    END IF;
    IF NOT harmless_of_mandate THEN
        RETURN FALSE;
    END IF;
    INSERT INTO reservation (merchant_id, reservation_id, payment_id, method_id, mandate_id, network, processor, initiator,
        amount_minor, currency, at, held_at, expires_at, state, proposal, rulebook)
    SELECT new_merchant_id, new_reservation_id, new_payment_id, new_method_id, new_mandate_id, new_network, new_processor,
        new_initiator, new_amount_minor, new_currency, new_at, new_held_at, new_expires_at, 'held', new_proposal, new_rulebook
    WHERE NOT EXISTS (
        SELECT 1 FROM reservation AS r
        WHERE r.merchant_id = new_merchant_id AND r.payment_id = new_payment_id AND r.payment_id <> '' AND r.state = 'held'
    ) AND NOT EXISTS (
        SELECT 1 FROM standing AS s
        WHERE s.merchant_id = new_merchant_id AND s.topic = 'payment' AND s.subject_id = new_payment_id
    ) AND NOT EXISTS (
        SELECT 1 FROM standing AS s
        WHERE s.merchant_id = new_merchant_id AND s.topic = 'consent' AND s.subject_id = new_method_id
    ) AND (
        SELECT count(*) + rows_of_mandate < whole
            AND count(*) FILTER (WHERE near.at >= near.since) + counted_of_mandate < clear_below
            AND coalesce(bool_and(near.harmless), TRUE)
        FROM (
            (
                SELECT a.at, since_method AS since, coalesce(a.ending = ANY (harmless_elsewhere), FALSE) AS harmless
                FROM attempt AS a
                WHERE a.merchant_id = new_merchant_id AND a.method_id = new_method_id ORDER BY a.at DESC LIMIT whole
            )
            UNION ALL
            (
                SELECT a.at, a.at, coalesce(a.ending = ANY (harmless_here), FALSE) FROM attempt AS a
                WHERE a.merchant_id = new_merchant_id AND a.payment_id = new_payment_id ORDER BY a.at DESC LIMIT whole
            )
            UNION ALL
            SELECT r.at, r.at, r.expires_at > new_held_at FROM reservation AS r
            WHERE r.merchant_id = new_merchant_id AND r.method_id = new_method_id AND r.method_id <> '' AND r.state = 'held'
        ) AS near
    );
    RETURN FOUND;
END
$$;
