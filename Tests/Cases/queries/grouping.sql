SELECT category, count(*) FROM logs GROUP BY category

SELECT category, count(*) AS n FROM logs GROUP BY ALL

SELECT node, category, count(*), sum(line), min(ts), max(ts) FROM live GROUP BY ALL

SELECT category, service, version, count(*) FROM logs GROUP BY 1, 2, 3

SELECT count(*), category FROM logs GROUP BY 2 ORDER BY 1 DESC, 2 NULLS LAST

SELECT upper(category) AS category, count(*) AS n FROM logs GROUP BY category

SELECT upper(category) AS c, count(*) AS n FROM logs GROUP BY c

SELECT substr(category, 1, 1) AS category, count(*) AS n FROM logs GROUP BY ALL

SELECT line % 10 AS line, count(*) AS n FROM logs GROUP BY ALL ORDER BY line

SELECT -(line % 3) AS line, sum(line) AS s FROM live GROUP BY line % 3 ORDER BY line

SELECT length(category) AS l FROM logs GROUP BY category

SELECT category FROM logs GROUP BY category

SELECT category, service FROM live GROUP BY service, category, node

SELECT count(*) FROM logs GROUP BY node

SELECT count(*) AS n FROM logs GROUP BY 'constant'

SELECT 'all' AS what, count(*) AS n FROM live GROUP BY what

SELECT 'x' AS k, 1 AS j, count(*) FROM live WHERE node = 'nowhere' GROUP BY ALL

SELECT NULL AS k, count(*) AS n FROM logs GROUP BY k

SELECT 1 + 1 AS two, node, count(*) FROM logs GROUP BY two, node

SELECT count(*) FROM logs WHERE false GROUP BY category

SELECT node, count(*) FROM live GROUP BY node ORDER BY node

SELECT region, zone, node, count(*) AS n, count(DISTINCT stream) AS streams FROM logs GROUP BY region, zone, node ORDER BY ALL

SELECT date_trunc('hour', ts) AS hour, count(*) AS n FROM logs GROUP BY hour ORDER BY hour NULLS FIRST

SELECT date_trunc('day', ts) AS day, category, count(*) AS n FROM logs GROUP BY day, category ORDER BY day, category

SELECT ts::DATE AS d, count(*) FILTER (WHERE category = 'ERROR') AS errors FROM live GROUP BY d

SELECT time_bucket(INTERVAL '6 hours', ts) AS b, avg(line) AS a, max(length(message)) AS m FROM logs GROUP BY b

SELECT category IS NULL AS no_category, malformed IS NOT NULL AS bad, count(*) FROM logs GROUP BY ALL

SELECT CASE WHEN line < 10 THEN 'low' WHEN line < 100 THEN 'mid' ELSE 'high' END AS class, count(*) AS n, avg(line) AS mean FROM logs GROUP BY class

SELECT coalesce(category, 'none') AS c, count(*) AS n FROM logs GROUP BY coalesce(category, 'none')

SELECT nullif(category, '') AS c, count(*) AS n FROM logs GROUP BY nullif(category, '')

SELECT extra->>'user' AS user_name, count(*) AS n, sum(try_cast(extra->>'ms' AS BIGINT)) AS ms FROM logs GROUP BY user_name

SELECT extra->>'level' AS level, category, count(*) FROM logs GROUP BY ALL

SELECT json_type(extra) AS t, json_type(extra->'ms') AS m, count(*) FROM logs GROUP BY ALL

SELECT id, count(*) AS n FROM logs GROUP BY id ORDER BY n DESC, id LIMIT 10

SELECT id, count(*) AS n, count(DISTINCT node) AS nodes FROM logs WHERE category = 'SECURITY' GROUP BY id ORDER BY n DESC, id NULLS LAST LIMIT 3

SELECT id, node, count(*) FROM live WHERE id IS NOT NULL GROUP BY ALL ORDER BY 3 DESC, 1, 2 LIMIT 7 OFFSET 2

SELECT service, avg(line) AS mean, stddev_samp(line) AS sd, var_pop(line) AS vp, sem(line) AS sem FROM logs GROUP BY service

SELECT category, stddev_samp(line) AS one_row_gives_null, corr(line, length(message)) AS corr FROM logs WHERE category IN ('RARE', 'INFO', 'ERROR') GROUP BY category

SELECT category, covar_samp(line, length(message)) AS cs, regr_slope(length(message), line) AS slope, regr_r2(line, length(message)) AS r2 FROM live GROUP BY category

SELECT service, skewness(line), kurtosis(line) FROM logs WHERE service IN ('auth', 'billing', 'gateway') GROUP BY service

SELECT node, median(line), quantile_cont(line, [0.1, 0.9]), quantile_disc(line, 0.5), mad(line) FROM logs GROUP BY node

SELECT node, list(DISTINCT category ORDER BY category) AS categories, string_agg(DISTINCT stream, '+' ORDER BY stream) AS streams FROM live GROUP BY node

SELECT category, histogram(node) AS nodes, mode(node) AS most FROM logs WHERE category IN ('INFO', 'WARN', 'ERROR', 'DEBUG') GROUP BY category

SELECT node, any_value(region) AS region, any_value(zone) AS zone, count(*) AS n FROM logs GROUP BY node

SELECT node, first(region) AS region, last(zone) AS zone, min(stream) AS s FROM archive GROUP BY node

SELECT node, stream, arg_max(message, line) AS last_message, arg_min(line, line) AS least FROM archive WHERE rotated = TIMESTAMPTZ '2026-11-20 06:00:00+00' GROUP BY node, stream

SELECT node, stream, rotated, arg_max(id, line, 2) AS last_two, max(line, 2) AS lines FROM live WHERE id IS NOT NULL GROUP BY ALL

SELECT service, bool_and(line > 1) AS a, bool_or(category = 'RARE') AS o, bit_and(line) AS ba, bit_or(line) AS bo, bit_xor(line) AS bx FROM logs GROUP BY service

SELECT category, approx_count_distinct(id) AS ids, count(DISTINCT id) AS exact, entropy(id) AS e FROM logs GROUP BY category

SELECT category, first(line ORDER BY ts NULLS LAST, node, stream, rotated, line) AS f, last(id ORDER BY ts NULLS FIRST, node, stream, rotated, line) AS l FROM live GROUP BY category

SELECT node, sum(line) * 1.0 / sum(count(*)) OVER () AS share FROM logs GROUP BY node

SELECT category, count(*) AS n, count(*) * 100.0 / sum(count(*)) OVER () AS percent FROM logs GROUP BY category

SELECT node, count(*) AS n, rank() OVER (ORDER BY count(*) DESC) AS r FROM logs GROUP BY node

SELECT node, category, count(*) AS n FROM logs GROUP BY node, category ORDER BY sum(line) DESC, node, category

SELECT category FROM logs GROUP BY category ORDER BY count(*) DESC, category

SELECT category FROM live GROUP BY category ORDER BY max(line) - min(line) DESC, count(*) FILTER (WHERE service = 'auth'), category NULLS FIRST

SELECT service AS s, max(ts) AS t FROM logs GROUP BY s ORDER BY max(ts) DESC, s

SELECT node, sum(line) + count(*) AS x, sum(line + 1) AS y, sum(line) + count(*) = sum(line + 1) AS same FROM logs GROUP BY node

SELECT length(node) + count(*) AS x, node || '!' AS n FROM logs GROUP BY node

SELECT line % 2 = 0 AS even, line % 3 AS three, count(*), sum(line) FROM logs GROUP BY line % 2 = 0, line % 3

SELECT line % 4 + 1 AS k, count(*) AS n FROM logs GROUP BY line % 4

SELECT (line % 4) * 2 + count(*) AS k FROM live GROUP BY (line % 4) * 2

SELECT region, category, count(*) FROM logs GROUP BY ROLLUP (region, category)

SELECT region, zone, node, count(*), sum(line) FROM logs GROUP BY ROLLUP (region, zone, node) ORDER BY region NULLS LAST, zone NULLS LAST, node NULLS LAST

SELECT node, stream, count(*), grouping(node) AS gn, grouping(stream) AS gs, grouping(node, stream) AS g FROM logs GROUP BY CUBE (node, stream)

SELECT category, service, grouping_id(category, service) AS g, count(*) AS n, avg(line) AS a FROM live GROUP BY CUBE (category, service)

SELECT node, category, count(*) FROM logs GROUP BY GROUPING SETS ((node), (category), ())

SELECT node, category, count(*) AS n, grouping(category) AS g FROM logs GROUP BY GROUPING SETS ((node, category), (node), ()) HAVING grouping(category) = 1 OR count(*) > 100

SELECT count(*), sum(line) FROM live WHERE node = 'nowhere' GROUP BY GROUPING SETS ((), ())

SELECT node, count(*) FROM live WHERE false GROUP BY ROLLUP (node)

SELECT node, count(*) FROM live WHERE false GROUP BY GROUPING SETS ((node))

SELECT region, stream, version, count(*) FROM logs GROUP BY region, ROLLUP (stream, version)

SELECT region, node, stream, count(*) FROM logs GROUP BY GROUPING SETS (ROLLUP (region, node), CUBE (stream))

SELECT CASE WHEN grouping(node) = 1 THEN 'total' ELSE node END AS who, sum(line) AS s FROM logs GROUP BY ROLLUP (node) ORDER BY grouping(node), who

SELECT upper(node) AS u, line % 2 AS p, count(*) FROM logs GROUP BY CUBE (upper(node), line % 2)

SELECT category, count(DISTINCT id), count(DISTINCT node) FROM logs GROUP BY ROLLUP (category)

SELECT node, median(line), string_agg(DISTINCT category, ',' ORDER BY category) FROM logs GROUP BY ROLLUP (node)

SELECT [category, service] AS pair, count(*) FROM logs GROUP BY pair

SELECT {n: node, s: stream} AS k, max(line) FROM logs GROUP BY k

SELECT (node, stream) AS k, count(*) FROM live GROUP BY (node, stream)

SELECT map {node: stream} AS m, count(*) FROM logs GROUP BY m

SELECT string_split(message, ' ')[1] AS word, count(*) AS n FROM logs GROUP BY word

SELECT regexp_extract(message, 'user (\w+)', 1) AS u, count(*) AS n FROM logs GROUP BY u ORDER BY n DESC, u LIMIT 5

SELECT line / 100 AS k, count(*) FROM live WHERE line % 50 = 0 GROUP BY k

SELECT round(line / 10, 0) AS k, count(*) FROM logs GROUP BY k

SELECT CASE WHEN line % 2 = 0 THEN 0.0 ELSE -0.0::DOUBLE END = 0 AS zero, count(*) FROM logs GROUP BY ALL

SELECT CASE WHEN category = 'INFO' THEN 'nan'::DOUBLE WHEN category = 'WARN' THEN 'inf'::DOUBLE ELSE 0 END AS k, count(*) FROM logs GROUP BY k

SELECT node, k, count(*) FROM (SELECT node, line % 3 AS k FROM logs) GROUP BY node, k

SELECT l.node, count(*) FROM logs AS l GROUP BY l.node

SELECT logs.node, max(logs.line) FROM logs GROUP BY logs.node ORDER BY logs.node

SELECT n.a, count(*) FROM (SELECT {a: node} AS n FROM logs) GROUP BY n.a

SELECT node AS category, category AS node, count(*) AS n FROM live GROUP BY node, category

SELECT node AS category, count(*) AS n FROM live GROUP BY ALL ORDER BY category

SELECT max(line) AS node, node AS n FROM logs GROUP BY node

SELECT sum(line) AS line, line % 2 AS parity FROM logs GROUP BY line % 2

SELECT count(*) AS category FROM logs GROUP BY category

SELECT category AS node, max(node) AS category FROM logs GROUP BY ALL

SELECT ts, count(*) AS n FROM logs GROUP BY ts HAVING count(*) > 2 ORDER BY n DESC, ts LIMIT 10

SELECT text, malformed, count(*) FROM logs GROUP BY ALL HAVING malformed IS NOT NULL

SELECT extra, count(*) FROM live GROUP BY extra HAVING count(*) > 1

SELECT message, min(node), max(node) FROM logs GROUP BY message HAVING min(node) <> max(node) ORDER BY message

SELECT * FROM (SELECT node, count(*) AS n FROM live GROUP BY node) AS a NATURAL JOIN (SELECT node, count(*) AS m FROM archive GROUP BY node) AS b

SELECT node, ts::DATE AS d, count(*) AS n, sum(count(*)) OVER (PARTITION BY node ORDER BY ts::DATE) AS running FROM logs GROUP BY node, ts::DATE

SELECT category, max(n) FROM (SELECT category, node, count(*) AS n FROM logs GROUP BY ALL) GROUP BY category

SELECT node, category, count(*) AS n FROM logs WHERE category = 'SECURITY' GROUP BY ALL

SELECT category FROM logs WHERE id = 'mallory' GROUP BY ALL

SELECT id FROM logs GROUP BY id ORDER BY id NULLS FIRST LIMIT 4

SELECT category COLLATE NOCASE AS c, count(*) FROM logs WHERE category IN ('INFO', 'ERROR') GROUP BY c

SELECT node, count(*) FILTER (WHERE category = 'RARE') AS rare, sum(line) FILTER (WHERE category = 'RARE') AS line, list(id) FILTER (WHERE category = 'RARE') AS ids FROM logs GROUP BY node

SELECT stream, product(1 + (line % 3) / 1000.0) AS p, geomean(line) AS g, sum(line / 3) AS s, fsum(line * 0.1::DOUBLE) AS f FROM logs GROUP BY stream

SELECT rotated, avg(ts) AS mid, avg(rotated - ts) AS delay, max(rotated - ts) AS most FROM logs GROUP BY rotated

SELECT batch, count(*) AS n, max(line) - count(*) AS gaps, min(line) AS first_line FROM logs GROUP BY batch ORDER BY n DESC, batch

SELECT node, region FROM logs GROUP BY node, region ORDER BY min(line), count(*), node

SELECT any_value(category) AS c, count(*) AS n, hash(category) % 3 AS h FROM logs GROUP BY category

SELECT year(ts) AS y, month(ts) AS m, dayname(ts) AS d, count(*) FROM logs GROUP BY ALL ORDER BY ALL

SELECT typeof(line) AS t, count(*) FROM logs GROUP BY t

SELECT line % 2 FROM logs GROUP BY 1

SELECT true AS t, count(*) > 0 AS some FROM archive GROUP BY t

FROM logs SELECT node, count(*) GROUP BY node

SELECT node, count(*) AS n, sum(n) OVER () AS total FROM live GROUP BY node

SELECT node, max(line) AS top, top - min(line) AS width FROM logs GROUP BY node HAVING width > 10

SELECT node, list(line ORDER BY line DESC)[1:3] AS top, list_sum(list(line)) = sum(line) AS same FROM live GROUP BY node

SELECT category, count(*) AS n, min(n) OVER (ORDER BY count(*) DESC, category ROWS UNBOUNDED PRECEDING) AS so_far FROM logs GROUP BY category

SELECT service, json_object('n', count(*), 'top', max(line)) AS j FROM logs GROUP BY service

SELECT DISTINCT count(*) > 100 AS big FROM logs GROUP BY node, stream

SELECT DISTINCT ON (region) region, node, count(*) AS n FROM logs GROUP BY region, node ORDER BY region, n DESC, node

SELECT node, (SELECT count(*) FROM archive a WHERE a.node = l.node) AS archived, count(*) AS live FROM live l GROUP BY node

SELECT node, count(*) AS n FROM logs l WHERE line > (SELECT avg(line) FROM logs m WHERE m.node = l.node) GROUP BY node

SELECT a.category, count(*) FROM live a JOIN archive b ON a.id = b.id WHERE a.id <> '' GROUP BY a.category
