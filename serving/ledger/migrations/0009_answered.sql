-- Answers to requests that carried an Idempotency-Key, so that the same request told again gets the same answer.
CREATE TABLE answered (
    -- Whose key it is: the caller's merchant, empty for an operator.
    merchant_id TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    -- SHA-256 of method, address and body, in hexadecimal.
    fingerprint TEXT NOT NULL,
    -- Names the claim, whoever works on it; what is made for the request has ids derived from it.
    claim TEXT NOT NULL,
    -- Since when somebody works on it; 0 when nobody does (microseconds since 1970, UTC).
    working_since BIGINT NOT NULL,
    -- When it was last taken up or answered; it is forgotten a day later.
    touched_at BIGINT NOT NULL,
    status BIGINT,
    media_type TEXT,
    -- The body, compressed (zlib, base64).
    body TEXT,
    CONSTRAINT a_key_stands_for_one_request PRIMARY KEY (merchant_id, idempotency_key),
    CONSTRAINT an_answer_is_whole CHECK (
        (status IS NULL) = (media_type IS NULL) AND (status IS NULL) = (body IS NULL)
    )
);
CREATE INDEX answered_by_time ON answered (touched_at);
