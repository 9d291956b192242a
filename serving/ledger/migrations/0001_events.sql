-- Everything anybody ever told, word for word. Nothing in here is changed or removed.
CREATE TABLE event (
    merchant_id TEXT NOT NULL,
    source TEXT NOT NULL,
    source_event_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    -- The attempt, payment or method that it is about, as `kind` says.
    subject_id TEXT NOT NULL,
    -- When the source says that it became true, and when it was written here (microseconds since 1970, UTC).
    said_at BIGINT NOT NULL,
    recorded_at BIGINT NOT NULL,
    -- What was told, as canonical JSON.
    body TEXT NOT NULL,
    -- What a source tells twice under one id counts once.
    CONSTRAINT an_event_of_a_source_is_kept_once PRIMARY KEY (merchant_id, source, source_event_id),
    -- An unknown word would be an event that no count knows how to take.
    CONSTRAINT the_kind_of_an_event_is_known CHECK (kind IN (
        'attempt_reported', 'attempt_corrected', 'attempt_reversed', 'attempt_withdrawn',
        'payment_paid', 'payment_cancelled', 'payment_reopened',
        'consent_withdrawn', 'consent_given', 'method_fixed'
    )),
    -- Something without a name can be found by nobody.
    CONSTRAINT an_event_is_about_something CHECK (subject_id <> '' AND merchant_id <> '')
);

-- Every event about one attempt, payment or method, whoever told it.
CREATE INDEX event_by_subject ON event (merchant_id, subject_id);

-- Each attempt as all events about it together say; derived, and written in the transaction of the event.
CREATE TABLE attempt (
    merchant_id TEXT NOT NULL,
    attempt_id TEXT NOT NULL,
    payment_id TEXT NOT NULL,
    customer_id TEXT NOT NULL,
    method_id TEXT NOT NULL,
    mandate_id TEXT,
    rail TEXT NOT NULL,
    network TEXT NOT NULL,
    credential TEXT NOT NULL,
    issuer_country TEXT,
    market TEXT,
    merchant_country TEXT,
    processor TEXT NOT NULL,
    initiator TEXT NOT NULL,
    amount_minor BIGINT NOT NULL,
    currency TEXT NOT NULL,
    at BIGINT NOT NULL,
    at_precision TEXT NOT NULL,
    outcome TEXT NOT NULL,
    known_at BIGINT NOT NULL,
    code TEXT,
    subcode TEXT,
    advice_code TEXT,
    category TEXT,
    retryability TEXT,
    min_wait_hours BIGINT,
    -- The reservation that it used, where Recoup advised it.
    reservation_id TEXT,
    -- Equal for attempts that no rule tells apart but by time and payment.
    flavour BIGINT NOT NULL,
    -- One attempt is one, however many sources tell of it.
    CONSTRAINT an_attempt_is_counted_once PRIMARY KEY (merchant_id, attempt_id),
    -- Money is taken, not given.
    CONSTRAINT the_amount_of_an_attempt_is_not_negative CHECK (amount_minor >= 0),
    CONSTRAINT a_currency_has_three_letters CHECK (length(currency) = 3),
    CONSTRAINT the_outcome_of_an_attempt_is_known_or_unknown CHECK (
        outcome IN ('approved', 'declined', 'error', 'unknown')
    ),
    CONSTRAINT an_attempt_is_started_by_merchant_or_customer CHECK (initiator IN ('merchant', 'customer', 'unknown')),
    CONSTRAINT an_instant_is_known_to_the_day_or_exactly CHECK (at_precision IN ('instant', 'day')),
    -- What was approved, or is not known yet, was not declined.
    CONSTRAINT only_a_failed_attempt_has_a_decline CHECK (category IS NULL OR outcome IN ('declined', 'error'))
);

-- The counters: by credential, by mandate, by payment.
CREATE INDEX attempt_by_method ON attempt (merchant_id, method_id, at);
CREATE INDEX attempt_by_mandate ON attempt (merchant_id, mandate_id, at) WHERE mandate_id IS NOT NULL;
CREATE INDEX attempt_by_payment ON attempt (merchant_id, payment_id, at);
-- The last attempt of every flavour, however long ago, for rules without a window.
CREATE INDEX attempt_flavour_by_method ON attempt (merchant_id, method_id, flavour, at);
CREATE INDEX attempt_flavour_by_mandate ON attempt (merchant_id, mandate_id, flavour, at) WHERE mandate_id IS NOT NULL;

-- Where a payment, a consent or a method stands by the latest word on it; derived like `attempt`.
CREATE TABLE standing (
    merchant_id TEXT NOT NULL,
    topic TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    word TEXT NOT NULL,
    said_at BIGINT NOT NULL,
    CONSTRAINT a_subject_stands_in_one_place PRIMARY KEY (merchant_id, topic, subject_id),
    CONSTRAINT a_topic_has_its_own_words CHECK (
        (topic = 'payment' AND word IN ('payment_paid', 'payment_cancelled', 'payment_reopened'))
        OR (topic = 'consent' AND word IN ('consent_withdrawn', 'consent_given'))
        OR (topic = 'method' AND word = 'method_fixed')
    )
);
