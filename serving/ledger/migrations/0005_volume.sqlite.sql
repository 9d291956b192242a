-- How many attempts a merchant made in each hour, by what rules about volumes tell apart; derived from `attempt`.
CREATE TABLE volume (
    merchant_id TEXT NOT NULL,
    network TEXT NOT NULL,
    -- Hours since 1970: of the attempt, half a day later where only the day is known, and of its outcome's being known.
    hour BIGINT NOT NULL,
    known_hour BIGINT NOT NULL,
    processor TEXT NOT NULL,
    outcome TEXT NOT NULL,
    -- Empty where nothing is known.
    code TEXT NOT NULL,
    subcode TEXT NOT NULL,
    advice_code TEXT NOT NULL,
    category TEXT NOT NULL,
    retryability TEXT NOT NULL,
    -- Spreads one busy hour over several rows, so that whoever records at once seldom waits for another.
    shard BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    CONSTRAINT a_volume_is_counted_in_one_place PRIMARY KEY (
        merchant_id, network, hour, known_hour, processor, outcome, code, subcode, advice_code, category, retryability,
        shard
    ),
    -- What was never counted cannot be taken away.
    CONSTRAINT a_volume_is_never_below_nothing CHECK (attempts >= 0)
) WITHOUT ROWID;

CREATE TRIGGER a_new_attempt_adds_to_its_volume AFTER INSERT ON attempt
BEGIN
    INSERT INTO volume (merchant_id, network, hour, known_hour, processor, outcome, code, subcode, advice_code,
        category, retryability, shard, attempts)
    VALUES (NEW.merchant_id, NEW.network,
        (NEW.at + CASE NEW.at_precision WHEN 'day' THEN 43200000000 ELSE 0 END) / 3600000000,
        NEW.known_at / 3600000000, NEW.processor, NEW.outcome, coalesce(NEW.code, ''), coalesce(NEW.subcode, ''),
        coalesce(NEW.advice_code, ''), coalesce(NEW.category, ''), coalesce(NEW.retryability, ''), NEW.flavour & 7, 1)
    ON CONFLICT (merchant_id, network, hour, known_hour, processor, outcome, code, subcode, advice_code, category,
        retryability, shard)
    DO UPDATE SET attempts = volume.attempts + 1;
END;

CREATE TRIGGER a_dropped_attempt_is_taken_from_its_volume AFTER DELETE ON attempt
BEGIN
    UPDATE volume SET attempts = attempts - 1
    WHERE merchant_id = OLD.merchant_id AND network = OLD.network
        AND hour = (OLD.at + CASE OLD.at_precision WHEN 'day' THEN 43200000000 ELSE 0 END) / 3600000000
        AND known_hour = OLD.known_at / 3600000000 AND processor = OLD.processor AND outcome = OLD.outcome
        AND code = coalesce(OLD.code, '') AND subcode = coalesce(OLD.subcode, '')
        AND advice_code = coalesce(OLD.advice_code, '') AND category = coalesce(OLD.category, '')
        AND retryability = coalesce(OLD.retryability, '') AND shard = OLD.flavour & 7;
END;

CREATE TRIGGER a_changed_attempt_moves_between_volumes AFTER UPDATE ON attempt
BEGIN
    UPDATE volume SET attempts = attempts - 1
    WHERE merchant_id = OLD.merchant_id AND network = OLD.network
        AND hour = (OLD.at + CASE OLD.at_precision WHEN 'day' THEN 43200000000 ELSE 0 END) / 3600000000
        AND known_hour = OLD.known_at / 3600000000 AND processor = OLD.processor AND outcome = OLD.outcome
        AND code = coalesce(OLD.code, '') AND subcode = coalesce(OLD.subcode, '')
        AND advice_code = coalesce(OLD.advice_code, '') AND category = coalesce(OLD.category, '')
        AND retryability = coalesce(OLD.retryability, '') AND shard = OLD.flavour & 7;
    INSERT INTO volume (merchant_id, network, hour, known_hour, processor, outcome, code, subcode, advice_code,
        category, retryability, shard, attempts)
    VALUES (NEW.merchant_id, NEW.network,
        (NEW.at + CASE NEW.at_precision WHEN 'day' THEN 43200000000 ELSE 0 END) / 3600000000,
        NEW.known_at / 3600000000, NEW.processor, NEW.outcome, coalesce(NEW.code, ''), coalesce(NEW.subcode, ''),
        coalesce(NEW.advice_code, ''), coalesce(NEW.category, ''), coalesce(NEW.retryability, ''), NEW.flavour & 7, 1)
    ON CONFLICT (merchant_id, network, hour, known_hour, processor, outcome, code, subcode, advice_code, category,
        retryability, shard)
    DO UPDATE SET attempts = volume.attempts + 1;
END;

-- What the ledger holds already.
INSERT INTO volume (merchant_id, network, hour, known_hour, processor, outcome, code, subcode, advice_code, category,
    retryability, shard, attempts)
SELECT merchant_id, network, (at + CASE at_precision WHEN 'day' THEN 43200000000 ELSE 0 END) / 3600000000,
    known_at / 3600000000, processor, outcome, coalesce(code, ''), coalesce(subcode, ''), coalesce(advice_code, ''),
    coalesce(category, ''), coalesce(retryability, ''), flavour & 7, count(*)
FROM attempt GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12;
