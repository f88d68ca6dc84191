-- title: Nodes that fell silent
-- description: Nodes whose newest line is older than an hour.
SELECT region, zone, node, max(ts) AS latest, age(now(), max(ts)) AS silent_for
FROM logs
GROUP BY region, zone, node
HAVING max(ts) < now() - INTERVAL 1 HOUR
ORDER BY latest
