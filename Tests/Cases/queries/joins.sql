SELECT l.node, a.node AS other, count(*) FROM live l JOIN archive a ON l.id = a.id WHERE l.id LIKE 'req-%' GROUP BY ALL

SELECT count(*) FROM live l JOIN archive a USING (id)

SELECT id, count(*) FROM live JOIN archive USING (id, category) GROUP BY id ORDER BY 2 DESC, 1 LIMIT 5

SELECT count(*), count(a.line) FROM live l LEFT JOIN archive a ON l.id = a.id AND l.node = a.node

SELECT count(*), count(l.line), count(a.line) FROM live l FULL JOIN archive a ON l.id = a.id

SELECT count(*), count(l.line) FROM live l RIGHT JOIN archive a ON l.message = a.message

SELECT count(*) FROM live l SEMI JOIN archive a USING (id)

SELECT node, count(*) FROM live ANTI JOIN archive USING (id) GROUP BY node

SELECT l.node, l.line, a.line FROM live l CROSS JOIN archive a WHERE l.node = 'cedar' AND a.node = 'birch' AND a.line < 4

SELECT l.node, l.line, a.line FROM live l, archive a WHERE l.node = a.node AND l.node = 'cedar' AND l.line < a.line

SELECT count(*) FROM logs a JOIN logs b ON a.id = b.id AND a.node < b.node WHERE a.category = 'SECURITY'

SELECT a.id, count(DISTINCT b.node) AS n FROM logs a JOIN logs b ON a.id = b.id WHERE a.category = 'SECURITY' AND a.id <> '' GROUP BY a.id HAVING n > 2

SELECT l.node, max(a.line - l.line) FROM live l JOIN archive a ON l.node = a.node AND l.line BETWEEN a.line - 2 AND a.line + 2 GROUP BY l.node

SELECT count(*) FROM live l JOIN archive a ON l.category IS NOT DISTINCT FROM a.category AND l.version IS NOT DISTINCT FROM a.version AND l.stream = a.stream

SELECT l.id, a.id FROM (SELECT * FROM live WHERE node = 'cedar') l LEFT JOIN archive a ON a.id = l.id AND a.category = l.category

SELECT s.name, count(l.line) FROM (VALUES ('auth'), ('billing'), ('nobody')) AS s(name) LEFT JOIN logs l ON l.service = s.name GROUP BY s.name

SELECT d.day, count(l.ts) FROM (SELECT unnest(generate_series(DATE '2026-11-19', DATE '2026-11-23', INTERVAL 1 DAY))::DATE AS day) d LEFT JOIN logs l ON l.ts::DATE = d.day GROUP BY d.day ORDER BY d.day

SELECT h.h, count(l.line) AS n FROM range(24) h(h) LEFT JOIN live l ON hour(l.ts) = h.h GROUP BY h.h ORDER BY h.h

SELECT n.node, n.n, c.category, c.c FROM (SELECT node, count(*) AS n FROM logs GROUP BY node) n JOIN (SELECT node, category, count(*) AS c FROM logs GROUP BY node, category) c USING (node) WHERE c.c * 4 > n.n

SELECT l.node, l.line, p.ts AS previous FROM live l ASOF JOIN (SELECT DISTINCT node, ts FROM archive WHERE ts IS NOT NULL) p ON l.node = p.node AND l.ts >= p.ts WHERE l.line < 20

SELECT count(*), count(p.ts) FROM live l ASOF LEFT JOIN (SELECT DISTINCT ts FROM archive WHERE ts IS NOT NULL) p ON l.ts > p.ts

SELECT count(*) FROM live NATURAL JOIN archive

SELECT count(*) FROM (SELECT node, stream, line FROM live) NATURAL JOIN (SELECT node, stream, line FROM archive)

SELECT l.region, sum(l.line) AS a, (SELECT sum(line) FROM archive x WHERE x.region = l.region) AS b FROM live l GROUP BY l.region

SELECT logs.node, count(*) FROM logs JOIN live ON logs.id = live.id JOIN archive ON live.id = archive.id WHERE logs.id LIKE 'req-1%' GROUP BY logs.node

SELECT l.node, e.key, count(*) FROM logs l, json_each(l.extra) e WHERE l.extra IS NOT NULL GROUP BY ALL

SELECT l.node, u.tag FROM logs l, unnest(from_json(l.extra->'tags', '["VARCHAR"]')) AS u(tag) WHERE l.line < 20

SELECT count(*) FROM live l JOIN archive a ON lower(l.service) = lower(a.service) AND l.ts::DATE = a.ts::DATE

SELECT count(*) FROM live l LEFT JOIN archive a ON false

SELECT count(*) FROM live JOIN archive ON true

SELECT a.node, b.node FROM (SELECT DISTINCT node FROM live) a FULL OUTER JOIN (SELECT DISTINCT node FROM archive WHERE node <> 'doum') b ON a.node = b.node ORDER BY ALL

SELECT live.node AS ln, archive.node AS an, live.line, archive.line FROM live JOIN archive ON live.line = archive.line AND live.node = 'cedar' AND archive.stream = 'audit'

SELECT category, l.n, a.n FROM (SELECT category, count(*) AS n FROM live GROUP BY category) l FULL JOIN (SELECT category, count(*) AS n FROM archive GROUP BY category) a USING (category)

SELECT count(*) FROM main.live l JOIN main.archive a ON l.batch = a.batch
