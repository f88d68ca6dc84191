SELECT node, line FROM live WHERE line = (SELECT max(line) FROM live)

SELECT count(*) FROM logs WHERE id IN (SELECT id FROM archive WHERE category = 'SECURITY')

SELECT count(*) FROM live WHERE id NOT IN (SELECT id FROM archive WHERE id IS NOT NULL)

SELECT count(*) FROM live WHERE id NOT IN (SELECT id FROM archive)

SELECT node, count(*) FROM live l WHERE EXISTS (SELECT 1 FROM archive a WHERE a.id = l.id AND a.node <> l.node) GROUP BY node

SELECT count(*) FROM live l WHERE NOT EXISTS (SELECT NULL FROM archive a WHERE a.id = l.id)

SELECT node, stream, rotated, line FROM logs l WHERE line = (SELECT max(line) FROM logs m WHERE m.node = l.node)

SELECT node, (SELECT count(*) FROM archive a WHERE a.node = l.node) AS archived, (SELECT max(ts) FROM archive a WHERE a.node = l.node) AS latest FROM (SELECT DISTINCT node FROM live) l

SELECT l.id, (SELECT string_agg(DISTINCT node, ',' ORDER BY node) FROM logs m WHERE m.id = l.id) AS nodes FROM live l WHERE l.node = 'cedar'

SELECT (SELECT max(line) FROM live WHERE node = 'nowhere') AS none, (SELECT id FROM logs WHERE category = 'RARE') AS one

SELECT EXISTS (SELECT 1 FROM live WHERE category = 'RARE') AS in_live, EXISTS (SELECT 1 FROM archive WHERE category = 'RARE') AS in_archive

SELECT count(*) FROM logs WHERE line > ANY (SELECT line FROM live WHERE node = 'cedar') AND line < ALL (SELECT line FROM archive WHERE line > 20)

SELECT node, n FROM (SELECT node, count(*) AS n FROM logs GROUP BY node) WHERE n > (SELECT avg(n) FROM (SELECT count(*) AS n FROM logs GROUP BY node))

SELECT avg(n) FROM (SELECT count(*) AS n FROM (SELECT DISTINCT node, id FROM logs) GROUP BY node)

SELECT x.node, y.line FROM (SELECT DISTINCT node FROM logs) x, LATERAL (SELECT line FROM logs l WHERE l.node = x.node ORDER BY line DESC LIMIT 2) y

SELECT x.node, y.n, y.m FROM (SELECT DISTINCT node FROM live) x LEFT JOIN LATERAL (SELECT count(*) AS n, max(line) AS m FROM archive a WHERE a.node = x.node AND a.category = 'RARE') y ON true

SELECT category, (SELECT count(*) FROM logs m WHERE m.category > l.category) AS above FROM (SELECT DISTINCT category FROM logs) l

SELECT (SELECT sum(l.line)) AS s FROM logs l

SELECT (SELECT count(*) FROM archive WHERE archive.line = max(live.line) - 260) AS n FROM live

SELECT node, (SELECT max(line) + max(l.line) FROM archive) AS x FROM live l GROUP BY node

SELECT node, count(*) FILTER (WHERE id IN (SELECT id FROM archive)) AS known FROM live GROUP BY node

SELECT node, sum((SELECT count(*) FROM archive a WHERE a.id = l.id)) AS s FROM live l WHERE id LIKE 'req-%' GROUP BY node

SELECT count(*) FROM logs WHERE (node, line) IN (SELECT node, max(line) FROM logs GROUP BY node)

SELECT ARRAY(SELECT DISTINCT node FROM logs ORDER BY node) AS nodes

SELECT node, ARRAY(SELECT a.line FROM archive a WHERE a.node = l.node ORDER BY a.line DESC LIMIT 3) AS top FROM (SELECT DISTINCT node FROM logs) l

SELECT CASE WHEN (SELECT count(*) FROM live) > 2000 THEN 'big' ELSE 'small' END AS size

SELECT node, line - (SELECT min(line) FROM logs) AS x FROM live WHERE node = 'cedar'

SELECT t.x FROM (SELECT max(line) AS x FROM live UNION ALL SELECT max(line) FROM archive) t WHERE t.x > 0

SELECT count(*) FROM (SELECT node FROM live WHERE line > (SELECT median(line) FROM live) INTERSECT SELECT node FROM archive)

SELECT node FROM (SELECT node, sum(line) AS s FROM live GROUP BY node) WHERE s = (SELECT max(s) FROM (SELECT sum(line) AS s FROM live GROUP BY node))

SELECT (SELECT count(*) FROM live WHERE ts > (SELECT avg(ts) FROM archive)) AS later

SELECT node, stream, line FROM live l WHERE 2 > (SELECT count(*) FROM live m WHERE m.node = l.node AND m.line > l.line) AND node <> 'alder'

SELECT * FROM (SELECT node, (SELECT count(*) FROM live l2 WHERE l2.node = l.node AND l2.category = 'ERROR') AS e FROM (SELECT DISTINCT node FROM live) l) ORDER BY node

SELECT sum(n) FROM (SELECT (SELECT count(*) FROM archive a WHERE a.service = s.service) AS n FROM (SELECT DISTINCT service FROM live) s)

SELECT count(*) FROM logs WHERE ts = (SELECT ts FROM logs WHERE ts IS NOT NULL GROUP BY ts ORDER BY count(*) DESC LIMIT 1)

SELECT a.node FROM (SELECT * FROM (SELECT * FROM (SELECT node, line FROM archive)) WHERE line > 20) a GROUP BY a.node

FROM (FROM live WHERE category = 'ERROR') SELECT node, count(*) GROUP BY node
