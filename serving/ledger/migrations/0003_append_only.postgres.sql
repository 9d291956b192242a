-- History is appended, never rewritten, and a closed reservation stays closed; the database itself refuses.
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING MESSAGE = replace(TG_NAME, '_', ' '), ERRCODE = 'integrity_constraint_violation';
END;
$$;

CREATE TRIGGER events_are_never_changed BEFORE UPDATE ON event
FOR EACH ROW EXECUTE FUNCTION refuse();

CREATE TRIGGER events_are_never_removed BEFORE DELETE ON event
FOR EACH ROW EXECUTE FUNCTION refuse();

CREATE TRIGGER events_are_never_emptied BEFORE TRUNCATE ON event
FOR EACH STATEMENT EXECUTE FUNCTION refuse();

CREATE TRIGGER a_closed_reservation_stays_closed BEFORE UPDATE ON reservation
FOR EACH ROW WHEN (OLD.state <> 'held') EXECUTE FUNCTION refuse();

CREATE TRIGGER reservations_are_never_removed BEFORE DELETE ON reservation
FOR EACH ROW EXECUTE FUNCTION refuse();
