-- The views are the same as before.
SELECT 1;
