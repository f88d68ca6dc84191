-- title: Error rate per service
-- description: Share of lines of these categories.
-- param categories: a regular expression over the category = ERROR|CRITICAL
SELECT service, count(*) AS lines,
  round(100.0 * count(*) FILTER (WHERE regexp_full_match(category, $categories)) / count(*), 2) AS error_percent
FROM logs
WHERE service IS NOT NULL
GROUP BY service
ORDER BY error_percent DESC, service
