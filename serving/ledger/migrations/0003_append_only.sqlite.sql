-- History is appended, never rewritten, and a closed reservation stays closed; the database itself refuses.
CREATE TRIGGER events_are_never_changed BEFORE UPDATE ON event
BEGIN
    SELECT RAISE(ABORT, 'events are never changed');
END;

CREATE TRIGGER events_are_never_removed BEFORE DELETE ON event
BEGIN
    SELECT RAISE(ABORT, 'events are never removed');
END;

CREATE TRIGGER a_closed_reservation_stays_closed BEFORE UPDATE ON reservation WHEN OLD.state <> 'held'
BEGIN
    SELECT RAISE(ABORT, 'a closed reservation stays closed');
END;

CREATE TRIGGER reservations_are_never_removed BEFORE DELETE ON reservation
BEGIN
    SELECT RAISE(ABORT, 'reservations are never removed');
END;
