SELECT category, line FROM logs ORDER BY count(*) OVER (PARTITION BY category) DESC, category, line, node, stream, rotated LIMIT 3

WITH o AS (SELECT node, count(*) c FROM logs GROUP BY node) SELECT node FROM o WHERE EXISTS (SELECT 1 FROM logs i WHERE line % 3 = 0 GROUP BY i.node HAVING i.node = o.node AND count(*) > 10)

SELECT line, list_transform([{'line': 100::BIGINT}], lambda x: x.line) AS l FROM logs GROUP BY line

SELECT min({'a': line}::VARCHAR) AS a, min({'b': line}::VARCHAR) AS b FROM logs

SELECT DISTINCT to_json({'n': node}) AS n, to_json({'m': node}) AS m FROM logs

SELECT to_json(t) AS j FROM (SELECT node, count(*) FROM logs GROUP BY node) t

SELECT t::VARCHAR AS v FROM (SELECT DISTINCT upper(node) FROM logs) t

SELECT count(*) AS n, count(DISTINCT g) AS d FROM (SELECT (CASE WHEN line % 2 = 0 THEN upper(node) ELSE node END) COLLATE NOCASE AS g, count(*) AS c FROM logs GROUP BY g)

SELECT min((CASE WHEN line % 2 = 0 THEN upper(node) ELSE node END) COLLATE NOCASE)[1:0] AS m, count(DISTINCT (CASE WHEN line % 2 = 0 THEN upper(node) ELSE node END) COLLATE NOCASE) AS n FROM logs

SELECT DATE '2026-11-26' AS day, count(*) AS n FROM live WHERE category = 'NONE' GROUP BY ALL

SELECT 'a' || 'b' AS x, 1 + 1 AS y, count(*) AS n FROM live WHERE category = 'NONE' GROUP BY ALL

SELECT line FROM logs ORDER BY line, node, stream, rotated LIMIT 9223372036854775807 OFFSET 2990

SELECT node AS a, node AS n, count(*) AS c FROM logs GROUP BY ROLLUP (node, n)

SELECT category, (SELECT o.line FROM logs GROUP BY line ORDER BY line LIMIT 1) AS l FROM live o WHERE node = 'cedar'
