SELECT category, count(*) FROM logs GROUP BY category HAVING count(*) > 100

SELECT category FROM logs GROUP BY category HAVING count(*) = 1

SELECT id, count(*) AS n FROM logs WHERE id <> '' GROUP BY id HAVING count(*) > 8

SELECT id FROM logs WHERE category = 'SECURITY' GROUP BY id HAVING count(DISTINCT node) >= 3

SELECT id, count(*) AS n, min(ts) AS first_seen, max(ts) AS last_seen FROM logs WHERE category = 'SECURITY' AND id IS NOT NULL GROUP BY id HAVING n > 10

SELECT node FROM live GROUP BY node HAVING max(line) > 300

SELECT node FROM live GROUP BY node HAVING sum(line) > 100 AND avg(line) < 200 OR count(*) = 3

SELECT node, max(line) AS m FROM logs GROUP BY node HAVING min(ts) < TIMESTAMPTZ '2026-11-20 00:10:00+00'

SELECT count(*) FROM logs HAVING count(*) > 10

SELECT count(*) FROM logs HAVING count(*) > 1000000

SELECT sum(line) FROM live HAVING bool_or(category = 'RARE')

SELECT 'yes' AS answer FROM archive HAVING max(line) > 5

SELECT max(line) FROM live WHERE false HAVING max(line) IS NULL

SELECT max(line) FROM live WHERE false HAVING count(*) > 0

SELECT category, count(*) AS n FROM logs GROUP BY category HAVING category IS NOT NULL AND category <> ''

SELECT category, count(*) AS count FROM logs GROUP BY category HAVING count > 200

SELECT category AS c, sum(line) AS s FROM logs GROUP BY c HAVING c LIKE '%R%' AND s > 10

SELECT node, category, count(*) FROM logs GROUP BY ALL HAVING count(*) BETWEEN 2 AND 20

SELECT node, count(*) AS n FROM logs GROUP BY node HAVING count(*) > (SELECT count(*) / 5 FROM logs)

SELECT node, count(*) AS n FROM logs GROUP BY node HAVING count(*) >= ALL (SELECT count(*) FROM logs GROUP BY node)

SELECT node, sum(line) AS s FROM live l GROUP BY node HAVING sum(line) > (SELECT sum(line) FROM archive a WHERE a.node = l.node)

SELECT category FROM logs GROUP BY category HAVING EXISTS (SELECT 1 FROM archive a WHERE a.category = logs.category)

SELECT category, max(node) FROM live GROUP BY category HAVING category NOT IN (SELECT category FROM archive WHERE category IS NOT NULL)

SELECT service, count(*) AS n FROM logs GROUP BY service HAVING count(*) FILTER (WHERE category = 'ERROR') > 20

SELECT service FROM logs GROUP BY service HAVING stddev(line) > 50 AND median(line) > 10 AND count(DISTINCT id) > 10

SELECT service, avg(line) AS mean FROM logs GROUP BY service HAVING avg(line) > 0 ORDER BY count(*) DESC, service NULLS FIRST

SELECT id, string_agg(DISTINCT node, ',' ORDER BY node) AS nodes FROM logs GROUP BY id HAVING count(DISTINCT node) = 4 ORDER BY id

SELECT message, count(*) AS n FROM logs GROUP BY message HAVING count(*) > 1 AND count(DISTINCT node) > 1

SELECT line % 5 AS k, sum(line) AS s FROM logs GROUP BY k HAVING k > 1 AND sum(line) % 2 = 0

SELECT region, node, count(*) AS n FROM logs GROUP BY ROLLUP (region, node) HAVING count(*) > 500

SELECT region, node, count(*) AS n FROM logs GROUP BY ROLLUP (region, node) HAVING node IS NULL

SELECT upper(category) AS category, count(*) AS n FROM logs GROUP BY category HAVING category = 'INFO'

SELECT max(line) AS line FROM logs GROUP BY node HAVING max(logs.line) > 100

SELECT node, -max(line) AS m FROM logs GROUP BY node HAVING m < -100 ORDER BY m, node

SELECT node, count(*) AS n FROM logs GROUP BY node HAVING NULL

SELECT node, count(*) AS n FROM logs GROUP BY node HAVING count(malformed) > 0 AND NOT bool_and(text IS NULL)

SELECT service FROM live GROUP BY service HAVING list_contains(list(category), 'RARE')

SELECT service, category FROM logs GROUP BY service, category HAVING count(*) = count(DISTINCT id) AND count(*) > 3

SELECT ts::DATE AS d, count(*) AS n FROM logs GROUP BY d HAVING d > DATE '2026-11-20' AND min(ts::TIMESTAMP::TIME) < TIME '00:30:00'

SELECT node, stream FROM logs GROUP BY ALL HAVING sum(CASE WHEN category = 'ERROR' THEN 1 ELSE 0 END) * 10 > count(*)

SELECT category, min(line) + max(line) AS x FROM logs GROUP BY category HAVING min(line) + max(line) > 300 ORDER BY min(line) + max(line), category

SELECT s.service, n FROM (SELECT service, count(*) AS n FROM logs GROUP BY service HAVING count(*) > 110) AS s WHERE n < 900

WITH c AS (SELECT id, count(*) AS n FROM live GROUP BY id HAVING count(*) > 4) SELECT count(*), sum(n), max(n) FROM c
