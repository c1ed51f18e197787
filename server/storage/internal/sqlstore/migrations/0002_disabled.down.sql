ALTER TABLE accounts DROP COLUMN disabled;
