-- What befell customers, told by whoever knows: experiments ask whether a policy drives them away. No limit counts it.
CREATE TABLE customer_event (
    merchant_id TEXT NOT NULL,
    -- The source's own id of what it tells; told twice it counts once.
    event_id TEXT NOT NULL,
    customer_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    said_at BIGINT NOT NULL,
    -- Of what was paid or given back, in minor units.
    amount_minor BIGINT,
    currency TEXT,
    recorded_at BIGINT NOT NULL,
    CONSTRAINT a_customer_event_is_told_once PRIMARY KEY (merchant_id, event_id),
    CONSTRAINT the_kind_of_a_customer_event_is_known CHECK (
        kind IN ('complained', 'unsubscribed', 'disputed', 'lost', 'left', 'paid', 'refunded')
    ),
    CONSTRAINT money_is_told_of_what_was_paid_or_given_back CHECK (
        (kind IN ('paid', 'refunded')) = (amount_minor IS NOT NULL) AND (amount_minor IS NULL) = (currency IS NULL)
    )
);
CREATE INDEX customer_event_by_customer ON customer_event (merchant_id, customer_id, said_at);

-- How many retries the tightest limit allowed when the payment was exposed; unknown of those exposed before this step.
ALTER TABLE exposure ADD COLUMN attempts_allowed BIGINT;

CREATE TRIGGER customer_events_are_never_changed BEFORE UPDATE ON customer_event
FOR EACH ROW EXECUTE FUNCTION refuse();

CREATE TRIGGER customer_events_are_never_removed BEFORE DELETE ON customer_event
FOR EACH ROW EXECUTE FUNCTION refuse();

CREATE TRIGGER customer_events_are_never_emptied BEFORE TRUNCATE ON customer_event
FOR EACH STATEMENT EXECUTE FUNCTION refuse();
