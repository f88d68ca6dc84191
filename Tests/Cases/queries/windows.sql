SELECT node, stream, rotated, line, row_number() OVER (PARTITION BY node ORDER BY stream, rotated, line) AS r FROM live

SELECT node, line, rank() OVER (ORDER BY line DESC) AS r, dense_rank() OVER (ORDER BY line DESC) AS d FROM logs

SELECT node, line, percent_rank() OVER w AS p, cume_dist() OVER w AS c FROM archive WINDOW w AS (PARTITION BY node ORDER BY line)

SELECT node, line, ntile(4) OVER (ORDER BY node, stream, rotated, line) AS quarter FROM archive

SELECT node, stream, rotated, line, lag(line) OVER w AS before, lead(line, 2, -1) OVER w AS after FROM live WINDOW w AS (PARTITION BY node, stream ORDER BY rotated, line)

SELECT node, line, first_value(line) OVER w AS f, last_value(line) OVER w AS l, nth_value(line, 2) OVER w AS n FROM logs WHERE id = 'mallory' WINDOW w AS (PARTITION BY node ORDER BY ts, stream, rotated, line ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)

SELECT node, count(*) OVER (PARTITION BY node) AS n, sum(line) OVER (PARTITION BY stream) AS s, max(line) OVER () AS m FROM logs WHERE category = 'SECURITY'

SELECT node, stream, rotated, line, sum(line) OVER (PARTITION BY node, stream, rotated ORDER BY line) AS running FROM live WHERE node <> 'alder'

SELECT ts, count(*) OVER (ORDER BY ts) AS so_far FROM logs WHERE ts IS NOT NULL

SELECT ts, count(*) OVER (ORDER BY ts RANGE BETWEEN INTERVAL 1 HOUR PRECEDING AND CURRENT ROW) AS last_hour FROM live WHERE ts IS NOT NULL

SELECT line, sum(line) OVER (ORDER BY line RANGE BETWEEN 5 PRECEDING AND 5 FOLLOWING) AS near FROM archive

SELECT line, count(*) OVER (ORDER BY line GROUPS BETWEEN 1 PRECEDING AND 1 FOLLOWING) AS g FROM archive

SELECT line, count(*) OVER (ORDER BY line RANGE UNBOUNDED PRECEDING EXCLUDE TIES) AS no_ties, sum(line) OVER (ORDER BY node, stream, rotated, line ROWS BETWEEN 2 PRECEDING AND 2 FOLLOWING EXCLUDE CURRENT ROW) AS around FROM archive

SELECT node, avg(line) OVER (PARTITION BY node ORDER BY stream, rotated, line ROWS 10 PRECEDING) AS moving FROM archive

SELECT node, count(*) FILTER (WHERE category = 'ERROR') OVER (PARTITION BY node) AS errors, line FROM logs WHERE line < 5

SELECT node, count(DISTINCT category) OVER (PARTITION BY node) AS c FROM logs WHERE line = 1

SELECT category, count(*) AS n, sum(count(*)) OVER () AS total, rank() OVER (ORDER BY count(*) DESC, category) AS r FROM logs GROUP BY category

SELECT node, category, count(*) AS n, row_number() OVER (PARTITION BY node ORDER BY count(*) DESC, category) AS r FROM logs GROUP BY node, category QUALIFY r <= 2

SELECT date_trunc('hour', ts) AS h, count(*) AS n, count(*) - lag(count(*)) OVER (ORDER BY date_trunc('hour', ts)) AS change FROM logs WHERE ts IS NOT NULL GROUP BY h

SELECT node, stream, rotated, line FROM logs QUALIFY row_number() OVER (PARTITION BY node ORDER BY stream, rotated, line) = 1

SELECT node, stream, rotated, line, id FROM live QUALIFY row_number() OVER (PARTITION BY category ORDER BY ts DESC NULLS LAST, node, stream, rotated, line) <= 2

SELECT id, node FROM logs WHERE id <> '' QUALIFY count(*) OVER (PARTITION BY id) > 8

SELECT id, node, count(*) OVER (PARTITION BY id) AS n FROM logs WHERE id LIKE 'req-%' QUALIFY n > 5 ORDER BY n DESC, id, node

SELECT DISTINCT node FROM logs QUALIFY max(line) OVER (PARTITION BY node) > 100

SELECT max(r) FROM (SELECT row_number() OVER (PARTITION BY id ORDER BY node) AS r FROM logs)

SELECT node, line, line - avg(line) OVER (PARTITION BY node) AS off FROM live WHERE node = 'cedar'

SELECT node, string_agg(category, '' ORDER BY category) OVER (PARTITION BY node) AS s FROM live WHERE line < 4

SELECT node, line, list(line) OVER (PARTITION BY node ORDER BY line, stream, rotated ROWS 2 PRECEDING) AS l FROM logs WHERE id = 'mallory'

SELECT node, median(line) OVER (PARTITION BY node) AS m, quantile_cont(line, 0.9) OVER (PARTITION BY node) AS q, mode(region) OVER (PARTITION BY node) AS r FROM logs WHERE line < 3

SELECT ts, fill(line) OVER (ORDER BY ts) AS f FROM (SELECT DISTINCT ts, CASE WHEN minute(ts) % 2 = 0 THEN minute(ts) END AS line FROM logs WHERE id = 'mallory')

SELECT node, arg_max(line, line) OVER (PARTITION BY node) AS top, min(line) OVER (PARTITION BY node, category) AS low FROM live WHERE line > 370

SELECT category, first_value(line IGNORE NULLS) OVER (PARTITION BY category ORDER BY ts, node, stream, rotated, line) AS f FROM live WHERE node = 'doum'

SELECT stream, row_number(ORDER BY line DESC, rotated) OVER (PARTITION BY stream ORDER BY node, rotated, line) AS r FROM archive WHERE node = 'birch'

SELECT node, sum(line) OVER w1 AS a, sum(line) OVER w2 AS b FROM archive WINDOW w1 AS (PARTITION BY node), w2 AS (PARTITION BY node ORDER BY rotated)

SELECT node, n, sum(n) OVER (ORDER BY node) AS running FROM (SELECT node, count(*) AS n FROM logs GROUP BY node) ORDER BY node

SELECT category, version, count(*) AS n, count(*) * 1.0 / sum(count(*)) OVER (PARTITION BY category) AS share FROM logs GROUP BY category, version HAVING count(*) > 5

SELECT count(*) OVER () AS groups, node FROM live GROUP BY node

SELECT id, ts - lag(ts) OVER (PARTITION BY id ORDER BY ts) AS gap FROM logs WHERE id = 'mallory'

SELECT node, max(gap) FROM (SELECT node, ts - lag(ts) OVER (PARTITION BY node ORDER BY ts) AS gap FROM logs WHERE ts IS NOT NULL) GROUP BY node

SELECT count(*) FROM (SELECT * FROM logs QUALIFY dense_rank() OVER (ORDER BY category) = 1)
