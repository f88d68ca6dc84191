SELECT count(*), sum(line), sum(line) + 1, max(line) - min(line), 1, 'x', NULL FROM logs

SELECT node, node, line, line FROM live WHERE node = 'cedar'

SELECT count(*) AS n, sum(line) AS n, max(line) AS "N" FROM logs

SELECT count(*), count(*), sum(line), sum(line) FROM live

SELECT node AS "a b", line AS "x""y", line AS "SELECT", node AS "ünï" FROM live WHERE node = 'cedar'

SELECT max("line") AS "Größe", count(*) AS " " FROM logs

SELECT "a b", count(*) FROM (SELECT node AS "a b" FROM logs) GROUP BY "a b"

FROM logs

FROM live WHERE node = 'cedar'

FROM live SELECT max(line)

FROM live l SELECT l.node, max(l.line) GROUP BY l.node

SELECT * FROM archive WHERE line = 1

TABLE archive

SELECT a, b FROM (SELECT node, line FROM live WHERE node = 'cedar') AS t(a, b)

SELECT x, y, category FROM logs a(x, y) WHERE y = 'only-archive'

SELECT y, count(*), max(x) FROM live AS a(x, y) GROUP BY y

SELECT a.service, count(*) FROM logs a(service, ts) GROUP BY a.service HAVING count(*) > 60

SELECT l FROM live l WHERE node = 'cedar'

SELECT logs FROM logs WHERE category = 'RARE'

SELECT count(logs), count(DISTINCT logs.node) FROM logs

SELECT l.node, count(l) FROM logs l GROUP BY l.node

SELECT max(live).node AS n FROM (SELECT node, line FROM live) AS live

SELECT live.live FROM (SELECT {live: 1} AS live FROM live WHERE node = 'cedar')

SELECT logs.logs.node FROM (SELECT {node: node} AS logs FROM live WHERE node = 'cedar') AS logs

SELECT main.logs.node, count(*) FROM main.logs GROUP BY main.logs.node

SELECT COLUMNS('^(node|line)$') FROM live WHERE node = 'cedar'

SELECT max(COLUMNS('^(ts|line|id)$')), min(COLUMNS(['node', 'stream'])) FROM logs

SELECT count(COLUMNS(*)) FROM logs

SELECT max(COLUMNS(* EXCLUDE (message, text, extra))) FROM live

SELECT count(DISTINCT COLUMNS(lambda c: c LIKE '%o%')) FROM logs

SELECT sum(COLUMNS('line') + 1) AS s FROM logs

SELECT COLUMNS('(n)(ode)') AS '\2_\1' FROM live WHERE node = 'cedar'

SELECT count(*) FROM logs WHERE COLUMNS('^(id|version)$') = ''

SELECT coalesce(*COLUMNS(['service', 'category', 'malformed'])) AS c, count(*) FROM logs GROUP BY c

SELECT * EXCLUDE (message, text, extra, batch) FROM live WHERE node = 'cedar'

SELECT * EXCLUDE (ts) REPLACE (upper(node) AS node, line + 1 AS line) FROM live WHERE line = 1

SELECT * RENAME (node AS host) FROM live WHERE node = 'cedar'

SELECT * LIKE '%e' FROM live WHERE node = 'cedar'

SELECT l.* EXCLUDE (extra), l.extra AS e FROM live l WHERE node = 'cedar'

SELECT *, line * 2 AS twice FROM live WHERE node = 'cedar'

SELECT #9, #13 FROM live WHERE node = 'cedar'

SELECT #9, count(*) FROM logs GROUP BY #9

SELECT node, line FROM live WHERE node = 'cedar' ORDER BY #2 DESC, id

SELECT node, count(*) AS count, sum(line) AS sum, min(line) AS min FROM logs GROUP BY node ORDER BY count, sum, min

SELECT region, count(*) FROM (SELECT DISTINCT region, node FROM live) NATURAL JOIN (SELECT DISTINCT region, node FROM archive) GROUP BY region

SELECT node, live.node, archive.node FROM (SELECT DISTINCT node FROM live) live JOIN (SELECT DISTINCT node FROM archive) archive USING (node)

SELECT * FROM (SELECT node, count(*) AS n FROM live GROUP BY node) JOIN (SELECT node, count(*) AS n FROM archive GROUP BY node) USING (node)

SELECT * FROM (SELECT node, count(*) AS n FROM live GROUP BY node) a JOIN (SELECT node, count(*) AS n FROM archive GROUP BY node) b ON a.node = b.node

SELECT n: count(*), top: max(line) FROM logs

SELECT LINE, Node, STREAM FROM Live WHERE NODE = 'cedar'

SELECT node /* comment */ , count(*) -- to the end
FROM logs
GROUP BY node

SELECT count(*)
FROM logs
WHERE category = 'ERROR'
  AND message LIKE '%--%' IS NOT TRUE

SELECT rowid_like.line FROM (SELECT line FROM live WHERE node = 'cedar') AS rowid_like

SELECT part FROM (SELECT node AS part FROM live WHERE node = 'cedar')

SELECT line AS node, node AS line FROM live WHERE node = 'cedar' AND line < 10

SELECT text, malformed FROM logs WHERE text IS NOT NULL AND length(text) < 20

SELECT sum(t.line) FROM live t, (SELECT 5 AS line) u WHERE t.line > u.line

SELECT "count_star()" + 1 AS n FROM (SELECT count(*) FROM logs)

SELECT "max(line)", "sum(line)" FROM (SELECT max(line), sum(line) FROM live)

SELECT count(*) AS live, max(line) AS archive FROM logs

SELECT count(*) AS logs, max(logs.line) + 1 AS live FROM logs

SELECT count(*) AS total, total + 1 AS logs FROM logs

SELECT l.line.line FROM (SELECT {line: line} AS line FROM live WHERE node = 'cedar') l

SELECT unnest(logs, recursive := true) FROM (SELECT {a: {b: node}, c: line} AS logs FROM live WHERE node = 'cedar')

SELECT node.upper() AS u, line.add(1) AS l, message.length().max() AS m FROM (SELECT node, line, message FROM logs WHERE category = 'RARE') GROUP BY ALL
