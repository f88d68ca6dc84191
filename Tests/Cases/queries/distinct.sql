SELECT DISTINCT category FROM logs

SELECT DISTINCT node, stream FROM live

SELECT DISTINCT ts FROM logs WHERE category = 'ERROR'

SELECT DISTINCT message FROM logs

SELECT DISTINCT extra->>'user' AS u, json_type(extra->'ms') AS t FROM logs

SELECT DISTINCT * FROM (SELECT category, service, version FROM logs)

SELECT DISTINCT region, zone, node FROM logs ORDER BY node LIMIT 2

SELECT DISTINCT line % 7 AS k FROM archive ORDER BY k DESC

SELECT DISTINCT length(id) FROM logs ORDER BY 1 NULLS FIRST

SELECT DISTINCT NULL AS n, 1 AS one FROM logs

SELECT DISTINCT node FROM live WHERE false

SELECT DISTINCT [category] AS l, {s: stream} AS s FROM logs

SELECT count(DISTINCT id) FROM live

SELECT count(DISTINCT category), count(category), count(DISTINCT coalesce(category, '-')) FROM logs

SELECT count(DISTINCT (category, service)), count(DISTINCT {a: id, b: node}), count(DISTINCT [id]) FROM logs

SELECT node, count(DISTINCT id) AS ids FROM logs GROUP BY node

SELECT category, count(DISTINCT id) FILTER (WHERE node <> 'alder') AS ids, count(DISTINCT node) AS nodes FROM logs GROUP BY category

SELECT count(DISTINCT id) + count(DISTINCT node) AS both, count(DISTINCT id || node) AS pairs FROM logs

SELECT sum(DISTINCT line % 10), avg(DISTINCT line % 10), min(DISTINCT line), max(DISTINCT line), product(DISTINCT 1 + line % 4) FROM live

SELECT service, sum(DISTINCT length(message)) AS s, list(DISTINCT version ORDER BY version) AS v FROM logs GROUP BY service

SELECT string_agg(DISTINCT service, ', ' ORDER BY service) FROM logs WHERE id = 'mallory' OR category = 'RARE'

SELECT median(DISTINCT line), quantile_cont(DISTINCT line, 0.3), mad(DISTINCT line), stddev_pop(DISTINCT line), entropy(DISTINCT category) FROM logs

SELECT histogram(DISTINCT line % 5), bit_xor(DISTINCT line), count(DISTINCT ts::DATE) FROM logs

SELECT count(*), count(DISTINCT id), sum(line), sum(DISTINCT line) FROM logs GROUP BY region

SELECT count(DISTINCT id) AS n FROM logs GROUP BY category HAVING count(DISTINCT id) > 100 ORDER BY count(DISTINCT id) DESC

SELECT DISTINCT ON (node) node, stream, rotated, line, id FROM logs ORDER BY node, stream, rotated, line

SELECT DISTINCT ON (category) category, ts, node, line FROM logs ORDER BY category NULLS FIRST, ts DESC NULLS LAST, node, stream, rotated, line

SELECT DISTINCT ON (node, stream) node, stream, rotated, line FROM live ORDER BY node, stream, rotated DESC NULLS LAST, line DESC

SELECT DISTINCT ON (node) node, region, zone FROM logs ORDER BY node LIMIT 3

SELECT DISTINCT ON (id) id, node, stream, rotated, line FROM logs WHERE category = 'SECURITY' ORDER BY id, node DESC, stream, rotated, line LIMIT 12

SELECT DISTINCT ON (line % 3) line % 3 AS k, line, node, stream, rotated FROM live ORDER BY k, line DESC, node, stream, rotated

SELECT DISTINCT ON (node) node, region FROM logs

SELECT DISTINCT count(*) OVER (PARTITION BY node) AS n FROM logs

SELECT DISTINCT max(line) FROM logs GROUP BY node, stream

SELECT DISTINCT category, count(*) OVER (PARTITION BY category) AS n FROM live ORDER BY n DESC, category

SELECT count(*) FROM (SELECT DISTINCT ON (id) id FROM logs)

SELECT count(*) AS n, sum(c) AS s FROM (SELECT DISTINCT category, node, count(*) OVER (PARTITION BY category, node) AS c FROM logs)

SELECT unnest(list(DISTINCT node ORDER BY node)) AS node FROM logs

SELECT DISTINCT unnest([category, service]) AS x FROM logs WHERE line < 20

SELECT approx_count_distinct(DISTINCT id) = approx_count_distinct(id) AS same FROM logs

SELECT count(DISTINCT logs) AS n, count(DISTINCT logs.id) AS ids FROM logs
