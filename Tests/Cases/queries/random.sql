SELECT count(*) FROM logs WHERE node SIMILAR TO 'a.*' OR node GLOB 'd*' OR message LIKE '%10$%%' ESCAPE '$'

SELECT count(*) FROM logs WHERE message ILIKE '%100$%%' ESCAPE '$' OR message NOT LIKE '%$_%' ESCAPE '$'

SELECT node, sum(line) OVER (PARTITION BY node ORDER BY line, stream, rotated GROUPS BETWEEN 1 PRECEDING AND UNBOUNDED FOLLOWING EXCLUDE CURRENT ROW) AS x FROM live WHERE line < 10

SELECT node, sum(line) OVER (PARTITION BY node ORDER BY line RANGE BETWEEN 3 PRECEDING AND 1 FOLLOWING EXCLUDE TIES) AS x FROM live WHERE line < 10

SELECT first_value(id IGNORE NULLS) OVER (ORDER BY node, stream, rotated, line) AS x, lag(id, 2, 'def') OVER (ORDER BY node, stream, rotated, line) AS y, nth_value(id, 2) OVER (ORDER BY node, stream, rotated, line) AS z FROM live WHERE line < 4

SELECT last_value(id IGNORE NULLS) OVER (ORDER BY node, stream, rotated, line ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS x, lead(id IGNORE NULLS) OVER (ORDER BY node, stream, rotated, line) AS y FROM live WHERE line < 4

SELECT percentile_cont(0.9) WITHIN GROUP (ORDER BY line DESC) AS a, percentile_disc(0.9) WITHIN GROUP (ORDER BY line DESC) AS b, mode() WITHIN GROUP (ORDER BY node) AS c FROM logs

SELECT count(*), max(TRY(line::TINYINT)) FROM logs

SELECT min(COLUMNS(c -> c LIKE 'z%')) FROM live

SELECT node, count(*) n FROM logs GROUP BY node ORDER BY n LIMIT 40.5%

SELECT node, count(*) n FROM logs GROUP BY node ORDER BY n DESC LIMIT (SELECT 2)

SELECT (node, line % 2) IN (('alder', 1), ('doum', 0)) AS x, count(*) FROM logs GROUP BY ALL

SELECT line % 3 = ANY([1, 2]) AS x, 2 = ALL(SELECT 2) AS y, count(*) FROM logs GROUP BY ALL

SELECT sum(line) FILTER (node = 'alder'), listagg(DISTINCT node, '+' ORDER BY node) FROM live

SELECT list_transform(list(line ORDER BY line), lambda node: node + 1)[1:2] AS l FROM live

SELECT [n || node FOR n IN ['a', 'b']] AS l, count(*) FROM live GROUP BY node

SELECT GROUPING_ID(node, region) AS g, GROUPING(node) AS h, node, region, count(*) FROM logs GROUP BY CUBE (node, region)

SELECT node, region, count(*) FROM logs GROUP BY node, ROLLUP (region, zone)

SELECT node, count(*) FROM logs GROUP BY GROUPING SETS (CUBE (node, region), ROLLUP (zone))

SELECT line % 2 AS a, a + 1 AS b, b * 2 AS c, count(*) FROM logs GROUP BY a

SELECT line % 2 AS a, count(*) AS n, n * 2 AS m, m + a AS o FROM logs GROUP BY a HAVING m > 5 ORDER BY o

SELECT DISTINCT ON (c) count(*) % 5 AS c, node FROM logs GROUP BY node ORDER BY c, node

SELECT 1 AS node, line FROM live ORDER BY node, live.node DESC, stream, rotated, line LIMIT 4

SELECT node FROM live ORDER BY (SELECT 1), line, live.node, stream, rotated LIMIT 3

SELECT line + 1 AS x, node FROM live WHERE x = 5 ORDER BY node, stream, rotated

SELECT line + 1 AS line, node FROM live WHERE line = 5 ORDER BY node, stream, rotated

SELECT node AS region, count(*) FROM live WHERE region = 'us-east' GROUP BY node

SELECT zone AS region, node FROM live WHERE region = 'us-east' ORDER BY line, stream, rotated, region, node LIMIT 4

SELECT avg(CASE WHEN line = 1 THEN 'inf'::DOUBLE ELSE line END), sum(CASE WHEN line = 1 THEN '-inf'::DOUBLE ELSE line END) FROM logs

SELECT avg(DISTINCT CASE WHEN line = 1 THEN 'inf'::DOUBLE ELSE line END) FROM logs

SELECT avg(ts) FROM logs

SELECT avg(line::UBIGINT), avg(line::UHUGEINT), avg(line::HUGEINT), avg(line::FLOAT), avg(line::DECIMAL(4, 0)), avg(line::DECIMAL(38, 10)) FROM logs

SELECT max(line::VARIANT) FROM logs

SELECT node::VARIANT AS v, count(*) FROM logs GROUP BY ALL

SELECT line % 3::VARIANT AS v, count(*) FROM logs GROUP BY v

SELECT DISTINCT (line % 3)::VARIANT AS v FROM logs

SELECT main.logs.node, count(*) FROM logs GROUP BY main.logs.node

SELECT memory.main.logs.node, count(*) FROM logs GROUP BY ALL

SELECT main.logs.node, count(*) FROM main.logs GROUP BY ALL

SELECT struct_extract(l, 'node') AS n, count(*) FROM live l GROUP BY ALL

SELECT unnest(l) FROM live l WHERE node = 'cedar'

SELECT any_value(l).zone FROM live l WHERE node = 'cedar'

SELECT 'cedar' AS n, line FROM live WHERE node = n

SELECT a.n, b.n FROM (SELECT count(*) n FROM live WHERE node = 'alder') a, (SELECT count(*) n FROM live WHERE node = 'doum') b

SELECT a.n, b.n FROM (SELECT count(*) n FROM live WHERE node = 'alder') a, (SELECT count(*) n FROM live) b

SELECT node COLLATE NOCASE AS n FROM live WHERE node COLLATE NOCASE = 'CEDAR'

SELECT count(*) FROM live WHERE node COLLATE NOCASE = 'CEDAR'

SELECT count(DISTINCT node) FILTER (WHERE line > 5), count(DISTINCT node), sum(DISTINCT line) FILTER (WHERE node = 'alder'), avg(DISTINCT line), stddev(DISTINCT line) FROM logs

SELECT string_agg(DISTINCT node ORDER BY node), list(DISTINCT category ORDER BY category NULLS FIRST) FROM logs

SELECT median(ts), quantile_disc(ts, 0.5), quantile_cont(ts, 0.25), mad(ts) FROM logs

SELECT arg_max(node, NULL), arg_max(NULL, line), max(NULL), sum(NULL), avg(NULL) FROM logs

SELECT NULL AS k, NULL || node AS j, count(*) FROM logs GROUP BY ALL

SELECT max(line, 2), min(node, 2), arg_max(line, line, 2), arg_min(node, line::VARCHAR || node || stream || coalesce(rotated::VARCHAR, ''), 2) FROM logs

SELECT weighted_avg(line, line), geomean(line), favg(line), fsum(line), kahan_sum(line), product(1 + line % 2 * 0.001) FROM logs

SELECT covar_pop(line, length(node)), corr(line, length(message)), regr_slope(line, length(message)), regr_intercept(line, length(message)) FROM logs
