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
);

CREATE FUNCTION take_from_volume(old attempt) RETURNS void LANGUAGE sql AS $$
    UPDATE volume SET attempts = attempts - 1
    WHERE merchant_id = old.merchant_id AND network = old.network
        AND hour = (old.at + CASE old.at_precision WHEN 'day' THEN 43200000000 ELSE 0 END) / 3600000000
        AND known_hour = old.known_at / 3600000000 AND processor = old.processor AND outcome = old.outcome
        AND code = coalesce(old.code, '') AND subcode = coalesce(old.subcode, '')
        AND advice_code = coalesce(old.advice_code, '') AND category = coalesce(old.category, '')
        AND retryability = coalesce(old.retryability, '') AND shard = old.flavour & 7;
$$;

CREATE FUNCTION add_to_volume(new attempt) RETURNS void LANGUAGE sql AS $$
    INSERT INTO volume (merchant_id, network, hour, known_hour, processor, outcome, code, subcode, advice_code,
        category, retryability, shard, attempts)
    VALUES (new.merchant_id, new.network,
        (new.at + CASE new.at_precision WHEN 'day' THEN 43200000000 ELSE 0 END) / 3600000000,
        new.known_at / 3600000000, new.processor, new.outcome, coalesce(new.code, ''), coalesce(new.subcode, ''),
        coalesce(new.advice_code, ''), coalesce(new.category, ''), coalesce(new.retryability, ''), new.flavour & 7, 1)
    ON CONFLICT (merchant_id, network, hour, known_hour, processor, outcome, code, subcode, advice_code, category,
        retryability, shard)
    DO UPDATE SET attempts = volume.attempts + 1;
$$;

CREATE FUNCTION keep_volumes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        PERFORM take_from_volume(OLD);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        PERFORM add_to_volume(NEW);
    END IF;
    RETURN NULL;
END;
$$;

CREATE TRIGGER attempts_keep_their_volumes AFTER INSERT OR UPDATE OR DELETE ON attempt
FOR EACH ROW EXECUTE FUNCTION keep_volumes();

-- What the ledger holds already.
INSERT INTO volume (merchant_id, network, hour, known_hour, processor, outcome, code, subcode, advice_code, category,
    retryability, shard, attempts)
SELECT merchant_id, network, (at + CASE at_precision WHEN 'day' THEN 43200000000 ELSE 0 END) / 3600000000,
    known_at / 3600000000, processor, outcome, coalesce(code, ''), coalesce(subcode, ''), coalesce(advice_code, ''),
    coalesce(category, ''), coalesce(retryability, ''), flavour & 7, count(*)
FROM attempt GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12;
