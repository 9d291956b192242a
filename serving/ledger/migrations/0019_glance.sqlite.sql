-- A step of PostgreSQL only; here the glance stands in the statements.
SELECT 1;
