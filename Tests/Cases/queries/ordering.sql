SELECT node, stream, rotated, line FROM logs ORDER BY node, stream, rotated, line LIMIT 10

SELECT node, stream, rotated, line, id FROM logs ORDER BY ALL LIMIT 5

SELECT node, stream, rotated, line, ts FROM live ORDER BY ts DESC NULLS LAST, node, stream, rotated, line LIMIT 20

SELECT node, stream, rotated, line, ts FROM live ORDER BY ts NULLS FIRST, node DESC, stream, rotated NULLS FIRST, line DESC LIMIT 20

SELECT ts FROM logs ORDER BY ts LIMIT 12

SELECT ts FROM logs ORDER BY ts DESC NULLS FIRST LIMIT 300 OFFSET 200

SELECT id FROM logs ORDER BY id DESC LIMIT 15

SELECT id FROM archive ORDER BY id NULLS LAST OFFSET 370

SELECT line FROM archive ORDER BY line

SELECT category, line FROM logs WHERE category = 'SECURITY' ORDER BY 2, 1

SELECT line AS x, node AS y FROM live WHERE node IN ('cedar', 'doum') ORDER BY x DESC, y LIMIT 9

SELECT -line AS line FROM live WHERE node = 'cedar' ORDER BY line

SELECT line FROM live WHERE node = 'cedar' ORDER BY -line

SELECT node, line FROM logs WHERE id = 'mallory' ORDER BY length(message), line % 10, line, node, stream, rotated

SELECT message FROM logs WHERE id = 'mallory' ORDER BY ts, message

SELECT id FROM logs WHERE id = 'mallory' ORDER BY ts

SELECT node, count(*) AS n FROM logs GROUP BY node ORDER BY n DESC, node LIMIT 2

SELECT node, count(*) AS n FROM live GROUP BY node ORDER BY n LIMIT 1

SELECT category, sum(line) AS s FROM logs GROUP BY category ORDER BY s DESC, category LIMIT 3 OFFSET 1

SELECT service, round(avg(line), 3) AS mean FROM logs GROUP BY service ORDER BY mean DESC, service LIMIT 4

SELECT id, max(line) AS m FROM logs GROUP BY id ORDER BY m DESC, id NULLS LAST LIMIT 10

SELECT id, sum(line) AS s FROM live WHERE id LIKE 'req-%' GROUP BY id ORDER BY sum(line) DESC, id LIMIT 25

SELECT * FROM live WHERE node = 'cedar' ORDER BY line, ts

SELECT * FROM logs WHERE category = 'RARE' ORDER BY line LIMIT 1

SELECT node, line FROM logs ORDER BY node, line DESC, stream, rotated LIMIT 0

SELECT node, line FROM logs ORDER BY node, line DESC LIMIT 3 OFFSET 100000

SELECT line FROM logs ORDER BY line DESC LIMIT (SELECT count(*) FROM live WHERE node = 'cedar')

SELECT line FROM logs ORDER BY line LIMIT 1 + 2 OFFSET 4 - 1

SELECT line FROM archive ORDER BY line LIMIT 10%

SELECT line FROM live ORDER BY line DESC LIMIT NULL OFFSET 2590

SELECT version FROM logs WHERE line < 4 ORDER BY version NULLS FIRST

SELECT version FROM logs WHERE line < 4 ORDER BY version DESC NULLS FIRST

SELECT try_cast(version AS DOUBLE) AS v FROM logs WHERE line < 5 ORDER BY v DESC

SELECT DISTINCT category FROM logs ORDER BY category

SELECT DISTINCT service, length(service) AS l FROM logs ORDER BY l DESC, service

SELECT upper(service) AS u FROM live WHERE line = 1 ORDER BY u COLLATE NOCASE

SELECT DISTINCT service FROM logs WHERE service IS NOT NULL ORDER BY service COLLATE NOACCENT, service

SELECT DISTINCT lower(service) AS s FROM logs ORDER BY s COLLATE de

SELECT node, line FROM (SELECT * FROM logs ORDER BY ts) WHERE id = 'mallory' ORDER BY node, line, stream, rotated

SELECT node, stream, rotated, line FROM (SELECT * FROM logs ORDER BY node, stream, rotated, line LIMIT 50) ORDER BY line DESC, stream, rotated, node LIMIT 5

(SELECT line FROM live ORDER BY line DESC LIMIT 3) UNION ALL (SELECT line FROM archive ORDER BY line LIMIT 3)

(SELECT line FROM live ORDER BY line DESC LIMIT 3) UNION ALL (SELECT line FROM archive ORDER BY line LIMIT 3) ORDER BY line

SELECT node FROM live UNION SELECT node FROM archive ORDER BY node DESC

SELECT ts::DATE AS d, count(*) AS n FROM logs GROUP BY d ORDER BY d NULLS FIRST

SELECT category, count(*) FROM logs GROUP BY category ORDER BY CASE category WHEN 'ERROR' THEN 0 WHEN 'WARN' THEN 1 ELSE 2 END, count(*) DESC, category

SELECT category, count(*) FROM logs GROUP BY 1 ORDER BY count(DISTINCT id) DESC, 1

SELECT extra->>'user' AS u, count(*) AS n FROM logs GROUP BY u ORDER BY n DESC, u LIMIT 6

SELECT node, stream, rotated, line, length(message) AS l FROM logs ORDER BY l DESC NULLS LAST, node, stream, rotated, line LIMIT 5

SELECT node, stream, line FROM archive WHERE stream = 'audit' ORDER BY (node, rotated, line) DESC LIMIT 6

SELECT {n: node, l: line} AS s FROM live WHERE node = 'cedar' ORDER BY s DESC

SELECT [line, length(message)] AS p FROM logs WHERE id = 'mallory' ORDER BY p

SELECT (extra->>'ms')::VARCHAR AS ms FROM logs ORDER BY ms DESC NULLS LAST LIMIT 8

SELECT try_cast(extra->>'ms' AS DOUBLE) AS ms FROM live ORDER BY ms DESC NULLS LAST LIMIT 8

SELECT try_cast(extra->>'big' AS HUGEINT) AS b FROM logs ORDER BY b NULLS LAST LIMIT 4

SELECT row_number() OVER (ORDER BY node, stream, rotated, line) AS r, node, line FROM logs ORDER BY r LIMIT 5 OFFSET 1798

FROM live ORDER BY node DESC, stream DESC, rotated DESC, line DESC LIMIT 3

SELECT node, line FROM live WHERE line < 3 ORDER BY ALL DESC NULLS LAST

SELECT count(*) FROM logs ORDER BY 1

SELECT max(line) FROM logs GROUP BY node ORDER BY max(line) DESC LIMIT 3


SELECT node, category, count(*) AS n FROM logs GROUP BY ALL ORDER BY ALL

SELECT node, category, count(*) AS n FROM logs GROUP BY ALL ORDER BY ALL DESC NULLS LAST LIMIT 7

SELECT node, line FROM live WHERE line < 9 ORDER BY ALL LIMIT 5

SELECT * FROM (SELECT node, count(*) AS n FROM logs GROUP BY ALL) ORDER BY ALL
