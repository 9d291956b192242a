-- How far each history file has been taken in, written with its rows, so that a killed run goes on where it was.
CREATE TABLE backfill (
    -- What the file holds, not where it lies.
    digest TEXT NOT NULL,
    rows_done BIGINT NOT NULL,
    rows_in_all BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    CONSTRAINT a_history_is_taken_in_once PRIMARY KEY (digest),
    CONSTRAINT no_more_is_taken_in_than_there_is CHECK (0 <= rows_done AND rows_done <= rows_in_all)
);
