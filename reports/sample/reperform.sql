-- Recomputes the figures of this report from run_orders.parquet alone, in an SQL engine of your own.
--
-- DuckDB, in the report folder:
--   CREATE VIEW run_orders AS SELECT * FROM 'run_orders.parquet';
--   .read reperform.sql
-- Spark SQL:
--   CREATE TEMPORARY VIEW run_orders USING parquet OPTIONS (path 'run_orders.parquet');
--   then run the statements of this file
--
-- Each statement names the figures that it must match to the last digit. The CSV files put ' before a text that a
-- spreadsheet would run as a formula, and replace characters that a terminal would obey; these statements do not.

-- discrepancies.csv: the rows of quote-split and cost-sum, including waived ones.
SELECT run_order_id, input_line, check_code, expected, actual, difference
FROM (
  SELECT run_order_id, input_line, COALESCE(quote_currency, '') AS currency, 'quote-split' AS check_code,
    quote_amount AS expected, final_amount + released_amount AS actual,
    final_amount + released_amount - quote_amount AS difference,
    CAST('0.00000000' AS DECIMAL(28,8)) AS tolerance
  FROM run_orders WHERE settled
  UNION ALL
  SELECT run_order_id, input_line, COALESCE(quote_currency, '') AS currency, 'cost-sum' AS check_code,
    compute_cost + external_model_cost AS expected, total_cost AS actual,
    total_cost - compute_cost - external_model_cost AS difference,
    CAST('0.00000000' AS DECIMAL(28,8)) AS tolerance
  FROM run_orders
) AS judged
WHERE difference > tolerance OR difference < -tolerance
ORDER BY input_line, check_code;

-- summary.json, control_totals, passed_by_tolerance. A currency without passes has no row here.
SELECT currency, COUNT(*) AS passes, SUM(difference) AS net,
  SUM(CASE WHEN difference < CAST('0' AS DECIMAL(28,8)) THEN -difference ELSE difference END) AS gross
FROM (
  SELECT run_order_id, input_line, COALESCE(quote_currency, '') AS currency, 'quote-split' AS check_code,
    quote_amount AS expected, final_amount + released_amount AS actual,
    final_amount + released_amount - quote_amount AS difference,
    CAST('0.00000000' AS DECIMAL(28,8)) AS tolerance
  FROM run_orders WHERE settled
  UNION ALL
  SELECT run_order_id, input_line, COALESCE(quote_currency, '') AS currency, 'cost-sum' AS check_code,
    compute_cost + external_model_cost AS expected, total_cost AS actual,
    total_cost - compute_cost - external_model_cost AS difference,
    CAST('0.00000000' AS DECIMAL(28,8)) AS tolerance
  FROM run_orders
) AS judged
WHERE difference <> CAST('0' AS DECIMAL(28,8)) AND difference <= tolerance AND difference >= -tolerance
GROUP BY currency
ORDER BY currency;

-- summary.json, control_totals: amounts, differences and frozen.
SELECT facts.currency,
  COUNT(*) AS orders,
  COUNT(CASE WHEN facts.settled THEN 1 END) AS settled,
  COUNT(CASE WHEN NOT facts.settled THEN 1 END) AS pending,
  COUNT(CASE WHEN facts.run_status = 'failed' THEN 1 END) AS failed_runs,
  COUNT(CASE WHEN facts.bucket = 'discrepant' THEN 1 END) AS discrepant,
  COALESCE(SUM(CASE WHEN facts.settled THEN facts.quote_amount END), CAST('0' AS DECIMAL(28,8))) AS quote_amount,
  COALESCE(SUM(CASE WHEN facts.settled THEN facts.final_amount END), CAST('0' AS DECIMAL(28,8))) AS final_amount,
  COALESCE(SUM(CASE WHEN facts.settled THEN facts.released_amount END), CAST('0' AS DECIMAL(28,8))) AS released_amount,
  COALESCE(SUM(CASE WHEN facts.settled THEN facts.compute_cost END), CAST('0' AS DECIMAL(28,8))) AS compute_cost,
  COALESCE(SUM(CASE WHEN facts.settled THEN facts.external_model_cost END), CAST('0' AS DECIMAL(28,8))) AS external_model_cost,
  COALESCE(SUM(CASE WHEN facts.settled THEN facts.total_cost END), CAST('0' AS DECIMAL(28,8))) AS total_cost,
  COALESCE(SUM(CASE WHEN facts.settled THEN CASE WHEN facts.quote_off < CAST('0' AS DECIMAL(28,8)) THEN -facts.quote_off ELSE facts.quote_off END END), CAST('0' AS DECIMAL(28,8))) AS quote_gross_difference,
  COALESCE(SUM(CASE WHEN facts.settled THEN facts.quote_off END), CAST('0' AS DECIMAL(28,8))) AS quote_net_difference,
  COALESCE(SUM(CASE WHEN facts.settled THEN CASE WHEN facts.cost_off < CAST('0' AS DECIMAL(28,8)) THEN -facts.cost_off ELSE facts.cost_off END END), CAST('0' AS DECIMAL(28,8))) AS cost_gross_difference,
  COALESCE(SUM(CASE WHEN facts.settled THEN facts.cost_off END), CAST('0' AS DECIMAL(28,8))) AS cost_net_difference,
  COUNT(CASE WHEN facts.settled AND facts.quote_off IS NULL THEN 1 END) AS quote_lacking_orders,
  COALESCE(SUM(CASE WHEN facts.settled AND facts.quote_off IS NULL THEN facts.quote_amount END), CAST('0' AS DECIMAL(28,8))) AS quote_lacking_whole,
  COALESCE(SUM(CASE WHEN facts.settled AND facts.quote_off IS NULL THEN COALESCE(facts.final_amount, CAST('0' AS DECIMAL(28,8))) + COALESCE(facts.released_amount, CAST('0' AS DECIMAL(28,8))) END), CAST('0' AS DECIMAL(28,8))) AS quote_lacking_parts,
  COUNT(CASE WHEN facts.settled AND facts.cost_off IS NULL THEN 1 END) AS cost_lacking_orders,
  COALESCE(SUM(CASE WHEN facts.settled AND facts.cost_off IS NULL THEN facts.total_cost END), CAST('0' AS DECIMAL(28,8))) AS cost_lacking_whole,
  COALESCE(SUM(CASE WHEN facts.settled AND facts.cost_off IS NULL THEN COALESCE(facts.compute_cost, CAST('0' AS DECIMAL(28,8))) + COALESCE(facts.external_model_cost, CAST('0' AS DECIMAL(28,8))) END), CAST('0' AS DECIMAL(28,8))) AS cost_lacking_parts,
  COALESCE(SUM(CASE WHEN NOT facts.settled THEN facts.quote_amount END), CAST('0' AS DECIMAL(28,8))) AS frozen_quote_amount
FROM (
  SELECT COALESCE(quote_currency, '') AS currency,
    settled, run_status, bucket,
    quote_amount, final_amount, released_amount, compute_cost, external_model_cost, total_cost,
    final_amount + released_amount - quote_amount AS quote_off,
    total_cost - compute_cost - external_model_cost AS cost_off
  FROM run_orders
) AS facts
GROUP BY facts.currency
ORDER BY facts.currency;

-- spend_by_workflow.csv.
SELECT facts.workflow_id, facts.currency,
  COUNT(*) AS orders,
  COUNT(CASE WHEN facts.settled THEN 1 END) AS settled,
  COUNT(CASE WHEN NOT facts.settled THEN 1 END) AS pending,
  COUNT(CASE WHEN facts.run_status = 'failed' THEN 1 END) AS failed_runs,
  COUNT(CASE WHEN facts.bucket = 'discrepant' THEN 1 END) AS discrepant,
  COALESCE(SUM(CASE WHEN facts.settled THEN facts.quote_amount END), CAST('0' AS DECIMAL(28,8))) AS quote_amount,
  COALESCE(SUM(CASE WHEN facts.settled THEN facts.final_amount END), CAST('0' AS DECIMAL(28,8))) AS final_amount,
  COALESCE(SUM(CASE WHEN facts.settled THEN facts.released_amount END), CAST('0' AS DECIMAL(28,8))) AS released_amount,
  COALESCE(SUM(CASE WHEN facts.settled THEN facts.compute_cost END), CAST('0' AS DECIMAL(28,8))) AS compute_cost,
  COALESCE(SUM(CASE WHEN facts.settled THEN facts.external_model_cost END), CAST('0' AS DECIMAL(28,8))) AS external_model_cost,
  COALESCE(SUM(CASE WHEN facts.settled THEN facts.total_cost END), CAST('0' AS DECIMAL(28,8))) AS total_cost,
  COALESCE(SUM(CASE WHEN facts.settled THEN CASE WHEN facts.quote_off < CAST('0' AS DECIMAL(28,8)) THEN -facts.quote_off ELSE facts.quote_off END END), CAST('0' AS DECIMAL(28,8))) AS quote_gross_difference,
  COALESCE(SUM(CASE WHEN facts.settled THEN facts.quote_off END), CAST('0' AS DECIMAL(28,8))) AS quote_net_difference,
  COALESCE(SUM(CASE WHEN facts.settled THEN CASE WHEN facts.cost_off < CAST('0' AS DECIMAL(28,8)) THEN -facts.cost_off ELSE facts.cost_off END END), CAST('0' AS DECIMAL(28,8))) AS cost_gross_difference,
  COALESCE(SUM(CASE WHEN facts.settled THEN facts.cost_off END), CAST('0' AS DECIMAL(28,8))) AS cost_net_difference
FROM (
  SELECT COALESCE(workflow_id, '') AS workflow_id,
    COALESCE(quote_currency, '') AS currency,
    settled, run_status, bucket,
    quote_amount, final_amount, released_amount, compute_cost, external_model_cost, total_cost,
    final_amount + released_amount - quote_amount AS quote_off,
    total_cost - compute_cost - external_model_cost AS cost_off
  FROM run_orders
) AS facts
GROUP BY facts.workflow_id, facts.currency
ORDER BY facts.workflow_id, facts.currency;

-- spend_by_revision.csv.
SELECT facts.workflow_id, facts.revision_id, facts.currency,
  COUNT(*) AS orders,
  COUNT(CASE WHEN facts.settled THEN 1 END) AS settled,
  COUNT(CASE WHEN NOT facts.settled THEN 1 END) AS pending,
  COUNT(CASE WHEN facts.run_status = 'failed' THEN 1 END) AS failed_runs,
  COUNT(CASE WHEN facts.bucket = 'discrepant' THEN 1 END) AS discrepant,
  COALESCE(SUM(CASE WHEN facts.settled THEN facts.quote_amount END), CAST('0' AS DECIMAL(28,8))) AS quote_amount,
  COALESCE(SUM(CASE WHEN facts.settled THEN facts.final_amount END), CAST('0' AS DECIMAL(28,8))) AS final_amount,
  COALESCE(SUM(CASE WHEN facts.settled THEN facts.released_amount END), CAST('0' AS DECIMAL(28,8))) AS released_amount,
  COALESCE(SUM(CASE WHEN facts.settled THEN facts.compute_cost END), CAST('0' AS DECIMAL(28,8))) AS compute_cost,
  COALESCE(SUM(CASE WHEN facts.settled THEN facts.external_model_cost END), CAST('0' AS DECIMAL(28,8))) AS external_model_cost,
  COALESCE(SUM(CASE WHEN facts.settled THEN facts.total_cost END), CAST('0' AS DECIMAL(28,8))) AS total_cost,
  COALESCE(SUM(CASE WHEN facts.settled THEN CASE WHEN facts.quote_off < CAST('0' AS DECIMAL(28,8)) THEN -facts.quote_off ELSE facts.quote_off END END), CAST('0' AS DECIMAL(28,8))) AS quote_gross_difference,
  COALESCE(SUM(CASE WHEN facts.settled THEN facts.quote_off END), CAST('0' AS DECIMAL(28,8))) AS quote_net_difference,
  COALESCE(SUM(CASE WHEN facts.settled THEN CASE WHEN facts.cost_off < CAST('0' AS DECIMAL(28,8)) THEN -facts.cost_off ELSE facts.cost_off END END), CAST('0' AS DECIMAL(28,8))) AS cost_gross_difference,
  COALESCE(SUM(CASE WHEN facts.settled THEN facts.cost_off END), CAST('0' AS DECIMAL(28,8))) AS cost_net_difference
FROM (
  SELECT COALESCE(workflow_id, '') AS workflow_id,
    COALESCE(revision_id, '') AS revision_id,
    COALESCE(quote_currency, '') AS currency,
    settled, run_status, bucket,
    quote_amount, final_amount, released_amount, compute_cost, external_model_cost, total_cost,
    final_amount + released_amount - quote_amount AS quote_off,
    total_cost - compute_cost - external_model_cost AS cost_off
  FROM run_orders
) AS facts
GROUP BY facts.workflow_id, facts.revision_id, facts.currency
ORDER BY facts.workflow_id, facts.revision_id, facts.currency;

-- spend_by_day.csv.
SELECT facts.day, facts.currency,
  COUNT(*) AS orders,
  COUNT(CASE WHEN facts.settled THEN 1 END) AS settled,
  COUNT(CASE WHEN NOT facts.settled THEN 1 END) AS pending,
  COUNT(CASE WHEN facts.run_status = 'failed' THEN 1 END) AS failed_runs,
  COUNT(CASE WHEN facts.bucket = 'discrepant' THEN 1 END) AS discrepant,
  COALESCE(SUM(CASE WHEN facts.settled THEN facts.quote_amount END), CAST('0' AS DECIMAL(28,8))) AS quote_amount,
  COALESCE(SUM(CASE WHEN facts.settled THEN facts.final_amount END), CAST('0' AS DECIMAL(28,8))) AS final_amount,
  COALESCE(SUM(CASE WHEN facts.settled THEN facts.released_amount END), CAST('0' AS DECIMAL(28,8))) AS released_amount,
  COALESCE(SUM(CASE WHEN facts.settled THEN facts.compute_cost END), CAST('0' AS DECIMAL(28,8))) AS compute_cost,
  COALESCE(SUM(CASE WHEN facts.settled THEN facts.external_model_cost END), CAST('0' AS DECIMAL(28,8))) AS external_model_cost,
  COALESCE(SUM(CASE WHEN facts.settled THEN facts.total_cost END), CAST('0' AS DECIMAL(28,8))) AS total_cost,
  COALESCE(SUM(CASE WHEN facts.settled THEN CASE WHEN facts.quote_off < CAST('0' AS DECIMAL(28,8)) THEN -facts.quote_off ELSE facts.quote_off END END), CAST('0' AS DECIMAL(28,8))) AS quote_gross_difference,
  COALESCE(SUM(CASE WHEN facts.settled THEN facts.quote_off END), CAST('0' AS DECIMAL(28,8))) AS quote_net_difference,
  COALESCE(SUM(CASE WHEN facts.settled THEN CASE WHEN facts.cost_off < CAST('0' AS DECIMAL(28,8)) THEN -facts.cost_off ELSE facts.cost_off END END), CAST('0' AS DECIMAL(28,8))) AS cost_gross_difference,
  COALESCE(SUM(CASE WHEN facts.settled THEN facts.cost_off END), CAST('0' AS DECIMAL(28,8))) AS cost_net_difference
FROM (
  SELECT CASE -- days of Asia/Shanghai, in UTC
      WHEN created_at IS NULL THEN ''
      WHEN created_at >= '2026-04-30T16:00:00Z' AND created_at < '2026-05-01T16:00:00Z' THEN '2026-05-01'
      WHEN created_at >= '2026-05-01T16:00:00Z' AND created_at < '2026-05-02T16:00:00Z' THEN '2026-05-02'
      WHEN created_at >= '2026-05-02T16:00:00Z' AND created_at < '2026-05-03T16:00:00Z' THEN '2026-05-03'
      WHEN created_at >= '2026-05-03T16:00:00Z' AND created_at < '2026-05-04T16:00:00Z' THEN '2026-05-04'
      WHEN created_at >= '2026-05-04T16:00:00Z' AND created_at < '2026-05-05T16:00:00Z' THEN '2026-05-05'
      WHEN created_at >= '2026-05-05T16:00:00Z' AND created_at < '2026-05-06T16:00:00Z' THEN '2026-05-06'
      WHEN created_at >= '2026-05-06T16:00:00Z' AND created_at < '2026-05-07T16:00:00Z' THEN '2026-05-07'
      WHEN created_at >= '2026-05-07T16:00:00Z' AND created_at < '2026-05-08T16:00:00Z' THEN '2026-05-08'
      WHEN created_at >= '2026-05-08T16:00:00Z' AND created_at < '2026-05-09T16:00:00Z' THEN '2026-05-09'
      WHEN created_at >= '2026-05-09T16:00:00Z' AND created_at < '2026-05-10T16:00:00Z' THEN '2026-05-10'
      WHEN created_at >= '2026-05-10T16:00:00Z' AND created_at < '2026-05-11T16:00:00Z' THEN '2026-05-11'
      WHEN created_at >= '2026-05-11T16:00:00Z' AND created_at < '2026-05-12T16:00:00Z' THEN '2026-05-12'
      WHEN created_at >= '2026-05-12T16:00:00Z' AND created_at < '2026-05-13T16:00:00Z' THEN '2026-05-13'
      WHEN created_at >= '2026-05-13T16:00:00Z' AND created_at < '2026-05-14T16:00:00Z' THEN '2026-05-14'
      WHEN created_at >= '2026-05-14T16:00:00Z' AND created_at < '2026-05-15T16:00:00Z' THEN '2026-05-15'
      WHEN created_at >= '2026-05-15T16:00:00Z' AND created_at < '2026-05-16T16:00:00Z' THEN '2026-05-16'
      WHEN created_at >= '2026-05-16T16:00:00Z' AND created_at < '2026-05-17T16:00:00Z' THEN '2026-05-17'
      WHEN created_at >= '2026-05-17T16:00:00Z' AND created_at < '2026-05-18T16:00:00Z' THEN '2026-05-18'
      WHEN created_at >= '2026-05-18T16:00:00Z' AND created_at < '2026-05-19T16:00:00Z' THEN '2026-05-19'
      WHEN created_at >= '2026-05-19T16:00:00Z' AND created_at < '2026-05-20T16:00:00Z' THEN '2026-05-20'
      WHEN created_at >= '2026-05-20T16:00:00Z' AND created_at < '2026-05-21T16:00:00Z' THEN '2026-05-21'
      WHEN created_at >= '2026-05-21T16:00:00Z' AND created_at < '2026-05-22T16:00:00Z' THEN '2026-05-22'
      WHEN created_at >= '2026-05-22T16:00:00Z' AND created_at < '2026-05-23T16:00:00Z' THEN '2026-05-23'
      WHEN created_at >= '2026-05-23T16:00:00Z' AND created_at < '2026-05-24T16:00:00Z' THEN '2026-05-24'
      WHEN created_at >= '2026-05-24T16:00:00Z' AND created_at < '2026-05-25T16:00:00Z' THEN '2026-05-25'
      WHEN created_at >= '2026-05-25T16:00:00Z' AND created_at < '2026-05-26T16:00:00Z' THEN '2026-05-26'
      WHEN created_at >= '2026-05-26T16:00:00Z' AND created_at < '2026-05-27T16:00:00Z' THEN '2026-05-27'
      WHEN created_at >= '2026-05-27T16:00:00Z' AND created_at < '2026-05-28T16:00:00Z' THEN '2026-05-28'
      WHEN created_at >= '2026-05-28T16:00:00Z' AND created_at < '2026-05-29T16:00:00Z' THEN '2026-05-29'
      WHEN created_at >= '2026-05-29T16:00:00Z' AND created_at < '2026-05-30T16:00:00Z' THEN '2026-05-30'
      WHEN created_at >= '2026-05-30T16:00:00Z' AND created_at < '2026-05-31T16:00:00Z' THEN '2026-05-31'
      WHEN created_at >= '2026-05-31T16:00:00Z' AND created_at < '2026-06-01T16:00:00Z' THEN '2026-06-01'
      ELSE 'no day of this report'
    END AS day,
    COALESCE(quote_currency, '') AS currency,
    settled, run_status, bucket,
    quote_amount, final_amount, released_amount, compute_cost, external_model_cost, total_cost,
    final_amount + released_amount - quote_amount AS quote_off,
    total_cost - compute_cost - external_model_cost AS cost_off
  FROM run_orders
) AS facts
GROUP BY facts.day, facts.currency
ORDER BY facts.day, facts.currency;
