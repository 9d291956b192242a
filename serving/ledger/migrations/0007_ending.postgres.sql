-- How an attempt ended, as one number: equal for all that no rule's trigger tells apart but by the day. Of attempts from
-- before this step it is not known, so that they are looked at closely.
ALTER TABLE attempt ADD COLUMN ending BIGINT;

-- Most reservations need to know no more of a counter than when its attempts were and how they ended: all in the index.
DROP INDEX attempt_by_method;
DROP INDEX attempt_by_mandate;
DROP INDEX attempt_by_payment;
CREATE INDEX attempt_by_method ON attempt (merchant_id, method_id, at, ending);
CREATE INDEX attempt_by_mandate ON attempt (merchant_id, mandate_id, at, ending) WHERE mandate_id IS NOT NULL;
CREATE INDEX attempt_by_payment ON attempt (merchant_id, payment_id, at, ending);

-- Hold every counter that an attempt would use if a glance shows that no rule can forbid it: the same statement as
-- `reserve_at_once` for SQLite, after the locks, in one exchange. True where it is held.
CREATE FUNCTION reserve_at_once(
    locks BIGINT[], clear_below BIGINT, since_method BIGINT, since_mandate BIGINT, whole BIGINT,
    harmless_here BIGINT[], harmless_elsewhere BIGINT[],
    new_merchant_id TEXT, new_reservation_id TEXT, new_payment_id TEXT, new_method_id TEXT, new_mandate_id TEXT,
    new_network TEXT, new_processor TEXT, new_initiator TEXT, new_amount_minor BIGINT, new_currency TEXT,
    new_at BIGINT, new_held_at BIGINT, new_expires_at BIGINT, new_proposal TEXT, new_rulebook TEXT
) RETURNS BOOLEAN LANGUAGE plpgsql AS $$
DECLARE
    one BIGINT;
BEGIN
    FOREACH one IN ARRAY locks LOOP
        PERFORM pg_advisory_xact_lock(one);
    END LOOP;
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
        SELECT count(*) < whole AND coalesce(sum(near.counts), 0) < clear_below AND coalesce(bool_and(near.harmless), true)
        FROM (
            SELECT CASE WHEN a.at >= since_method THEN 1 ELSE 0 END AS counts,
                coalesce(a.ending = ANY (harmless_elsewhere), false) AS harmless
            FROM (
                SELECT b.at, b.ending FROM attempt AS b
                WHERE b.merchant_id = new_merchant_id AND b.method_id = new_method_id ORDER BY b.at DESC LIMIT whole
            ) AS a
            UNION ALL
            SELECT 1, coalesce(a.ending = ANY (harmless_here), false)
            FROM (
                SELECT b.ending FROM attempt AS b
                WHERE b.merchant_id = new_merchant_id AND b.payment_id = new_payment_id ORDER BY b.at DESC LIMIT whole
            ) AS a
            UNION ALL
            SELECT CASE WHEN a.at >= since_mandate THEN 1 ELSE 0 END, coalesce(a.ending = ANY (harmless_elsewhere), false)
            FROM (
                SELECT b.at, b.ending FROM attempt AS b
                WHERE b.merchant_id = new_merchant_id AND b.mandate_id = new_mandate_id ORDER BY b.at DESC LIMIT whole
            ) AS a
            UNION ALL
            SELECT 1, r.expires_at > new_held_at FROM reservation AS r
            WHERE r.merchant_id = new_merchant_id AND r.method_id = new_method_id AND r.method_id <> '' AND r.state = 'held'
            UNION ALL
            SELECT 1, r.expires_at > new_held_at FROM reservation AS r
            WHERE r.merchant_id = new_merchant_id AND r.mandate_id = new_mandate_id AND r.mandate_id <> '' AND r.state = 'held'
        ) AS near
    );
    RETURN FOUND;
END
$$;
