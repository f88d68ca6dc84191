-- title: Urgent rows by region
-- description: Where they come from, how many, and when the last one came.
SELECT region, service, count(*) AS urgent, max(ts) AS latest
FROM logs
WHERE category = 'SECURITY' OR contains(text, 'SECURITY')
GROUP BY region, service
ORDER BY urgent DESC, region, service
