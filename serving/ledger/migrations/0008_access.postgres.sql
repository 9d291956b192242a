-- Whose ledger this is, who may ask and tell, and whether anything is advised.
CREATE TABLE merchant (
    merchant_id TEXT NOT NULL,
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    CONSTRAINT a_merchant_is_added_once PRIMARY KEY (merchant_id),
    CONSTRAINT a_merchant_has_an_id CHECK (merchant_id <> '')
);

-- Keys by which callers are known. What a caller sends is never kept, only its digest.
CREATE TABLE api_key (
    key_id TEXT NOT NULL,
    -- Empty for an operator's key, which is of every merchant.
    merchant_id TEXT NOT NULL,
    -- SHA-256 of the whole key, in hexadecimal.
    digest TEXT NOT NULL,
    scope TEXT NOT NULL,
    label TEXT NOT NULL,
    -- Requests a second; nothing where there is no limit.
    per_second BIGINT,
    -- Microseconds since 1970, UTC.
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    revoked_at BIGINT,
    -- Written now and then, not at every use.
    last_used_at BIGINT,
    CONSTRAINT a_key_is_made_once PRIMARY KEY (key_id),
    CONSTRAINT the_scope_of_a_key_is_known CHECK (scope IN ('read', 'decide', 'admin')),
    CONSTRAINT a_limit_of_requests_is_above_nothing CHECK (per_second > 0),
    CONSTRAINT a_digest_has_64_digits CHECK (length(digest) = 64)
);
CREATE INDEX api_key_by_merchant ON api_key (merchant_id);

-- Every word on whether retries are advised: for everybody, for a merchant, for one payment. Only ever appended.
CREATE TABLE advice_event (
    -- Empty for everybody.
    merchant_id TEXT NOT NULL,
    event_id TEXT NOT NULL,
    -- Empty for everything of the merchant.
    payment_id TEXT NOT NULL,
    word TEXT NOT NULL,
    -- Why, in the caller's words; empty where nothing was said.
    reason TEXT NOT NULL,
    said_at BIGINT NOT NULL,
    recorded_at BIGINT NOT NULL,
    CONSTRAINT a_word_on_advice_is_kept_once PRIMARY KEY (merchant_id, event_id),
    CONSTRAINT advice_is_stopped_or_resumed CHECK (word IN ('stopped', 'resumed')),
    CONSTRAINT a_payment_is_of_a_merchant CHECK (payment_id = '' OR merchant_id <> '')
);
CREATE INDEX advice_event_by_subject ON advice_event (merchant_id, payment_id, said_at);

-- The latest word on each of them; derived, and written in the transaction of the event.
CREATE TABLE advice (
    merchant_id TEXT NOT NULL,
    payment_id TEXT NOT NULL,
    word TEXT NOT NULL,
    reason TEXT NOT NULL,
    said_at BIGINT NOT NULL,
    CONSTRAINT advice_stands_in_one_place PRIMARY KEY (merchant_id, payment_id)
);
-- Stops of whole merchants and of everybody, however many payments opted out.
CREATE INDEX advice_of_merchants ON advice (merchant_id) WHERE payment_id = '';

-- What was held for a payment once, for its timeline. What still is has an index of its own; holding it touches no other.
CREATE INDEX closed_of_payment ON reservation (merchant_id, payment_id, held_at) WHERE state <> 'held';

CREATE TRIGGER words_on_advice_are_never_changed BEFORE UPDATE ON advice_event
FOR EACH ROW EXECUTE FUNCTION refuse();

CREATE TRIGGER words_on_advice_are_never_removed BEFORE DELETE ON advice_event
FOR EACH ROW EXECUTE FUNCTION refuse();

CREATE TRIGGER words_on_advice_are_never_emptied BEFORE TRUNCATE ON advice_event
FOR EACH STATEMENT EXECUTE FUNCTION refuse();
