SELECT node, max(ts) < now() + INTERVAL 1000 YEAR AS past FROM logs GROUP BY node

SELECT count(*) AS n, count(*) FILTER (WHERE ts < now() + INTERVAL 1000 YEAR) AS past FROM live

SELECT category, count(*) AS n FROM logs GROUP BY category HAVING max(ts) < current_timestamp + INTERVAL 1000 YEAR

SELECT node, count(*) + 0 * random() AS n FROM logs GROUP BY node

SELECT node, age(now() + INTERVAL 1000 YEAR, max(ts)) > INTERVAL 900 YEAR AS old FROM archive GROUP BY node ORDER BY max(ts) < now() + INTERVAL 1000 YEAR, node

SELECT today() > DATE '2020-01-01' AS later, count(*) AS n FROM logs GROUP BY ALL

SELECT count(*) AS n FROM logs WHERE ts < now() + INTERVAL 1000 YEAR

SELECT list_transform([1, 2], lambda today: today + 1) AS x, count(*) AS n FROM logs

SELECT * EXCLUDE ("now()") FROM (SELECT now(), count(*) AS a FROM logs)

SELECT a.n FROM (SELECT today(), count(*) AS n FROM logs) a JOIN (SELECT today()) b USING ("today()")

SELECT count(*) AS n FROM logs WHERE ts > now() - INTERVAL 3000 YEAR AND ts < ago(INTERVAL 1 SECOND) + INTERVAL 1000 YEAR
