-- Each index of held rows says in its condition whose it is. Before a database has statistics of a table it takes any
-- index on the merchant for as good as another, and would look through everything that the merchant holds.
DROP INDEX one_hold_a_payment;
DROP INDEX held_by_method;
DROP INDEX held_by_mandate;
-- While one attempt on a payment is allowed and open, another might charge the payer twice.
CREATE UNIQUE INDEX one_hold_a_payment ON reservation (merchant_id, payment_id) WHERE state = 'held' AND payment_id <> '';
CREATE INDEX held_by_method ON reservation (merchant_id, method_id) WHERE state = 'held' AND method_id <> '';
CREATE INDEX held_by_mandate ON reservation (merchant_id, mandate_id) WHERE state = 'held' AND mandate_id <> '';
