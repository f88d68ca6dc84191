WITH e AS (SELECT * FROM logs WHERE category = 'ERROR') SELECT node, count(*) FROM e GROUP BY node

WITH n AS (SELECT node, count(*) AS c FROM logs GROUP BY node), t AS (SELECT sum(c) AS s FROM n) SELECT node, c * 1.0 / s AS share FROM n, t

WITH logs AS (SELECT * FROM archive) SELECT count(*) FROM logs

WITH logs AS (SELECT * FROM logs WHERE category = 'ERROR') SELECT node, count(*), sum(line) FROM logs GROUP BY node

WITH live AS (SELECT 1 AS line UNION ALL SELECT 2) SELECT sum(line), count(*) FROM live

WITH archive AS (SELECT node, line FROM live WHERE node = 'cedar') SELECT l.node, count(*) FROM archive a JOIN logs l USING (line) GROUP BY l.node

WITH Logs AS (SELECT node FROM LIVE) SELECT count(*) FROM lOGS

WITH live AS (SELECT * FROM archive), archive AS (SELECT * FROM live WHERE line < 10) SELECT (SELECT count(*) FROM live) AS l, (SELECT count(*) FROM archive) AS a

WITH a AS (SELECT count(*) AS n FROM live) SELECT * FROM a, (WITH live AS (SELECT 7 AS x) SELECT x FROM live) b

SELECT (WITH logs AS (SELECT 5 AS line) SELECT sum(line) FROM logs) AS five, sum(line) AS s FROM logs

SELECT count(*) FROM (WITH x AS (SELECT * FROM live) SELECT * FROM x WHERE line < 5)

WITH x AS MATERIALIZED (SELECT node, sum(line) AS s FROM live GROUP BY node) SELECT a.node, b.node FROM x a JOIN x b ON a.s < b.s

WITH x AS NOT MATERIALIZED (SELECT category, count(*) AS n FROM logs GROUP BY category) SELECT max(n), min(n), count(*) FROM x

WITH x(a, b) AS (SELECT node, max(line) FROM logs GROUP BY node) SELECT a, b FROM x WHERE b > 100

WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 5) SELECT t.n, count(l.line) FROM t LEFT JOIN logs l ON l.line = t.n GROUP BY t.n ORDER BY t.n

WITH RECURSIVE t(line, n) AS (SELECT max(line), 0 FROM live UNION ALL SELECT (SELECT max(l.line) FROM live l WHERE l.line < t.line), n + 1 FROM t WHERE n < 4) SELECT * FROM t ORDER BY n

WITH RECURSIVE reach(id, node) AS (SELECT id, node FROM logs WHERE id = 'mallory' AND node = 'cedar' UNION SELECT l.id, l.node FROM logs l JOIN reach r ON l.id = r.id) SELECT node FROM reach ORDER BY node

WITH RECURSIVE t AS (SELECT count(*) AS n FROM archive UNION ALL SELECT n // 2 FROM t WHERE n > 0) SELECT sum(n), count(*) FROM t

WITH RECURSIVE logs(n) AS (SELECT 1 UNION ALL SELECT n * 2 FROM logs WHERE n < 100) SELECT max(n) FROM logs

WITH RECURSIVE t(k, v) USING KEY (k) AS (SELECT node, max(line) FROM live GROUP BY node UNION SELECT k, v - 100 FROM t WHERE v > 100) SELECT k, v FROM t

WITH a AS (SELECT * FROM live), b AS (SELECT * FROM a WHERE category = 'WARN'), c AS (SELECT node, count(*) AS n FROM b GROUP BY node) SELECT sum(n) FROM c

WITH a AS (SELECT node, count(*) AS n FROM live GROUP BY node), b AS (SELECT node, count(*) AS n FROM archive GROUP BY node) SELECT coalesce(a.node, b.node) AS node, a.n AS live, b.n AS archive FROM a FULL JOIN b ON a.node = b.node ORDER BY 1

WITH per AS (SELECT id, count(*) AS n, count(DISTINCT node) AS nodes FROM logs GROUP BY id) SELECT nodes, count(*) AS ids, sum(n) AS n FROM per GROUP BY nodes ORDER BY nodes

WITH t AS (SELECT max(line) AS m FROM logs) SELECT count(*) FROM logs, t WHERE line = m

WITH day AS (SELECT DATE '2026-11-21' AS d) SELECT category, count(*) FROM logs, day WHERE ts::DATE = d GROUP BY category

WITH x AS (FROM logs SELECT category, median(line) AS m, stddev(line) AS s GROUP BY category) FROM x WHERE m > 20

WITH x AS (SELECT node FROM live UNION SELECT node FROM archive) SELECT x.node, count(l.node) FROM x LEFT JOIN live l USING (node) GROUP BY x.node

WITH unused AS (SELECT nothing_checked FROM (SELECT 1 AS nothing_checked)), x AS (SELECT count(*) AS n FROM logs) SELECT n FROM x

WITH x AS (SELECT sum(line) AS s FROM live) SELECT s, (SELECT count(*) FROM x) AS n FROM x WHERE EXISTS (FROM x)

WITH r AS (SELECT node, category, count(*) AS n FROM logs GROUP BY ALL), m AS (SELECT node, max(n) AS n FROM r GROUP BY node) SELECT r.* FROM r JOIN m USING (node, n)
