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


-- Numbers that DuckDB writes back in another form.
SELECT sum((line * 5e-1)::INTEGER) AS x FROM logs

SELECT count(*) AS n FROM logs WHERE line * 1e-1 * 3 = 3e-1

SELECT 1e-1 + 2e-1 = 3e-1 AS x FROM live WHERE node = 'cedar'

SELECT line * 1e15 * 1e15 * 1e15 AS x FROM live WHERE node = 'cedar'

SELECT typeof(1e3) AS t, count(*) AS n FROM logs

SELECT line // 2. AS x, count(*) AS n FROM live WHERE node = 'cedar' GROUP BY ALL

SELECT typeof(2.) AS t, 7 // 2. AS x, count(*) AS n FROM logs

SELECT node, count(*) AS n FROM logs GROUP BY node ORDER BY n DESC, node LIMIT 5e1 %

-- What the names of a HAVING stand for.
SELECT line % 3 AS k, count(*) AS n FROM logs GROUP BY ALL HAVING k > 0

SELECT line % 3 AS k, count(*) AS n FROM logs GROUP BY ALL HAVING line % 3 > 0

SELECT date_trunc('hour', ts) AS hour, count(*) AS n FROM logs GROUP BY ALL HAVING hour IS NOT NULL

SELECT upper(node) AS node, node AS n, count(*) AS c FROM logs GROUP BY ALL HAVING node = 'ALDER'

SELECT node AS category, category AS node, count(*) AS c FROM live GROUP BY ALL HAVING node = 'INFO'

SELECT left(node, 1) AS node, length(node) AS l, count(*) AS n FROM logs GROUP BY left(node, 1), length(node) HAVING length(node) > 1

SELECT count(*) AS line FROM logs GROUP BY line % 3 HAVING line % 3 > 0

SELECT count(*) AS category FROM logs GROUP BY category IS NULL HAVING category IS NULL

SELECT node, count(*) AS n FROM logs GROUP BY ALL HAVING n > 5 AND node <> 'alder'

SELECT node AS node, count(*) AS n FROM logs GROUP BY node HAVING node > 'b' AND n > 5

-- NULL where no row has a value.
SELECT count_if(line > 0) AS n FROM logs WHERE false

SELECT node, count_if(line > 0) FILTER (WHERE category = 'RARE') AS n FROM logs GROUP BY node

SELECT count_if(NULL) AS n FROM logs

SELECT countif(line > 0) AS n FROM logs

-- Names that expressions have.
SELECT DISTINCT alias(node) AS a FROM logs

SELECT alias(count(*)) AS a FROM logs
