-- The newest observation of each order in this dataset of tieout. An order counts as the run says that started last.
--
-- DuckDB: start it in this folder (cd DATASET && duckdb), then: .read read.sql
-- Spark: see below.
--
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

CREATE OR REPLACE VIEW newest AS
SELECT * FROM (
  SELECT o.*, ROW_NUMBER() OVER (
    PARTITION BY o.day, o.run_order_id ORDER BY r.started_at DESC, r.run DESC
  ) AS nth
  FROM observations AS o JOIN runs AS r ON o.run = r.run
) AS numbered
WHERE nth = 1 AND moved_to IS NULL;

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

CREATE TEMPORARY VIEW newest AS
SELECT * FROM (
  SELECT o.*, ROW_NUMBER() OVER (
    PARTITION BY o.day, o.run_order_id ORDER BY r.started_at DESC, r.run DESC
  ) AS nth
  FROM observations AS o JOIN runs AS r ON o.run = r.run
) AS numbered
WHERE nth = 1 AND moved_to IS NULL;
*/
