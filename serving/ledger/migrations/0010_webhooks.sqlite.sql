-- What providers delivered, as it came, kept before anything of it is read. Nothing in here is changed or removed.
CREATE TABLE delivery (
    merchant_id TEXT NOT NULL,
    source TEXT NOT NULL,
    -- SHA-256 of the body as it is kept here.
    digest TEXT NOT NULL,
    received_at BIGINT NOT NULL,
    content_type TEXT NOT NULL,
    -- `text` where the body is UTF-8, else `base64`.
    form TEXT NOT NULL,
    body TEXT NOT NULL,
    -- Whether a card number was taken out of it.
    marked BIGINT NOT NULL,
    -- What is delivered twice is kept once.
    CONSTRAINT a_delivery_is_kept_once PRIMARY KEY (merchant_id, source, digest),
    CONSTRAINT a_body_is_text_or_base64 CHECK (form IN ('text', 'base64'))
);

CREATE TRIGGER deliveries_are_never_changed BEFORE UPDATE ON delivery
BEGIN
    SELECT RAISE(ABORT, 'deliveries are never changed');
END;

CREATE TRIGGER deliveries_are_never_removed BEFORE DELETE ON delivery
BEGIN
    SELECT RAISE(ABORT, 'deliveries are never removed');
END;

-- What became of each delivery when it was read last; written anew each time.
CREATE TABLE reading (
    merchant_id TEXT NOT NULL,
    source TEXT NOT NULL,
    digest TEXT NOT NULL,
    -- `stored`: not read yet; `applied`; `ignored`: nothing to count; `waiting` for an attempt; `failed`: see `reason`.
    state TEXT NOT NULL,
    -- What the provider calls what is in it.
    kinds TEXT NOT NULL,
    reason TEXT NOT NULL,
    events BIGINT NOT NULL,
    tries BIGINT NOT NULL,
    read_at BIGINT NOT NULL,
    -- When the service reads it again by itself; NULL where it does not.
    next_at BIGINT,
    CONSTRAINT a_delivery_has_one_reading PRIMARY KEY (merchant_id, source, digest),
    CONSTRAINT the_state_of_a_reading_is_known CHECK (
        state IN ('stored', 'applied', 'ignored', 'waiting', 'failed')
    ),
    -- What is not settled yet must come up again, or it would be forgotten.
    CONSTRAINT what_is_unsettled_is_read_again CHECK ((state IN ('stored', 'waiting')) = (next_at IS NOT NULL))
);

-- What is to be read again, by when; and what somebody has to look at.
CREATE INDEX reading_due ON reading (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX reading_by_state ON reading (state, read_at);
