-- The glance at what stands around a reservation, as in step 0007 but quicker: a lock is taken without a statement of its
-- own, and what a mandate counts is only asked where there is one.
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
        SELECT count(*) + rows_of_mandate < whole AND coalesce(sum(near.counts), 0) + counted_of_mandate < clear_below
            AND coalesce(bool_and(near.harmless), TRUE)
        FROM (
            SELECT CASE WHEN a.at >= since_method THEN 1 ELSE 0 END AS counts,
                coalesce(a.ending = ANY (harmless_elsewhere), FALSE) AS harmless
            FROM (
                SELECT b.at, b.ending FROM attempt AS b
                WHERE b.merchant_id = new_merchant_id AND b.method_id = new_method_id ORDER BY b.at DESC LIMIT whole
            ) AS a
            UNION ALL
            SELECT 1, coalesce(a.ending = ANY (harmless_here), FALSE)
            FROM (
                SELECT b.ending FROM attempt AS b
                WHERE b.merchant_id = new_merchant_id AND b.payment_id = new_payment_id ORDER BY b.at DESC LIMIT whole
            ) AS a
            UNION ALL
            SELECT 1, r.expires_at > new_held_at FROM reservation AS r
            WHERE r.merchant_id = new_merchant_id AND r.method_id = new_method_id AND r.method_id <> '' AND r.state = 'held'
        ) AS near
    );
    RETURN FOUND;
END
$$;
