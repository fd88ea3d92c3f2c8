-- What counts of each order in this dataset of tieout: its newest sighting, as of the run that started last.
--
-- DuckDB: start it in this folder (cd DATASET && duckdb), then: .read read.sql
-- Spark: see below.
--
-- newest      the newest observation of each order; orders that could not be fetched since are not in it
-- missing     the orders that could not be fetched since they were last observed, or never
-- Then, for one month:
--   SELECT workflow_id, quote_currency, SUM(total_cost) FROM newest
--   WHERE settled AND (day >= DATE '2026-10-01' AND day < DATE '2026-11-01' OR day = DATE '1970-01-01')
--   GROUP BY workflow_id, quote_currency ORDER BY COALESCE(workflow_id, ''), COALESCE(quote_currency, '');
-- Orders without a creation time lie in the day 1970-01-01: read them with every period.

CREATE OR REPLACE VIEW runs AS
SELECT run, CAST(started_at AS TIMESTAMP) AS started_at
FROM read_json('runs/*.json', format = 'newline_delimited', columns = {run: 'VARCHAR', started_at: 'VARCHAR'});

CREATE OR REPLACE VIEW observations AS
SELECT *
FROM read_parquet('orders/day=*/*.parquet', hive_partitioning = true, hive_types = {day: DATE}, union_by_name = true);

CREATE OR REPLACE VIEW exceptions AS
SELECT * FROM read_parquet('exceptions/*.parquet', union_by_name = true);

CREATE OR REPLACE VIEW latest_observations AS
SELECT * FROM (
  SELECT o.*, r.started_at, ROW_NUMBER() OVER (
    PARTITION BY o.day, o.run_order_id ORDER BY r.started_at DESC, r.run DESC
  ) AS nth
  FROM observations AS o JOIN runs AS r ON o.run = r.run
) AS numbered
WHERE nth = 1 AND moved_to IS NULL;

CREATE OR REPLACE VIEW latest_exceptions AS
SELECT * FROM (
  SELECT e.*, r.started_at, ROW_NUMBER() OVER (
    PARTITION BY e.run_order_id ORDER BY r.started_at DESC, r.run DESC
  ) AS nth
  FROM exceptions AS e JOIN runs AS r ON e.run = r.run
) AS numbered
WHERE nth = 1;

CREATE OR REPLACE VIEW newest AS
SELECT * FROM latest_observations AS o
WHERE NOT EXISTS (
  SELECT 1 FROM latest_exceptions AS e
  WHERE e.run_order_id = o.run_order_id
    AND (e.started_at > o.started_at OR e.started_at = o.started_at AND e.run > o.run)
);

CREATE OR REPLACE VIEW missing AS
SELECT * FROM latest_exceptions AS e
WHERE NOT EXISTS (
  SELECT 1 FROM latest_observations AS o
  WHERE o.run_order_id = e.run_order_id
    AND (o.started_at > e.started_at OR o.started_at = e.started_at AND o.run > e.run)
);

/* Spark, with the absolute address of this folder in place of /DATASET:

SET spark.sql.session.timeZone = UTC;

CREATE TEMPORARY VIEW runs (run STRING, started_at TIMESTAMP)
USING json OPTIONS (path '/DATASET/runs');

CREATE TEMPORARY VIEW observations (
  run_order_id STRING, workflow_id STRING, revision_id STRING, quote_currency STRING,
  quote_amount DECIMAL(28,8), final_amount DECIMAL(28,8), released_amount DECIMAL(28,8),
  compute_cost DECIMAL(28,8), external_model_cost DECIMAL(28,8), total_cost DECIMAL(28,8),
  freeze_status STRING, submission_status STRING, run_status STRING, settlement_status STRING,
  task_id STRING, prompt_id STRING, error_code STRING, created_at TIMESTAMP, updated_at TIMESTAMP,
  settled BOOLEAN, moved_to DATE, run STRING, day DATE
) USING parquet OPTIONS (path '/DATASET/orders');

CREATE TEMPORARY VIEW exceptions (run_order_id STRING, bucket STRING, reason STRING, detail STRING, run STRING)
USING parquet OPTIONS (path '/DATASET/exceptions');

CREATE TEMPORARY VIEW latest_observations AS
SELECT * FROM (
  SELECT o.*, r.started_at, ROW_NUMBER() OVER (
    PARTITION BY o.day, o.run_order_id ORDER BY r.started_at DESC, r.run DESC
  ) AS nth
  FROM observations AS o JOIN runs AS r ON o.run = r.run
) AS numbered
WHERE nth = 1 AND moved_to IS NULL;

CREATE TEMPORARY VIEW latest_exceptions AS
SELECT * FROM (
  SELECT e.*, r.started_at, ROW_NUMBER() OVER (
    PARTITION BY e.run_order_id ORDER BY r.started_at DESC, r.run DESC
  ) AS nth
  FROM exceptions AS e JOIN runs AS r ON e.run = r.run
) AS numbered
WHERE nth = 1;

CREATE TEMPORARY VIEW newest AS
SELECT * FROM latest_observations AS o
WHERE NOT EXISTS (
  SELECT 1 FROM latest_exceptions AS e
  WHERE e.run_order_id = o.run_order_id
    AND (e.started_at > o.started_at OR e.started_at = o.started_at AND e.run > o.run)
);

CREATE TEMPORARY VIEW missing AS
SELECT * FROM latest_exceptions AS e
WHERE NOT EXISTS (
  SELECT 1 FROM latest_observations AS o
  WHERE o.run_order_id = e.run_order_id
    AND (o.started_at > e.started_at OR o.started_at = e.started_at AND o.run > e.run)
);
*/
