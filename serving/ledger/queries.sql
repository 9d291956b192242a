-- name: lock
-- Wait until no other transaction holds this counter; held to the end of the transaction. PostgreSQL only.
SELECT pg_advisory_xact_lock(:key)

-- name: lock_shared
-- As `lock`, but only whoever takes it alone has to wait. PostgreSQL only.
SELECT pg_advisory_xact_lock_shared(:key)

-- name: counted
-- What stands around an attempt: the newest attempts up to an instant, at most :most each, of the method, payment and
-- mandate, all that is held on them, and the latest word on the payment, on the consent to the method and on the method.
-- The conditions `<> ''` name the index of held rows that is meant; without statistics any of them looks as good.
SELECT * FROM (
    SELECT 'method' AS scope, attempt_id, payment_id, method_id, mandate_id, processor, amount_minor, currency,
        initiator, at, at_precision, outcome, network, code, subcode, advice_code, category, retryability,
        min_wait_hours, known_at, a.flavour
    FROM attempt AS a WHERE merchant_id = :merchant_id AND method_id = :method_id AND at <= :until
    ORDER BY at DESC LIMIT :most
) AS of_method
UNION ALL
SELECT * FROM (
    SELECT 'payment', attempt_id, payment_id, method_id, mandate_id, processor, amount_minor, currency,
        initiator, at, at_precision, outcome, network, code, subcode, advice_code, category, retryability,
        min_wait_hours, known_at, a.flavour
    FROM attempt AS a WHERE merchant_id = :merchant_id AND payment_id = :payment_id AND at <= :until
    ORDER BY at DESC LIMIT :most
) AS of_payment
UNION ALL
SELECT * FROM (
    SELECT 'mandate', attempt_id, payment_id, method_id, mandate_id, processor, amount_minor, currency,
        initiator, at, at_precision, outcome, network, code, subcode, advice_code, category, retryability,
        min_wait_hours, known_at, a.flavour
    FROM attempt AS a WHERE merchant_id = :merchant_id AND mandate_id = :mandate_id AND at <= :until
    ORDER BY at DESC LIMIT :most
) AS of_mandate
UNION ALL
SELECT 'held', reservation_id, payment_id, method_id, mandate_id, processor, amount_minor, currency,
    initiator, at, 'instant', 'unknown', network, NULL, NULL, NULL, NULL, NULL, NULL, expires_at, 0
FROM reservation WHERE merchant_id = :merchant_id AND method_id = :method_id AND method_id <> '' AND state = 'held'
UNION ALL
SELECT 'held', reservation_id, payment_id, method_id, mandate_id, processor, amount_minor, currency,
    initiator, at, 'instant', 'unknown', network, NULL, NULL, NULL, NULL, NULL, NULL, expires_at, 0
FROM reservation WHERE merchant_id = :merchant_id AND payment_id = :payment_id AND payment_id <> '' AND state = 'held'
UNION ALL
SELECT 'held', reservation_id, payment_id, method_id, mandate_id, processor, amount_minor, currency,
    initiator, at, 'instant', 'unknown', network, NULL, NULL, NULL, NULL, NULL, NULL, expires_at, 0
FROM reservation WHERE merchant_id = :merchant_id AND mandate_id = :mandate_id AND mandate_id <> '' AND state = 'held'
UNION ALL
SELECT 'standing', topic, word, NULL, NULL, NULL, NULL, NULL,
    NULL, said_at, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
FROM standing WHERE merchant_id = :merchant_id AND topic = 'payment' AND subject_id = :payment_id
UNION ALL
SELECT 'standing', topic, word, NULL, NULL, NULL, NULL, NULL,
    NULL, said_at, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
FROM standing WHERE merchant_id = :merchant_id AND topic = 'consent' AND subject_id = :method_id
UNION ALL
SELECT 'standing', topic, word, NULL, NULL, NULL, NULL, NULL,
    NULL, said_at, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
FROM standing WHERE merchant_id = :merchant_id AND topic = 'method' AND subject_id = :method_id

-- name: all_of_payment
-- Every attempt on a payment.
SELECT 'payment', attempt_id, payment_id, method_id, mandate_id, processor, amount_minor, currency, initiator, at,
    at_precision, outcome, network, code, subcode, advice_code, category, retryability, min_wait_hours, known_at, a.flavour
FROM attempt AS a WHERE merchant_id = :merchant_id AND payment_id = :payment_id AND at <= :until

-- name: of_method_since
-- The attempts on a method from an instant on.
SELECT 'method', attempt_id, payment_id, method_id, mandate_id, processor, amount_minor, currency, initiator, at,
    at_precision, outcome, network, code, subcode, advice_code, category, retryability, min_wait_hours, known_at, a.flavour
FROM attempt AS a WHERE merchant_id = :merchant_id AND method_id = :method_id AND at BETWEEN :since AND :until

-- name: of_mandate_since
-- The attempts under a mandate from an instant on.
SELECT 'mandate', attempt_id, payment_id, method_id, mandate_id, processor, amount_minor, currency, initiator, at,
    at_precision, outcome, network, code, subcode, advice_code, category, retryability, min_wait_hours, known_at, a.flavour
FROM attempt AS a WHERE merchant_id = :merchant_id AND mandate_id = :mandate_id AND at BETWEEN :since AND :until

-- name: latest_flavours_of_method
-- The latest attempt of each flavour on a method before an instant: a few index probes a flavour, however many there are.
WITH RECURSIVE flavours (flavour) AS (
    SELECT (
        SELECT a.flavour FROM attempt AS a
        WHERE a.merchant_id = :merchant_id AND a.method_id = :method_id ORDER BY a.flavour LIMIT 1
    )
    UNION ALL
    SELECT (
        SELECT a.flavour FROM attempt AS a
        WHERE a.merchant_id = :merchant_id AND a.method_id = :method_id AND a.flavour > f.flavour
        ORDER BY a.flavour LIMIT 1
    ) FROM flavours AS f WHERE f.flavour IS NOT NULL
)
SELECT 'method', attempt_id, payment_id, method_id, mandate_id, processor, amount_minor, currency, initiator, at,
    at_precision, outcome, network, code, subcode, advice_code, category, retryability, min_wait_hours, known_at, a.flavour
FROM flavours AS f
JOIN attempt AS a ON a.merchant_id = :merchant_id AND a.method_id = :method_id AND a.flavour = f.flavour AND a.at = (
    SELECT b.at FROM attempt AS b
    WHERE b.merchant_id = :merchant_id AND b.method_id = :method_id AND b.flavour = f.flavour AND b.at < :since AND b.at <= :until
    ORDER BY b.at DESC LIMIT 1
)

-- name: latest_flavours_of_mandate
-- The latest attempt of each flavour under a mandate before an instant.
WITH RECURSIVE flavours (flavour) AS (
    SELECT (
        SELECT a.flavour FROM attempt AS a
        WHERE a.merchant_id = :merchant_id AND a.mandate_id = :mandate_id ORDER BY a.flavour LIMIT 1
    )
    UNION ALL
    SELECT (
        SELECT a.flavour FROM attempt AS a
        WHERE a.merchant_id = :merchant_id AND a.mandate_id = :mandate_id AND a.flavour > f.flavour
        ORDER BY a.flavour LIMIT 1
    ) FROM flavours AS f WHERE f.flavour IS NOT NULL
)
SELECT 'mandate', attempt_id, payment_id, method_id, mandate_id, processor, amount_minor, currency, initiator, at,
    at_precision, outcome, network, code, subcode, advice_code, category, retryability, min_wait_hours, known_at, a.flavour
FROM flavours AS f
JOIN attempt AS a ON a.merchant_id = :merchant_id AND a.mandate_id = :mandate_id AND a.flavour = f.flavour AND a.at = (
    SELECT b.at FROM attempt AS b
    WHERE b.merchant_id = :merchant_id AND b.mandate_id = :mandate_id AND b.flavour = f.flavour AND b.at < :since AND b.at <= :until
    ORDER BY b.at DESC LIMIT 1
)

-- name: approved_of_payment
-- The approved attempt on a payment, if there is one.
SELECT attempt_id, known_at FROM attempt
WHERE merchant_id = :merchant_id AND payment_id = :payment_id AND outcome = 'approved' ORDER BY at DESC LIMIT 1

-- name: insert_event
-- Append what was told; told again under the same id, nothing happens.
INSERT INTO event (merchant_id, source, source_event_id, kind, subject_id, said_at, recorded_at, body)
VALUES (:merchant_id, :source, :source_event_id, :kind, :subject_id, :said_at, :recorded_at, :body)
ON CONFLICT (merchant_id, source, source_event_id) DO NOTHING

-- name: event_body
-- What a source told under an id.
SELECT kind, subject_id, said_at, body FROM event
WHERE merchant_id = :merchant_id AND source = :source AND source_event_id = :source_event_id

-- name: attempt_events
-- Everything told about one attempt.
SELECT kind, source, said_at, body FROM event
WHERE merchant_id = :merchant_id AND subject_id = :subject_id AND kind IN (
    'attempt_reported', 'attempt_corrected', 'attempt_reversed', 'attempt_withdrawn'
)

-- name: taken_and_sent_back
-- When a debit of the payment that had been approved was last sent back, and how many attempts on it stand as approved.
SELECT max(back.said_at), (
    SELECT count(*) FROM attempt AS a
    WHERE a.merchant_id = :merchant_id AND a.payment_id = :payment_id AND a.outcome = 'approved'
)
FROM attempt AS taken
JOIN event AS back ON back.merchant_id = taken.merchant_id AND back.subject_id = taken.attempt_id
    AND back.kind = 'attempt_reversed'
WHERE taken.merchant_id = :merchant_id AND taken.payment_id = :payment_id AND EXISTS (
    SELECT 1 FROM event AS told WHERE told.merchant_id = taken.merchant_id AND told.subject_id = taken.attempt_id
        AND told.kind IN ('attempt_reported', 'attempt_corrected') AND told.said_at <= back.said_at
        AND told.body LIKE :approval
)

-- name: payment_words
-- Everything said of a payment itself.
SELECT said_at, kind FROM event WHERE merchant_id = :merchant_id AND subject_id = :payment_id
    AND kind IN ('payment_paid', 'payment_cancelled', 'payment_reopened')

-- name: drop_payment_standing
-- The word that a payment stands by, to be worked out anew.
DELETE FROM standing WHERE merchant_id = :merchant_id AND topic = 'payment' AND subject_id = :payment_id

-- name: subjects_told_of.sqlite
-- Which of these attempts anything has been told about.
SELECT DISTINCT subject_id FROM event
WHERE merchant_id = :merchant_id AND subject_id IN (SELECT value FROM json_each(:subject_ids))

-- name: subjects_told_of.postgres
-- Which of these attempts anything has been told about.
SELECT DISTINCT subject_id FROM event
WHERE merchant_id = :merchant_id AND subject_id IN (SELECT jsonb_array_elements_text(CAST(:subject_ids AS jsonb)))

-- name: put_attempt
-- Write down an attempt as its events say.
INSERT INTO attempt (merchant_id, attempt_id, payment_id, customer_id, method_id, mandate_id, rail, network, credential,
    issuer_country, market, merchant_country, processor, initiator, amount_minor, currency, at, at_precision, outcome,
    known_at, code, subcode, advice_code, category, retryability, min_wait_hours, reservation_id, flavour, ending)
VALUES (:merchant_id, :attempt_id, :payment_id, :customer_id, :method_id, :mandate_id, :rail, :network, :credential,
    :issuer_country, :market, :merchant_country, :processor, :initiator, :amount_minor, :currency, :at, :precision,
    :outcome, :known_at, :code, :subcode, :advice_code, :category, :retryability, :min_wait_hours, :reservation_id,
    :flavour, :ending)
ON CONFLICT (merchant_id, attempt_id) DO UPDATE SET
    payment_id = excluded.payment_id, customer_id = excluded.customer_id, method_id = excluded.method_id,
    mandate_id = excluded.mandate_id, rail = excluded.rail, network = excluded.network,
    credential = excluded.credential, issuer_country = excluded.issuer_country, market = excluded.market,
    merchant_country = excluded.merchant_country, processor = excluded.processor, initiator = excluded.initiator,
    amount_minor = excluded.amount_minor, currency = excluded.currency, at = excluded.at,
    at_precision = excluded.at_precision, outcome = excluded.outcome, known_at = excluded.known_at,
    code = excluded.code, subcode = excluded.subcode, advice_code = excluded.advice_code,
    category = excluded.category, retryability = excluded.retryability, min_wait_hours = excluded.min_wait_hours,
    reservation_id = excluded.reservation_id, flavour = excluded.flavour,
    ending = excluded.ending

-- name: drop_attempt
-- Forget the derived row of an attempt that never took place; its events stay.
DELETE FROM attempt WHERE merchant_id = :merchant_id AND attempt_id = :attempt_id

-- name: put_standing
-- Take the later word; of two at the same instant the one that stops more.
INSERT INTO standing (merchant_id, topic, subject_id, word, said_at)
VALUES (:merchant_id, :topic, :subject_id, :word, :said_at)
ON CONFLICT (merchant_id, topic, subject_id) DO UPDATE SET word = excluded.word, said_at = excluded.said_at
WHERE excluded.said_at > standing.said_at
    OR (excluded.said_at = standing.said_at AND excluded.word IN ('payment_paid', 'consent_withdrawn'))
    OR (excluded.said_at = standing.said_at AND excluded.word = 'payment_cancelled' AND standing.word = 'payment_reopened')

-- name: insert_reservation
-- Hold every counter that an attempt would use.
INSERT INTO reservation (merchant_id, reservation_id, payment_id, method_id, mandate_id, network, processor, initiator,
    amount_minor, currency, at, held_at, expires_at, state, proposal, rulebook)
VALUES (:merchant_id, :reservation_id, :payment_id, :method_id, :mandate_id, :network, :processor, :initiator,
    :amount_minor, :currency, :at, :held_at, :expires_at, 'held', :proposal, :rulebook)

-- name: reserve_at_once.sqlite
-- Hold every counter that an attempt would use if a glance shows that no rule can forbid it: nothing is held on the
-- payment (which the index of one hold a payment knows), nothing was said about it or the consent, fewer attempts and
-- holds than any cap allows, no hold is past its time, and each attempt has an ending known to set nothing off.
-- Otherwise it has no state, so that the row is ignored and the rules have to be looked at. (A row from SELECT, which reads
-- the table that it goes to, would be kept in another table on its way.)
INSERT OR IGNORE INTO reservation (merchant_id, reservation_id, payment_id, method_id, mandate_id, network, processor,
    initiator, amount_minor, currency, at, held_at, expires_at, state, proposal, rulebook)
VALUES (:merchant_id, :reservation_id, :payment_id, :method_id, :mandate_id, :network, :processor, :initiator,
    :amount_minor, :currency, :at, :held_at, :expires_at,
    CASE WHEN NOT EXISTS (
            SELECT 1 FROM standing WHERE merchant_id = :merchant_id AND topic = 'payment' AND subject_id = :payment_id
        ) AND NOT EXISTS (
            SELECT 1 FROM standing WHERE merchant_id = :merchant_id AND topic = 'consent' AND subject_id = :method_id
        ) AND (
            SELECT count(*) < :whole AND coalesce(sum(counts), 0) < :clear_below AND coalesce(min(harmless), 1)
            FROM (
                SELECT at >= :since_method AS counts,
                    coalesce(instr(:harmless_elsewhere, ',' || ending || ',') > 0, 0) AS harmless
                FROM (
                    SELECT at, ending FROM attempt
                    WHERE merchant_id = :merchant_id AND method_id = :method_id ORDER BY at DESC LIMIT :whole
                )
                UNION ALL
                SELECT 1, coalesce(instr(:harmless_here, ',' || ending || ',') > 0, 0)
                FROM (
                    SELECT ending FROM attempt
                    WHERE merchant_id = :merchant_id AND payment_id = :payment_id ORDER BY at DESC LIMIT :whole
                )
                UNION ALL
                SELECT at >= :since_mandate, coalesce(instr(:harmless_elsewhere, ',' || ending || ',') > 0, 0)
                FROM (
                    SELECT at, ending FROM attempt
                    WHERE merchant_id = :merchant_id AND mandate_id = :mandate_id ORDER BY at DESC LIMIT :whole
                )
                UNION ALL
                SELECT 1, expires_at > :held_at FROM reservation
                WHERE merchant_id = :merchant_id AND method_id = :method_id AND method_id <> '' AND state = 'held'
                UNION ALL
                SELECT 1, expires_at > :held_at FROM reservation
                WHERE merchant_id = :merchant_id AND mandate_id = :mandate_id AND mandate_id <> '' AND state = 'held'
            )
        ) THEN 'held' END,
    :proposal, :rulebook)

-- name: reserve_at_once.postgres
-- The same after the locks; the function stands in the migrations.
SELECT 1 WHERE reserve_at_once(CAST(CAST(:locks AS TEXT) AS BIGINT[]), :clear_below, :since_method, :since_mandate, :whole,
    CAST(CAST(:array_of_harmless_here AS TEXT) AS BIGINT[]), CAST(CAST(:array_of_harmless_elsewhere AS TEXT) AS BIGINT[]),
    :merchant_id, :reservation_id, :payment_id, :method_id, :mandate_id, :network, :processor, :initiator,
    :amount_minor, :currency, :at, :held_at, :expires_at, :proposal, :rulebook)

-- name: reservation
-- One reservation by its id.
SELECT merchant_id, reservation_id, at, held_at, expires_at, state, closed_at, reason, attempt_id, rulebook,
    payment_id, method_id, mandate_id, network, processor, initiator, amount_minor, currency, proposal
FROM reservation WHERE merchant_id = :merchant_id AND reservation_id = :reservation_id

-- name: close_reservation
-- End a hold; one that has ended already is left as it is.
UPDATE reservation SET state = :state, closed_at = :closed_at, reason = :reason, attempt_id = :attempt_id
WHERE merchant_id = :merchant_id AND reservation_id = :reservation_id AND state = 'held'

-- name: expire_reservations.sqlite
-- End every hold whose time is over. Every payment has a name; to say so lets the index of holds be read, not the table.
UPDATE reservation SET state = 'expired', closed_at = :now
WHERE state = 'held' AND payment_id <> '' AND expires_at <= :now

-- name: expire_reservations.postgres
-- End every hold whose time is over, but for those that somebody is ending at this moment.
UPDATE reservation AS r SET state = 'expired', closed_at = :now FROM (
    SELECT merchant_id, reservation_id FROM reservation WHERE state = 'held' AND payment_id <> '' AND expires_at <= :now
    FOR UPDATE SKIP LOCKED
) AS over
WHERE r.merchant_id = over.merchant_id AND r.reservation_id = over.reservation_id

-- name: tried_lately
-- What a method was last tried with.
SELECT attempt_id, payment_id, customer_id, method_id, mandate_id, rail, network, credential, issuer_country,
    market, merchant_country, processor, initiator, amount_minor, currency, at, at_precision, outcome, known_at, code,
    subcode, advice_code, category, retryability, min_wait_hours, reservation_id
FROM attempt WHERE merchant_id = :merchant_id AND method_id = :method_id AND at >= :since
ORDER BY at DESC LIMIT :most

-- name: merchants
-- Who has attempts, one index probe a merchant.
WITH RECURSIVE merchants (merchant_id) AS (
    SELECT (SELECT a.merchant_id FROM attempt AS a ORDER BY a.merchant_id LIMIT 1)
    UNION ALL
    SELECT (SELECT a.merchant_id FROM attempt AS a WHERE a.merchant_id > m.merchant_id ORDER BY a.merchant_id LIMIT 1)
    FROM merchants AS m WHERE m.merchant_id IS NOT NULL
)
SELECT merchant_id FROM merchants WHERE merchant_id IS NOT NULL

-- name: audited
-- The attempts of a merchant after a place in the order of method and time, between two instants.
SELECT attempt_id, payment_id, customer_id, method_id, mandate_id, rail, network, credential, issuer_country,
    market, merchant_country, processor, initiator, amount_minor, currency, at, at_precision, outcome, known_at, code,
    subcode, advice_code, category, retryability, min_wait_hours, reservation_id
FROM attempt
WHERE merchant_id = :merchant_id AND at >= :since AND at < :until AND outcome <> 'error'
    AND (method_id, at, attempt_id) > (:method_id, :at, :attempt_id)
ORDER BY method_id, at, attempt_id LIMIT :most

-- name: backfilled
-- How far a history has been taken in.
SELECT rows_done, rows_in_all FROM backfill WHERE digest = :digest

-- name: put_backfilled
-- Note how far a history has been taken in.
INSERT INTO backfill (digest, rows_done, rows_in_all, updated_at)
VALUES (:digest, :rows_done, :rows_in_all, :updated_at)
ON CONFLICT (digest) DO UPDATE SET rows_done = excluded.rows_done, updated_at = excluded.updated_at

-- name: counts
-- How much the ledger holds.
SELECT (SELECT count(*) FROM event), (SELECT count(*) FROM attempt), (SELECT count(*) FROM standing)

-- name: reservation_counts
-- How many reservations are in which state.
SELECT state, count(*) FROM reservation GROUP BY state ORDER BY state

-- name: has_migrations.sqlite
-- Whether the database was ever migrated.
SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'migration'

-- name: has_migrations.postgres
-- Whether the database was ever migrated.
SELECT 1 WHERE to_regclass('migration') IS NOT NULL

-- name: applied_migrations
-- The steps applied, in order.
SELECT version, digest FROM migration ORDER BY version

-- name: note_migration
-- Note that a step was applied.
INSERT INTO migration (version, name, digest) VALUES (:version, :name, :digest)

-- name: volume_since
-- What a merchant sent over a network from an hour on and before another, with what was known of it before that.
SELECT processor, outcome, code, subcode, advice_code, category, retryability,
    CASE WHEN known_hour < :before THEN 1 ELSE 0 END AS known, CAST(sum(attempts) AS BIGINT)
FROM volume
WHERE merchant_id = :merchant_id AND network = :network AND hour >= :since AND hour < :before AND outcome <> 'error'
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
HAVING sum(attempts) > 0

-- name: fixes_of_method
-- What was told to be mended about a method, for what it was told, and when.
SELECT said_at, body FROM event
WHERE merchant_id = :merchant_id AND subject_id = :method_id AND kind = 'method_fixed' ORDER BY said_at, body

-- name: attempt_facts
-- One attempt as it counts.
SELECT attempt_id, payment_id, customer_id, method_id, mandate_id, rail, network, credential, issuer_country,
    market, merchant_country, processor, initiator, amount_minor, currency, at, at_precision, outcome, known_at, code,
    subcode, advice_code, category, retryability, min_wait_hours, reservation_id
FROM attempt WHERE merchant_id = :merchant_id AND attempt_id = :attempt_id

-- name: attempts_after
-- The attempts of a merchant after one, in the order of their ids.
SELECT attempt_id, payment_id, customer_id, method_id, mandate_id, rail, network, credential, issuer_country,
    market, merchant_country, processor, initiator, amount_minor, currency, at, at_precision, outcome, known_at, code,
    subcode, advice_code, category, retryability, min_wait_hours, reservation_id
FROM attempt WHERE merchant_id = :merchant_id AND attempt_id > :attempt_id ORDER BY attempt_id LIMIT :most

-- name: insert_delivery
-- Keep what was delivered; delivered again, nothing happens.
INSERT INTO delivery (merchant_id, source, digest, received_at, content_type, form, body, marked)
VALUES (:merchant_id, :source, :digest, :received_at, :content_type, :form, :body, :marked)
ON CONFLICT (merchant_id, source, digest) DO NOTHING

-- name: delivery_received
-- When one delivery came, where it is kept.
SELECT received_at FROM delivery WHERE merchant_id = :merchant_id AND source = :source AND digest = :digest

-- name: insert_reading
-- Note that a delivery is to be read.
INSERT INTO reading (merchant_id, source, digest, state, kinds, reason, events, tries, read_at, next_at)
VALUES (:merchant_id, :source, :digest, 'stored', '', '', 0, 0, :received_at, :received_at)
ON CONFLICT (merchant_id, source, digest) DO NOTHING

-- name: put_reading
-- Note what became of a delivery when it was read.
UPDATE reading SET state = :state, kinds = :kinds, reason = :reason, events = :events, tries = tries + 1,
    read_at = :read_at, next_at = :next_at
WHERE merchant_id = :merchant_id AND source = :source AND digest = :digest

-- name: reading_state
-- Where one delivery stands.
SELECT state, kinds, reason, events, tries FROM reading
WHERE merchant_id = :merchant_id AND source = :source AND digest = :digest

-- name: deliveries_due
-- What is to be read again by now, the longest due first.
SELECT d.merchant_id, d.source, d.digest, d.received_at, d.content_type, d.form, d.body, d.marked, r.tries
FROM reading AS r
JOIN delivery AS d ON d.merchant_id = r.merchant_id AND d.source = r.source AND d.digest = r.digest
WHERE r.next_at IS NOT NULL AND r.next_at <= :now
ORDER BY r.next_at LIMIT :most

-- name: deliveries_in_state
-- What stands in a state after a place in the order of when it was read, with its body.
SELECT d.merchant_id, d.source, d.digest, d.received_at, d.content_type, d.form, d.body, d.marked, r.tries, r.read_at
FROM reading AS r
JOIN delivery AS d ON d.merchant_id = r.merchant_id AND d.source = r.source AND d.digest = r.digest
WHERE r.state = :state AND (r.read_at, r.digest) > (:read_at, :digest) AND r.read_at < :before
ORDER BY r.read_at, r.digest LIMIT :most

-- name: readings_in_state
-- The latest that stand in a state, without their bodies.
SELECT r.merchant_id, r.source, r.digest, d.received_at, r.read_at, r.tries, d.marked, r.kinds, r.reason
FROM reading AS r
JOIN delivery AS d ON d.merchant_id = r.merchant_id AND d.source = r.source AND d.digest = r.digest
WHERE r.state = :state ORDER BY r.read_at DESC LIMIT :most

-- name: one_delivery
-- The deliveries whose digest begins so.
SELECT d.merchant_id, d.source, d.digest, d.received_at, d.content_type, d.form, d.body, d.marked, r.tries
FROM reading AS r
JOIN delivery AS d ON d.merchant_id = r.merchant_id AND d.source = r.source AND d.digest = r.digest
WHERE d.digest >= :first AND d.digest < :last LIMIT 2

-- name: reading_counts
-- How many deliveries of what kinds stand where, and how many were marked.
SELECT r.merchant_id, r.source, r.kinds, r.state, count(*), CAST(sum(d.marked) AS BIGINT)
FROM reading AS r
JOIN delivery AS d ON d.merchant_id = r.merchant_id AND d.source = r.source AND d.digest = r.digest
GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
-- name: add_merchant
-- A merchant; added again, nothing changes.
INSERT INTO merchant (merchant_id, name, created_at) VALUES (:merchant_id, :name, :created_at)
ON CONFLICT (merchant_id) DO NOTHING

-- name: merchant
-- One merchant.
SELECT merchant_id, name, created_at FROM merchant WHERE merchant_id = :merchant_id

-- name: merchant_is_known
-- A row if a merchant was added, or anything was ever told or decided of it.
SELECT 1 WHERE EXISTS (SELECT 1 FROM merchant WHERE merchant_id = :merchant_id)
    OR EXISTS (SELECT 1 FROM attempt WHERE merchant_id = :merchant_id)
    OR EXISTS (SELECT 1 FROM decision WHERE merchant_id = :merchant_id)

-- name: anything
-- A row if anything was ever told or decided.
SELECT 1 WHERE EXISTS (SELECT 1 FROM event) OR EXISTS (SELECT 1 FROM decision)

-- name: all_merchants
-- Every merchant with how many of its keys can be used at an instant.
SELECT m.merchant_id, m.name, m.created_at, (
    SELECT count(*) FROM api_key AS k
    WHERE k.merchant_id = m.merchant_id AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > :now)
) FROM merchant AS m ORDER BY m.merchant_id

-- name: add_key
-- A new key.
INSERT INTO api_key (key_id, merchant_id, digest, scope, label, per_second, created_at, expires_at, sandbox)
VALUES (:key_id, :merchant_id, :digest, :scope, :label, :per_second, :created_at, :expires_at, :sandbox)

-- name: key
-- One key by its id.
SELECT key_id, merchant_id, digest, scope, label, per_second, created_at, expires_at, revoked_at, last_used_at, sandbox
FROM api_key WHERE key_id = :key_id

-- name: all_keys
-- Every key, or those of one merchant.
SELECT key_id, merchant_id, digest, scope, label, per_second, created_at, expires_at, revoked_at, last_used_at, sandbox
FROM api_key WHERE :merchant_id = '*' OR merchant_id = :merchant_id ORDER BY merchant_id, created_at, key_id

-- name: any_key
-- Whether a key was ever made.
SELECT 1 FROM api_key LIMIT 1

-- name: end_key
-- Let a key end at an instant, unless it ends earlier.
UPDATE api_key SET expires_at = :expires_at
WHERE key_id = :key_id AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > :expires_at)

-- name: revoke_key
-- A key can be used no longer.
UPDATE api_key SET revoked_at = :now WHERE key_id = :key_id AND revoked_at IS NULL

-- name: note_use
-- When a key was used, unless that was noted lately.
UPDATE api_key SET last_used_at = :now
WHERE key_id = :key_id AND (last_used_at IS NULL OR last_used_at < :noted_before)

-- name: insert_advice_event
-- Append a word on whether retries are advised; told again under the same id, nothing happens.
INSERT INTO advice_event (merchant_id, event_id, payment_id, by_merchant, word, reason, said_at, recorded_at)
VALUES (:merchant_id, :event_id, :payment_id, :by_merchant, :word, :reason, :said_at, :recorded_at)
ON CONFLICT (merchant_id, event_id) DO NOTHING

-- name: advice_event
-- What was said under an id.
SELECT payment_id, by_merchant, word, reason, said_at FROM advice_event
WHERE merchant_id = :merchant_id AND event_id = :event_id

-- name: put_advice
-- Take the later word; of two at the same instant the one that stops.
INSERT INTO advice (merchant_id, payment_id, by_merchant, word, reason, said_at)
VALUES (:merchant_id, :payment_id, :by_merchant, :word, :reason, :said_at)
ON CONFLICT (merchant_id, payment_id, by_merchant) DO UPDATE SET
    word = excluded.word, reason = excluded.reason, said_at = excluded.said_at
WHERE excluded.said_at > advice.said_at OR (excluded.said_at = advice.said_at AND excluded.word = 'stopped')

-- name: advice_against
-- What speaks against advising a retry of a payment: a stop for everybody, for its merchant, for the payment itself.
-- In two parts, since SQLite takes several times as long for one with OR.
SELECT merchant_id, payment_id, reason, said_at FROM advice
WHERE merchant_id = '' AND payment_id = '' AND word = 'stopped'
UNION ALL
SELECT merchant_id, payment_id, reason, said_at FROM advice
WHERE merchant_id = :merchant_id AND merchant_id <> '' AND payment_id IN ('', :payment_id) AND word = 'stopped'

-- name: emergency_stops
-- The stops in force for everybody and for whole merchants, or only those that hold for one merchant.
SELECT merchant_id, reason, said_at, by_merchant FROM advice
WHERE payment_id = '' AND word = 'stopped' AND (:merchant_id = '*' OR merchant_id = '' OR merchant_id = :merchant_id)
ORDER BY merchant_id, by_merchant

-- name: claim_request
-- Take a request up that nobody has.
INSERT INTO answered (merchant_id, idempotency_key, fingerprint, claim, working_since, touched_at)
VALUES (:merchant_id, :idempotency_key, :fingerprint, :claim, :now, :now)
ON CONFLICT (merchant_id, idempotency_key) DO NOTHING

-- name: claimed_request
-- What is known of a request, and its answer.
SELECT fingerprint, claim, working_since, touched_at, status, media_type, body FROM answered
WHERE merchant_id = :merchant_id AND idempotency_key = :idempotency_key

-- name: take_request_over
-- Take up what somebody has let go, or has not finished within its time.
UPDATE answered SET working_since = :now, touched_at = :now
WHERE merchant_id = :merchant_id AND idempotency_key = :idempotency_key AND status IS NULL
    AND working_since = :working_since

-- name: forget_request
-- Forget one whose time is over, so that its key can be used again.
DELETE FROM answered WHERE merchant_id = :merchant_id AND idempotency_key = :idempotency_key AND claim = :claim

-- name: keep_answer
-- Keep the answer; whoever was overtaken keeps nothing.
UPDATE answered SET touched_at = :now, status = :status, media_type = :media_type, body = :body
WHERE merchant_id = :merchant_id AND idempotency_key = :idempotency_key AND claim = :claim
    AND working_since = :working_since AND status IS NULL

-- name: let_request_go
-- Nobody works on it any more; the next who asks takes it up at once.
UPDATE answered SET working_since = 0
WHERE merchant_id = :merchant_id AND idempotency_key = :idempotency_key AND claim = :claim
    AND working_since = :working_since AND status IS NULL

-- name: forget_answers
-- Forget the requests that nobody touched since an instant, at most so many at once.
DELETE FROM answered WHERE (merchant_id, idempotency_key) IN (
    SELECT merchant_id, idempotency_key FROM answered WHERE touched_at < :before LIMIT :most
)

-- name: timeline
-- What happened to a payment after a place in the order of time: attempts, decisions, reservations, words on it and on
-- its advice.
SELECT entry, id, at, ends_at, word, method_id, processor, initiator, amount_minor, currency, code, subcode, advice_code,
    category, other_id, reason
FROM (
    SELECT 'attempt' AS entry, attempt_id AS id, at, known_at AS ends_at, outcome AS word, method_id, processor,
        initiator, amount_minor, currency, code, subcode, advice_code, category, reservation_id AS other_id,
        NULL AS reason
    FROM attempt WHERE merchant_id = :merchant_id AND payment_id = :payment_id
    UNION ALL
    SELECT 'reservation', reservation_id, held_at, closed_at, state, method_id, processor,
        initiator, amount_minor, currency, NULL, NULL, NULL, NULL, attempt_id, reason
    FROM reservation WHERE merchant_id = :merchant_id AND payment_id = :payment_id AND payment_id <> '' AND state = 'held'
    UNION ALL
    SELECT 'reservation', reservation_id, held_at, closed_at, state, method_id, processor,
        initiator, amount_minor, currency, NULL, NULL, NULL, NULL, attempt_id, reason
    FROM reservation WHERE merchant_id = :merchant_id AND payment_id = :payment_id AND state <> 'held'
    UNION ALL
    SELECT 'standing', source_event_id, said_at, NULL, kind, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
        NULL
    FROM event WHERE merchant_id = :merchant_id AND subject_id = :payment_id
        AND kind IN ('payment_paid', 'payment_cancelled', 'payment_reopened')
    UNION ALL
    SELECT 'advice', event_id, said_at, NULL, word, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, reason
    FROM advice_event WHERE merchant_id = :merchant_id AND payment_id = :payment_id
    UNION ALL
    SELECT 'decision', decision_id, answered_at, NULL, action, method_id, processor, NULL, NULL, NULL, NULL, NULL, NULL,
        NULL, reservation_id, reason
    FROM decision WHERE merchant_id = :merchant_id AND payment_id = :payment_id
) AS entries
WHERE (at, entry, id) > (:at, :entry, :id)
ORDER BY at, entry, id LIMIT :most

-- name: payments_after
-- The payments of a merchant after one, in the order of their ids, each by an index probe.
WITH RECURSIVE payments (payment_id, place) AS (
    SELECT (
        SELECT a.payment_id FROM attempt AS a WHERE a.merchant_id = :merchant_id AND a.payment_id > :payment_id
        ORDER BY a.payment_id LIMIT 1
    ), 1
    UNION ALL
    SELECT (
        SELECT a.payment_id FROM attempt AS a WHERE a.merchant_id = :merchant_id AND a.payment_id > p.payment_id
        ORDER BY a.payment_id LIMIT 1
    ), p.place + 1 FROM payments AS p WHERE p.payment_id IS NOT NULL AND p.place < :most
)
SELECT p.payment_id,
    (SELECT count(*) FROM attempt AS a WHERE a.merchant_id = :merchant_id AND a.payment_id = p.payment_id),
    (SELECT max(a.at) FROM attempt AS a WHERE a.merchant_id = :merchant_id AND a.payment_id = p.payment_id),
    (SELECT count(*) FROM attempt AS a
        WHERE a.merchant_id = :merchant_id AND a.payment_id = p.payment_id AND a.outcome = 'approved'),
    (SELECT s.word FROM standing AS s
        WHERE s.merchant_id = :merchant_id AND s.topic = 'payment' AND s.subject_id = p.payment_id),
    (SELECT v.word FROM advice AS v WHERE v.merchant_id = :merchant_id AND v.payment_id = p.payment_id)
FROM payments AS p WHERE p.payment_id IS NOT NULL ORDER BY p.place

-- name: held_after
-- What a merchant holds, after a payment, in the order of payments: each has one hold at most.
SELECT merchant_id, reservation_id, at, held_at, expires_at, state, closed_at, reason, attempt_id, rulebook,
    payment_id, method_id, mandate_id, network, processor, initiator, amount_minor, currency, proposal
FROM reservation
WHERE merchant_id = :merchant_id AND state = 'held' AND payment_id <> '' AND payment_id > :payment_id
ORDER BY payment_id LIMIT :most

-- name: attempts_of_method
-- The attempts on a method before a place in the order of time, newest first.
SELECT attempt_id, payment_id, customer_id, method_id, mandate_id, rail, network, credential, issuer_country,
    market, merchant_country, processor, initiator, amount_minor, currency, at, at_precision, outcome, known_at, code,
    subcode, advice_code, category, retryability, min_wait_hours, reservation_id
FROM attempt
WHERE merchant_id = :merchant_id AND method_id = :method_id AND (at, attempt_id) < (:at, :attempt_id)
ORDER BY at DESC, attempt_id DESC LIMIT :most

-- name: lock_recovery.postgres
-- Wait until no other transaction tells of this payment.
SELECT pg_advisory_xact_lock(:key)

-- name: lock_recovery.sqlite
-- One writer at a time needs no finer lock.
SELECT 1 WHERE :key IS NULL

-- name: recovery
-- The recovery of a payment that runs, or the last one that ended.
SELECT number, started_at, recover_by, ended_at, ending FROM recovery
WHERE merchant_id = :merchant_id AND payment_id = :payment_id

-- name: put_recovery
-- Begin a recovery, or move its end to when the payment is to be recovered by now.
INSERT INTO recovery (merchant_id, payment_id, number, started_at, recover_by)
VALUES (:merchant_id, :payment_id, :number, :started_at, :recover_by)
ON CONFLICT (merchant_id, payment_id) DO UPDATE SET
    number = excluded.number, started_at = excluded.started_at, recover_by = excluded.recover_by,
    ended_at = NULL, ending = NULL

-- name: end_recovery
-- It has ended.
UPDATE recovery SET ended_at = :now, ending = :ending
WHERE merchant_id = :merchant_id AND payment_id = :payment_id AND number = :number AND ended_at IS NULL

-- name: recovery_facts
-- How a payment stands: its attempts, those without an answer, holds, the latest word on it, its latest approval.
SELECT
    (SELECT count(*) FROM attempt AS n WHERE n.merchant_id = :merchant_id AND n.payment_id = :payment_id),
    (SELECT count(*) FROM attempt AS u
        WHERE u.merchant_id = :merchant_id AND u.payment_id = :payment_id AND u.outcome = 'unknown'),
    (SELECT count(*) FROM reservation AS r WHERE r.merchant_id = :merchant_id AND r.payment_id = :payment_id
        AND r.payment_id <> '' AND r.state = 'held' AND r.expires_at > :now),
    s.word, s.said_at, a.attempt_id, a.at, a.method_id, a.processor, a.amount_minor, a.currency
FROM (SELECT 1 AS one) AS always
LEFT JOIN standing AS s ON s.merchant_id = :merchant_id AND s.topic = 'payment' AND s.subject_id = :payment_id
LEFT JOIN attempt AS a ON a.merchant_id = :merchant_id AND a.attempt_id = (
    SELECT b.attempt_id FROM attempt AS b
    WHERE b.merchant_id = :merchant_id AND b.payment_id = :payment_id AND b.outcome = 'approved'
    ORDER BY b.at DESC, b.attempt_id DESC LIMIT 1
)

-- name: lapsed_recoveries
-- The running recoveries whose time is over, with no hold and no attempt of late that waits for its answer.
SELECT r.merchant_id, r.payment_id FROM recovery AS r
WHERE r.ended_at IS NULL AND r.recover_by <= :now
    AND NOT EXISTS (SELECT 1 FROM reservation AS h WHERE h.merchant_id = r.merchant_id
        AND h.payment_id = r.payment_id AND h.payment_id <> '' AND h.state = 'held' AND h.expires_at > :now)
    AND NOT EXISTS (SELECT 1 FROM attempt AS a WHERE a.merchant_id = r.merchant_id
        AND a.payment_id = r.payment_id AND a.outcome = 'unknown' AND a.at > :pending_since)
ORDER BY r.recover_by LIMIT :most

-- name: insert_event_out
-- Append an event for the merchant; the same again, or a second end of a recovery, changes nothing.
INSERT INTO event_out (merchant_id, event_id, payment_id, recovery, type, created_at, body)
VALUES (:merchant_id, :event_id, :payment_id, :recovery, :type, :now, :body)
ON CONFLICT DO NOTHING

-- name: insert_sending
-- An event is to go to a target.
INSERT INTO sending (merchant_id, event_id, target, state, tries, next_at, claim, reason, touched_at)
VALUES (:merchant_id, :event_id, :target, 'waiting', 0, :now, '', '', :now)

-- name: receivers_due
-- For whom anything is to be sent by now. Each is one step in the index from the one before, however much waits for that
-- one: the merchants first, then the targets of each. Its whole order is named, so that no other index will do.
WITH RECURSIVE merchant (merchant_id) AS (
    SELECT (
        SELECT s.merchant_id FROM sending AS s WHERE s.next_at IS NOT NULL
        ORDER BY s.merchant_id, s.target, s.next_at LIMIT 1
    )
    UNION ALL
    SELECT (
        SELECT s.merchant_id FROM sending AS s WHERE s.next_at IS NOT NULL AND s.merchant_id > m.merchant_id
        ORDER BY s.merchant_id, s.target, s.next_at LIMIT 1
    ) FROM merchant AS m WHERE m.merchant_id IS NOT NULL
), receiver (merchant_id, target) AS (
    SELECT m.merchant_id, (
        SELECT min(s.target) FROM sending AS s WHERE s.next_at IS NOT NULL AND s.merchant_id = m.merchant_id
    ) FROM merchant AS m WHERE m.merchant_id IS NOT NULL
    UNION ALL
    SELECT r.merchant_id, (
        SELECT min(s.target) FROM sending AS s
        WHERE s.next_at IS NOT NULL AND s.merchant_id = r.merchant_id AND s.target > r.target
    ) FROM receiver AS r WHERE r.target IS NOT NULL
)
SELECT r.merchant_id, r.target FROM receiver AS r WHERE r.target IS NOT NULL AND (
    SELECT min(s.next_at) FROM sending AS s
    WHERE s.next_at IS NOT NULL AND s.merchant_id = r.merchant_id AND s.target = r.target
) <= :now

-- name: claim_sendings.sqlite
-- Take what is due for a target, the longest due first.
UPDATE sending SET claim = :claim, next_at = :until, tries = tries + 1, touched_at = :now
WHERE merchant_id = :merchant_id AND target = :target AND event_id IN (
    SELECT s.event_id FROM sending AS s
    WHERE s.merchant_id = :merchant_id AND s.target = :target AND s.next_at IS NOT NULL AND s.next_at <= :now
    ORDER BY s.next_at, s.event_id LIMIT :most
)

-- name: claim_sendings.postgres
-- The same; what somebody takes at the same moment is left to them, and nobody waits. An array is made once, whatever
-- the plan, so that no more is taken than was asked for.
UPDATE sending SET claim = :claim, next_at = :until, tries = tries + 1, touched_at = :now
WHERE merchant_id = :merchant_id AND target = :target AND event_id = ANY (ARRAY(
    SELECT s.event_id FROM sending AS s
    WHERE s.merchant_id = :merchant_id AND s.target = :target AND s.next_at IS NOT NULL AND s.next_at <= :now
    ORDER BY s.next_at, s.event_id LIMIT :most FOR UPDATE SKIP LOCKED
))

-- name: claimed_sendings
-- What was taken for a target under a name, with what is to be sent; found by the end of its lease.
SELECT s.event_id, s.tries, e.type, e.body
FROM sending AS s JOIN event_out AS e ON e.merchant_id = s.merchant_id AND e.event_id = s.event_id
WHERE s.merchant_id = :merchant_id AND s.target = :target AND s.next_at = :until AND s.claim = :claim
ORDER BY e.created_at, s.event_id

-- name: note_sending
-- What became of a try. One that was taken over by somebody else may still be accepted, never put off or given up.
UPDATE sending SET state = :state, next_at = :next_at, reason = :reason, claim = '', touched_at = :now
WHERE merchant_id = :merchant_id AND event_id = :event_id AND target = :target AND state = 'waiting'
    AND (claim = :claim OR :state = 'delivered')

-- name: events_out
-- The latest events on their way in a state.
SELECT s.merchant_id, s.event_id, s.target, s.state, s.tries, s.next_at, s.reason, s.touched_at, e.type, e.payment_id,
    e.recovery, e.created_at
FROM sending AS s JOIN event_out AS e ON e.merchant_id = s.merchant_id AND e.event_id = s.event_id
WHERE s.state = :state ORDER BY s.touched_at DESC, s.event_id, s.target LIMIT :most

-- name: event_out_counts
-- How many events of each type stand where.
SELECT s.merchant_id, s.target, e.type, s.state, count(*), min(e.created_at)
FROM sending AS s JOIN event_out AS e ON e.merchant_id = s.merchant_id AND e.event_id = s.event_id
GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4

-- name: one_event_out
-- The events whose id begins so.
SELECT merchant_id, event_id, type, body FROM event_out WHERE event_id >= :first AND event_id < :last LIMIT 2

-- name: replay_event_out
-- Send one event again to all targets that it had, whatever became of it.
UPDATE sending SET state = 'waiting', tries = 0, next_at = :now, claim = '', reason = '', touched_at = :now
WHERE merchant_id = :merchant_id AND event_id = :event_id

-- name: replay_failed
-- Send again whatever was given up.
UPDATE sending SET state = 'waiting', tries = 0, next_at = :now, claim = '', reason = '', touched_at = :now
WHERE state = 'failed'

-- name: insert_exposure
-- A payment's first answer by a variant; later ones change nothing.
INSERT INTO exposure (merchant_id, experiment, payment_id, unit_id, customer_id, variant, propensity_ppm, tester,
    divided_since, exposed_at, failed_at, amount_minor, currency, market, rail, category, attempts_allowed)
VALUES (:merchant_id, :experiment, :payment_id, :unit_id, :customer_id, :variant, :propensity_ppm, :tester,
    :divided_since, :exposed_at, :failed_at, :amount_minor, :currency, :market, :rail, :category, :attempts_allowed)
ON CONFLICT (merchant_id, payment_id, experiment) DO NOTHING

-- name: exposures_of_payment
-- The variants that a payment was answered by, the first one first.
SELECT experiment, variant, unit_id, propensity_ppm, tester FROM exposure
WHERE merchant_id = :merchant_id AND payment_id = :payment_id ORDER BY exposed_at, experiment

-- name: exposures_of_unit
-- The variants that a customer was answered by as the unit of an experiment, the first one first.
SELECT experiment, variant, unit_id, propensity_ppm, tester, divided_since FROM exposure
WHERE merchant_id = :merchant_id AND unit_id = :customer_id AND customer_id = :customer_id
ORDER BY exposed_at, experiment, payment_id

-- name: first_failure_of_payment
-- The first attempt on a payment that failed, whoever told of it.
SELECT at, rail, category, market, outcome FROM attempt
WHERE merchant_id = :merchant_id AND payment_id = :payment_id AND outcome IN ('declined', 'error')
ORDER BY at, attempt_id LIMIT 1

-- name: exposure_counts
-- How many payments and units each variant of an experiment has, testers apart.
SELECT variant, tester, count(*), count(DISTINCT merchant_id || ' ' || unit_id), min(exposed_at), max(exposed_at)
FROM exposure WHERE experiment = :experiment AND (:merchant_id = '' OR merchant_id = :merchant_id)
GROUP BY variant, tester ORDER BY variant, tester

-- name: exposures_after
-- The exposures of an experiment, in the order of merchants and payments.
SELECT merchant_id, experiment, payment_id, unit_id, customer_id, variant, propensity_ppm, tester, divided_since,
    exposed_at, failed_at, amount_minor, currency, market, rail, category, attempts_allowed
FROM exposure WHERE experiment = :experiment AND (merchant_id, payment_id) > (:merchant_id, :payment_id)
ORDER BY merchant_id, payment_id LIMIT :most

-- name: exposures_of_merchant_after
-- The same of one merchant.
SELECT merchant_id, experiment, payment_id, unit_id, customer_id, variant, propensity_ppm, tester, divided_since,
    exposed_at, failed_at, amount_minor, currency, market, rail, category, attempts_allowed
FROM exposure WHERE experiment = :experiment AND merchant_id = :merchant_id AND payment_id > :payment_id
ORDER BY payment_id LIMIT :most

-- name: insert_money_back
-- Money that went back to the payer; told twice, it went once.
INSERT INTO money_back (
    merchant_id, source, source_event_id, attempt_id, kind, amount_minor, said_at, recorded_at
) VALUES (
    :merchant_id, :source, :source_event_id, :attempt_id, :kind, :amount_minor, :said_at, :recorded_at
) ON CONFLICT DO NOTHING

-- name: money_back
-- What was told under an id.
SELECT attempt_id, kind, amount_minor, said_at FROM money_back
WHERE merchant_id = :merchant_id AND source = :source AND source_event_id = :source_event_id

-- name: outcome_money_back
-- What went back of each attempt on the exposed payments of a page.
SELECT m.merchant_id, m.attempt_id, m.said_at, m.amount_minor
FROM exposure AS x JOIN attempt AS a ON a.merchant_id = x.merchant_id AND a.payment_id = x.payment_id AND a.at > x.failed_at
    JOIN money_back AS m ON m.merchant_id = a.merchant_id AND m.attempt_id = a.attempt_id
WHERE x.experiment = :experiment AND (x.merchant_id, x.payment_id) >= (:merchant_id, :payment_id)
    AND (x.merchant_id, x.payment_id) <= (:last_merchant_id, :last_payment_id)
ORDER BY m.said_at, m.source, m.source_event_id

-- name: outcome_tries
-- Every attempt on the exposed payments of a page, with when it was sent back.
SELECT x.merchant_id, x.payment_id, a.at, a.outcome, a.initiator, a.amount_minor, (
    SELECT min(e.said_at) FROM event AS e
    WHERE e.merchant_id = a.merchant_id AND e.subject_id = a.attempt_id AND e.kind = 'attempt_reversed'
        AND a.outcome <> 'approved'
), a.processor, a.attempt_id
FROM exposure AS x JOIN attempt AS a ON a.merchant_id = x.merchant_id AND a.payment_id = x.payment_id AND a.at > x.failed_at
WHERE x.experiment = :experiment AND (x.merchant_id, x.payment_id) >= (:merchant_id, :payment_id)
    AND (x.merchant_id, x.payment_id) <= (:last_merchant_id, :last_payment_id)
ORDER BY x.merchant_id, x.payment_id, a.at, a.attempt_id

-- name: earlier_payments
-- Of each exposed payment of a page: how many other payments of its customer had failed before it did, and how many of
-- them had been recovered. A debit that was sent back only later was taken, as far as was known then.
SELECT merchant_id, payment_id, count(*), sum(recovered) FROM (
    SELECT known.merchant_id, known.payment_id, known.earlier, max(known.failed) AS failed,
        max(CASE WHEN known.failed = 0 AND known.outcome <> 'unknown' THEN 1 ELSE 0 END) AS recovered
    FROM (
        SELECT x.merchant_id, x.payment_id, a.payment_id AS earlier, a.outcome,
            CASE WHEN a.outcome IN ('declined', 'error') AND NOT (a.known_at >= x.failed_at AND EXISTS (
                SELECT 1 FROM event AS e
                WHERE e.merchant_id = a.merchant_id AND e.subject_id = a.attempt_id AND e.kind = 'attempt_reversed'
            )) THEN 1 ELSE 0 END AS failed
        FROM exposure AS x JOIN attempt AS a ON a.merchant_id = x.merchant_id AND a.customer_id = x.customer_id
            AND a.at < x.failed_at AND a.payment_id <> x.payment_id
        WHERE x.experiment = :experiment AND (x.merchant_id, x.payment_id) >= (:merchant_id, :payment_id)
            AND (x.merchant_id, x.payment_id) <= (:last_merchant_id, :last_payment_id)
    ) AS known
    GROUP BY known.merchant_id, known.payment_id, known.earlier
) AS payments WHERE failed = 1 GROUP BY merchant_id, payment_id

-- name: recovered_by_category
-- How many payments had failed by an instant, by what they failed of, and how many were approved within so long.
SELECT category, count(*), sum(recovered) FROM (
    SELECT CASE WHEN min(f.outcome) = 'error' AND coalesce(min(f.category), 'unknown') = 'unknown'
            THEN 'processing_error' ELSE coalesce(min(f.category), 'unknown') END AS category,
        max(CASE WHEN EXISTS (
            SELECT 1 FROM attempt AS p WHERE p.merchant_id = f.merchant_id AND p.payment_id = f.payment_id
                AND p.outcome = 'approved' AND p.at > f.at AND p.at <= f.at + :window
        ) THEN 1 ELSE 0 END) AS recovered
    FROM (
        SELECT merchant_id, payment_id, min(at) AS failed_at FROM attempt
        WHERE outcome IN ('declined', 'error') AND (:merchant_id = '' OR merchant_id = :merchant_id)
        GROUP BY merchant_id, payment_id HAVING min(at) <= :until
    ) AS first JOIN attempt AS f ON f.merchant_id = first.merchant_id AND f.payment_id = first.payment_id
        AND f.at = first.failed_at AND f.outcome IN ('declined', 'error')
    GROUP BY f.merchant_id, f.payment_id
) AS payments GROUP BY category

-- name: outcome_words
-- Everything that was said of the exposed payments of a page.
SELECT x.merchant_id, x.payment_id, e.said_at, e.kind
FROM exposure AS x JOIN event AS e ON e.merchant_id = x.merchant_id AND e.subject_id = x.payment_id
    AND e.kind IN ('payment_paid', 'payment_cancelled', 'payment_reopened') AND e.said_at >= x.failed_at
WHERE x.experiment = :experiment AND (x.merchant_id, x.payment_id) >= (:merchant_id, :payment_id)
    AND (x.merchant_id, x.payment_id) <= (:last_merchant_id, :last_payment_id)
ORDER BY x.merchant_id, x.payment_id, e.said_at, e.source, e.source_event_id

-- name: outcome_customers
-- Everything that was told of the customers of a page's exposed payments, and the chargebacks of those payments.
SELECT x.merchant_id, x.payment_id, c.event_id, c.kind, c.said_at, c.amount_minor, c.currency
FROM exposure AS x JOIN customer_event AS c ON c.merchant_id = x.merchant_id AND c.customer_id = x.customer_id
WHERE x.experiment = :experiment AND (x.merchant_id, x.payment_id) >= (:merchant_id, :payment_id)
    AND (x.merchant_id, x.payment_id) <= (:last_merchant_id, :last_payment_id)
UNION ALL
SELECT x.merchant_id, x.payment_id, b.source || ' ' || b.source_event_id, 'disputed', b.said_at, NULL, NULL
FROM exposure AS x
    JOIN attempt AS a ON a.merchant_id = x.merchant_id AND a.payment_id = x.payment_id
    JOIN money_back AS b ON b.merchant_id = a.merchant_id AND b.attempt_id = a.attempt_id AND b.kind = 'chargeback'
WHERE x.experiment = :experiment AND (x.merchant_id, x.payment_id) >= (:merchant_id, :payment_id)
    AND (x.merchant_id, x.payment_id) <= (:last_merchant_id, :last_payment_id)
ORDER BY 1, 2, 5, 3

-- name: insert_customer_event
-- Append what befell a customer; told again under the same id, nothing happens.
INSERT INTO customer_event (merchant_id, event_id, customer_id, kind, said_at, amount_minor, currency, recorded_at)
VALUES (:merchant_id, :event_id, :customer_id, :kind, :said_at, :amount_minor, :currency, :recorded_at)
ON CONFLICT (merchant_id, event_id) DO NOTHING

-- name: customer_event
-- What was told under an id.
SELECT customer_id, kind, said_at, amount_minor, currency FROM customer_event
WHERE merchant_id = :merchant_id AND event_id = :event_id

-- name: put_shadow
-- What a challenger would have decided; told twice, it counts once.
INSERT INTO shadow (
    merchant_id, decision_id, payment_id, as_of, champion, policy_source, challenger, method_id, processor, day,
    slot_from, slot_until, challenger_method_id, challenger_processor, challenger_day, chance, challenger_chance
) VALUES (
    :merchant_id, :decision_id, :payment_id, :as_of, :champion, :policy_source, :challenger, :method_id, :processor,
    :day, :slot_from, :slot_until, :challenger_method_id, :challenger_processor, :challenger_day, :chance,
    :challenger_chance
) ON CONFLICT DO NOTHING

-- name: shadows
-- The decisions that were put to a challenger since an instant, each with the attempt that was made of it, if any.
SELECT s.merchant_id, s.payment_id, s.champion, s.challenger, s.method_id, s.processor, s.day,
    s.challenger_method_id, s.challenger_processor, s.challenger_day, s.chance, s.challenger_chance,
    (SELECT a.outcome FROM attempt AS a
     WHERE a.merchant_id = s.merchant_id AND a.payment_id = s.payment_id AND a.method_id = s.method_id
         AND a.processor = s.processor AND a.at >= s.slot_from AND a.at < s.slot_until
     ORDER BY a.at, a.attempt_id LIMIT 1) AS outcome
FROM shadow AS s WHERE s.as_of >= :since ORDER BY s.as_of, s.merchant_id, s.decision_id

-- name: insert_decision
-- Keep a decision, once; one with a hold only beside the hold that it was made with.
INSERT INTO decision (merchant_id, decision_id, payment_id, as_of, answered_at, reservation_id, policy, policy_source,
    model, rulebook, economics, code, action, reason, method_id, processor, propensity, content)
SELECT :merchant_id, :decision_id, :payment_id, :as_of, :answered_at, :reservation_id, :policy, :policy_source,
    :model, :rulebook, :economics, :code, :action, :reason, :method_id, :processor, :propensity, :content
WHERE CAST(:reservation_id AS TEXT) IS NULL OR EXISTS (
    SELECT 1 FROM reservation WHERE merchant_id = :merchant_id AND reservation_id = :reservation_id
)
ON CONFLICT (merchant_id, decision_id) DO NOTHING

-- name: decision
-- One decision by its id.
SELECT merchant_id, decision_id, payment_id, as_of, answered_at, reservation_id, policy, policy_source, model, rulebook,
    economics, code, action, reason, method_id, processor, propensity, content
FROM decision WHERE merchant_id = :merchant_id AND decision_id = :decision_id

-- name: decisions_called
-- The decisions whose id begins so, whoever's they are, one index probe a merchant.
WITH RECURSIVE merchants (merchant_id) AS (
    SELECT (SELECT d.merchant_id FROM decision AS d ORDER BY d.merchant_id LIMIT 1)
    UNION ALL
    SELECT (SELECT d.merchant_id FROM decision AS d WHERE d.merchant_id > m.merchant_id ORDER BY d.merchant_id LIMIT 1)
    FROM merchants AS m WHERE m.merchant_id IS NOT NULL
)
SELECT d.merchant_id, d.decision_id, d.payment_id, d.as_of, d.answered_at, d.reservation_id, d.policy, d.policy_source,
    d.model, d.rulebook, d.economics, d.code, d.action, d.reason, d.method_id, d.processor, d.propensity, d.content
FROM merchants AS m JOIN decision AS d
    ON d.merchant_id = m.merchant_id AND d.decision_id >= :first AND d.decision_id < :last
LIMIT 2

-- name: decisions_of_merchant
-- A merchant's decisions before a place, the latest first, without their contents.
SELECT merchant_id, decision_id, payment_id, as_of, answered_at, reservation_id, policy, policy_source, model, rulebook,
    economics, code, action, reason, method_id, processor, propensity
FROM decision
WHERE merchant_id = :merchant_id AND answered_at <= :at AND (answered_at, decision_id) < (:at, :decision_id)
ORDER BY answered_at DESC, decision_id DESC LIMIT :most

-- name: decisions_of_payment
-- A payment's decisions before a place, the latest first, without their contents.
SELECT merchant_id, decision_id, payment_id, as_of, answered_at, reservation_id, policy, policy_source, model, rulebook,
    economics, code, action, reason, method_id, processor, propensity
FROM decision
WHERE merchant_id = :merchant_id AND payment_id = :payment_id
    AND answered_at <= :at AND (answered_at, decision_id) < (:at, :decision_id)
ORDER BY answered_at DESC, decision_id DESC LIMIT :most

-- name: decisions_between
-- Everybody's decisions after a place, earliest first, answered before an instant.
SELECT merchant_id, decision_id, payment_id, as_of, answered_at, reservation_id, policy, policy_source, model, rulebook,
    economics, code, action, reason, method_id, processor, propensity, content
FROM decision
WHERE answered_at >= :at AND (answered_at, merchant_id, decision_id) > (:at, :merchant_id, :decision_id)
    AND answered_at < :until
ORDER BY answered_at, merchant_id, decision_id LIMIT :most

-- name: count_decisions
-- How many decisions were answered between two instants.
SELECT count(*) FROM decision WHERE answered_at >= :since AND answered_at < :until

-- name: forget_decisions
-- Forget some decisions that were answered before an instant, the oldest first.
DELETE FROM decision WHERE (merchant_id, decision_id) IN (
    SELECT merchant_id, decision_id FROM decision WHERE answered_at < :before
    ORDER BY answered_at, merchant_id, decision_id LIMIT :most
)

-- name: insert_version
-- Keep what a version holds, once.
INSERT INTO decided_with (kind, version, content) VALUES (:kind, :version, :content) ON CONFLICT DO NOTHING

-- name: version_content
-- What a version holds.
SELECT content FROM decided_with WHERE kind = :kind AND version = :version

-- name: open_sandbox
-- A merchant's sandbox, unless there is one.
INSERT INTO sandbox (merchant_id, generation, clock, answers) VALUES (:merchant_id, 1, :clock, '[]')
ON CONFLICT (merchant_id) DO NOTHING

-- name: sandbox
-- A merchant's sandbox.
SELECT generation, clock, answers FROM sandbox WHERE merchant_id = :merchant_id

-- name: move_sandbox_clock
-- Later, never back.
UPDATE sandbox SET clock = :clock WHERE merchant_id = :merchant_id AND generation = :generation AND clock <= :clock

-- name: script_sandbox
-- What processors answer from now on.
UPDATE sandbox SET answers = :answers WHERE merchant_id = :merchant_id AND generation = :generation

-- name: wipe_sandbox
-- Begin anew: the next generation, with nothing in it.
UPDATE sandbox SET generation = generation + 1, clock = :clock, answers = '[]'
WHERE merchant_id = :merchant_id AND generation = :generation

-- name: sandbox_tries
-- How often a payment was attempted by the sandbox itself.
SELECT count(*) FROM attempt
WHERE merchant_id = :merchant_id AND payment_id = :payment_id AND substr(attempt_id, 1, length(:made_here)) = :made_here

-- name: held_of_payment
-- What is held for a payment.
SELECT merchant_id, reservation_id, at, held_at, expires_at, state, closed_at, reason, attempt_id, rulebook,
    payment_id, method_id, mandate_id, network, processor, initiator, amount_minor, currency, proposal
FROM reservation
WHERE merchant_id = :merchant_id AND payment_id = :payment_id AND payment_id <> '' AND state = 'held'

-- name: events_written
-- The events of a merchant after a place, in the order of time, the end of a recovery last of its instant.
SELECT e.created_at, e.ends, e.event_id, e.body FROM (
    SELECT created_at, event_id, body, merchant_id,
        CASE WHEN type IN ('recovery.recovered', 'recovery.exhausted') THEN 1 ELSE 0 END AS ends
    FROM event_out
) AS e
WHERE e.merchant_id = :merchant_id AND (e.created_at, e.ends, e.event_id) > (:at, :ends, :event_id)
ORDER BY e.created_at, e.ends, e.event_id LIMIT :most

-- name: events_out_by_state
-- How many events wait for their target and how many were given up; two ranges of an index.
SELECT 'waiting', count(*) FROM sending WHERE state = 'waiting'
UNION ALL
SELECT 'failed', count(*) FROM sending WHERE state = 'failed'

-- name: oldest_sending_due
-- When the longest due event was due, or the next one will be; looks at all that wait, as their count does: some 60 ms
-- for a million.
SELECT min(next_at) FROM sending WHERE next_at IS NOT NULL

-- name: deliveries_by_state
-- How many deliveries are to be read again; two ranges of an index.
SELECT 'waiting', count(*) FROM reading WHERE state = 'waiting'
UNION ALL
SELECT 'stored', count(*) FROM reading WHERE state = 'stored'

-- name: stops_in_force
-- How many stops hold for everybody and for whole merchants.
SELECT 'everybody', count(*) FROM advice WHERE payment_id = '' AND merchant_id = '' AND word = 'stopped'
UNION ALL
SELECT 'merchant', count(*) FROM advice WHERE payment_id = '' AND merchant_id <> '' AND word = 'stopped'
