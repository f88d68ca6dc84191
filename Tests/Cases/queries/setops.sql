SELECT node FROM live UNION SELECT node FROM archive

SELECT node, line FROM live WHERE line < 3 UNION ALL SELECT node, line FROM archive WHERE line < 3

SELECT id FROM live INTERSECT SELECT id FROM archive

SELECT id FROM live EXCEPT SELECT id FROM archive

SELECT category FROM live INTERSECT ALL SELECT category FROM archive

SELECT category FROM logs EXCEPT ALL SELECT category FROM live

SELECT 'live' AS what, count(*) AS n, sum(line) AS s FROM live UNION ALL SELECT 'archive', count(*), sum(line) FROM archive

SELECT count(*) FROM live UNION SELECT count(*) FROM archive UNION SELECT count(*) FROM logs

SELECT category, count(*) FROM live GROUP BY category UNION ALL SELECT category, count(*) FROM archive GROUP BY category

SELECT category, count(*) AS n FROM live GROUP BY category EXCEPT SELECT category, count(*) FROM logs GROUP BY category

SELECT node, max(line) FROM live GROUP BY node INTERSECT SELECT node, max(line) FROM logs GROUP BY node

SELECT line, node FROM live WHERE node = 'cedar' UNION ALL BY NAME SELECT node, line, region FROM archive WHERE line = 1

SELECT node, region FROM live UNION BY NAME SELECT zone, node FROM archive

SELECT line FROM live WHERE node = 'cedar' UNION ALL SELECT message FROM archive WHERE line = 1

SELECT 1 AS x FROM live WHERE false UNION ALL SELECT 2.5

(SELECT node FROM live EXCEPT SELECT node FROM archive) UNION ALL (SELECT node FROM archive EXCEPT SELECT node FROM live)

SELECT sum(n) FROM (SELECT count(*) AS n FROM live UNION ALL SELECT count(*) FROM archive)

SELECT node, sum(n) FROM (SELECT node, count(*) AS n FROM live GROUP BY node UNION ALL SELECT node, count(*) FROM archive GROUP BY node) GROUP BY node

SELECT node FROM live UNION ALL SELECT node FROM archive ORDER BY node DESC LIMIT 2001

SELECT node, line FROM live UNION SELECT node, line FROM archive ORDER BY line DESC, node LIMIT 6 OFFSET 2

SELECT avg(line) AS a, min(id) FROM live UNION ALL SELECT median(line), max(id) FROM archive UNION ALL SELECT stddev_pop(line), mode(category) FROM logs

FROM live SELECT category UNION FROM archive SELECT category

SELECT id FROM live WHERE category = 'SECURITY' INTERSECT SELECT id FROM live WHERE category = 'INFO' EXCEPT SELECT id FROM archive

SELECT NULL AS x FROM live UNION SELECT node FROM archive

SELECT DISTINCT node FROM live UNION ALL SELECT DISTINCT node FROM archive

SELECT count(*) FROM (SELECT id FROM live UNION SELECT id FROM archive) WHERE id LIKE 'req%'

VALUES ('a', 1), ('b', 2) UNION ALL SELECT node, count(*) FROM live GROUP BY node

TABLE live UNION ALL TABLE archive ORDER BY node, stream, rotated, line LIMIT 4
