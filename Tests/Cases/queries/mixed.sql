-- Aggregates of every kind side by side: merged, as sets, by value.

SELECT category, count(*) AS n, quantile_cont(length(message), 0.9) AS long, max(ts) AS last, min(id) AS least, sum(line) AS s FROM logs GROUP BY category ORDER BY category

SELECT category, median(line) AS mid, count(*) AS n, sum(line) AS s, max(message) AS m, count(DISTINCT node) AS nodes, stddev(line) AS d FROM logs GROUP BY ROLLUP (category)

SELECT region, mode(category) FILTER (WHERE line > 5) AS usual, count(*) FILTER (WHERE line > 5) AS n, avg(line) FILTER (WHERE category = 'ERROR') AS a, max(ts) AS last FROM logs GROUP BY region

SELECT node, list(DISTINCT category ORDER BY category DESC NULLS LAST) FILTER (WHERE line > 5) AS l, string_agg(DISTINCT category, '/' ORDER BY category) AS s, count(*) AS n, sum(line) AS t, max(ts) AS last FROM logs GROUP BY node

SELECT string_agg(DISTINCT node, '+' ORDER BY node) AS nodes, sum(DISTINCT line % 10) AS d, avg(line) AS a, product(DISTINCT 1 + line % 4) AS p, min(DISTINCT line) AS m, stddev(DISTINCT line % 7) AS sd FROM live

SELECT category, approx_count_distinct(id) AS a, approx_count_distinct(message) FILTER (WHERE line % 2 = 0) AS b, approx_count_distinct(DISTINCT line) AS c, count(*) AS n FROM logs GROUP BY category

SELECT approx_count_distinct(node) AS few, approx_count_distinct(ts) AS ts, approx_count_distinct(rotated) AS r, approx_count_distinct(line::DOUBLE / 3) AS d, approx_count_distinct(id) AS ids, median(line) AS mid FROM logs

SELECT approx_count_distinct(id) FROM logs WHERE node = 'nowhere'

SELECT category, first(id ORDER BY ts DESC NULLS FIRST, node, stream, rotated, line) FILTER (WHERE line > 3) AS f, last(id ORDER BY ts NULLS LAST, node DESC, stream, rotated, line) AS l, any_value(id ORDER BY node DESC, stream, rotated, line) AS a, median(line) AS m FROM logs GROUP BY category

SELECT first(id ORDER BY line) FILTER (WHERE node = 'nowhere') AS none, any_value(id ORDER BY node, stream, rotated, line) FILTER (WHERE id LIKE 'm%') AS m FROM logs

SELECT stream, first(line ORDER BY node DESC, rotated DESC NULLS LAST, line DESC) + 1 AS f FROM live GROUP BY stream HAVING first(line ORDER BY node DESC, rotated DESC NULLS LAST, line DESC) > 0

SELECT category, max(line, 3) AS most, min(line, 2) AS least, max(ts, 2) AS last, max(line, 3) FILTER (WHERE node = 'cedar') AS cedar, len(arg_max(id, line, 4)) AS n FROM logs GROUP BY category

SELECT node, stream, rotated, arg_max(message, line, 3) AS last, arg_min(line, line, 2) AS first, count(*) AS n FROM live WHERE message IS NOT NULL GROUP BY ALL

SELECT max(line, 2) FILTER (WHERE node = 'nowhere') AS none, arg_max(id, line, 2) FILTER (WHERE node = 'nowhere') AS nothing FROM live

SELECT category, corr(line, length(message)) AS c, covar_pop(line, length(message)) AS p, covar_samp(length(message), line) AS s, regr_r2(line, length(message)) AS r, regr_slope(length(message), line) AS b, regr_intercept(length(message), line) AS a, count(*) AS n FROM logs GROUP BY category

SELECT regr_count(line, length(message)) AS n, regr_avgx(line, length(message)) AS x, regr_avgy(line, length(message)) AS y, regr_sxx(line, length(message)) AS xx, regr_syy(line, length(message)) AS yy, regr_sxy(line, length(message)) AS xy FROM logs WHERE node <> 'cedar'

SELECT corr(line, 0.1::DOUBLE) AS c, corr(0.1::DOUBLE, 0.1::DOUBLE) AS d, regr_slope(line, 0.1::DOUBLE) AS b, regr_intercept(line, 0.1::DOUBLE) AS a, regr_r2(line, 0.1::DOUBLE) AS r, regr_r2(0.1::DOUBLE, line) AS q, regr_slope(0.1::DOUBLE, line) AS s FROM logs

SELECT corr(line, line) FILTER (WHERE node = 'nowhere') AS c, regr_slope(line, line) FILTER (WHERE node = 'nowhere') AS s, regr_r2(line, line) FILTER (WHERE node = 'nowhere') AS r, regr_count(line, line) FILTER (WHERE node = 'nowhere') AS n, covar_samp(line, line) FILTER (WHERE line = 1 AND node = 'cedar' AND stream = 'nothing.log') AS v FROM logs

SELECT category, skewness(line) AS s, kurtosis(line) AS k, kurtosis_pop(line) AS p, sem(line) AS e, var_pop(line) AS v FROM logs GROUP BY category

SELECT skewness(line % 2) AS s, kurtosis(line % 3) AS k, skewness(2) AS z, kurtosis_pop(7) AS c, sem(line) FILTER (WHERE line > 3) AS e, skewness(line) FILTER (WHERE node = 'nowhere') AS n FROM live

SELECT category, geomean(line + 1) AS g, geometric_mean(length(message) + 1) AS h, wavg(line, length(message)) AS w, favg(line / 3) AS f, kahan_sum(line * 0.1::DOUBLE) AS k FROM logs GROUP BY category

SELECT sum(line ORDER BY id) AS s, count(id ORDER BY line) AS n, max(line ORDER BY node DESC) AS m, bool_or(line > 3 ORDER BY line) AS b, stddev_pop(line ORDER BY ts) AS d FROM logs

SELECT node, list(id) FILTER (WHERE category = 'RARE') AS ids, sum(line) FILTER (WHERE category = 'RARE') AS s, count(*) AS n FROM logs GROUP BY node

SELECT histogram(category) AS h, histogram(line % 3) FILTER (WHERE category = 'INFO') AS i, max(ts) AS m FROM logs

SELECT count(DISTINCT (node, stream)) AS pairs, count(DISTINCT {a: category, b: node}) AS structs, max({l: line, n: node}).n AS n, count(DISTINCT [category]) AS l FROM logs

SELECT {n: node, "two words": stream} AS k, count(*) AS n, max(line) AS m FROM logs GROUP BY k ORDER BY k

SELECT count(DISTINCT (node, (stream, line % 2))) AS n, min({t: ts, x: [line, 1]}).x[1] AS x FROM logs

SELECT node, count(*) * 100.0 / (SELECT count(*) FROM logs) AS share FROM logs GROUP BY node ORDER BY node

SELECT category, count(*) AS n FROM logs GROUP BY category HAVING count(*) > (SELECT avg(m) FROM (SELECT count(*) AS m FROM logs GROUP BY category)) ORDER BY category

SELECT category, count(*) AS n FROM logs GROUP BY category HAVING count(*) > (SELECT avg(n) FROM (SELECT count(*) AS n FROM logs GROUP BY category)) ORDER BY category

SELECT node, max(line) IN (SELECT max(line) FROM archive GROUP BY node) AS known, max(line) > ALL (SELECT min(line) FROM live GROUP BY node) AS high FROM live GROUP BY node

SELECT node, count(*) AS n FROM live GROUP BY node HAVING EXISTS (SELECT count(*) FROM archive GROUP BY node HAVING count(*) > 1)

SELECT node, (SELECT max(line) FROM (SELECT max(line) AS line FROM logs GROUP BY node)) AS top, (SELECT count(*) FROM archive a WHERE a.node = live.node) AS held FROM live GROUP BY node

SELECT count(*) AS n, sum(line) AS n, (SELECT count(*) FROM archive) AS archived FROM live

SELECT length(message) % 5 AS k, count(*) AS n FROM logs GROUP BY ALL HAVING k > 1 AND node <> 'cedar'

SELECT date_trunc('day', ts) AS day, count(*) AS n FROM logs GROUP BY ALL HAVING day IS NOT NULL AND count(*) > 1

SELECT main.logs.node, max(logs.line) AS m FROM main.logs GROUP BY main.logs.node HAVING max(main.logs.line) > 2

SELECT count(DISTINCT category) AS c, count(DISTINCT stream) AS s, count(DISTINCT line % 7) AS l, count(*) AS n, sum(line) AS t, max(ts) AS last FROM logs

SELECT node, count(DISTINCT category) AS c, count(DISTINCT length(message)) AS m, count(DISTINCT node) AS one, median(line) AS mid, quantile_disc(length(message), 0.9) AS long, min(id) AS least, count(*) AS n FROM logs GROUP BY ROLLUP (node)

SELECT category, list(line ORDER BY line DESC NULLS LAST) FILTER (WHERE line < 4) AS few, mode(stream) AS stream, count(DISTINCT id) FILTER (WHERE line > 3) AS ids, string_agg(DISTINCT node, '/' ORDER BY node) AS nodes, avg(line) AS a, sum(line) AS s FROM logs GROUP BY category

SELECT approx_count_distinct(id) AS a, approx_count_distinct(category) AS b, approx_count_distinct(message) AS c, approx_count_distinct(line) AS d, median(line % 5) AS m, count(DISTINCT region) AS r FROM logs

SELECT count(DISTINCT id) AS a, count(DISTINCT category) AS b, count(DISTINCT message) AS c, count(DISTINCT line) AS d, count(DISTINCT ts) AS e, count(DISTINCT node) AS f, count(DISTINCT stream) AS g, count(DISTINCT rotated) AS h, count(DISTINCT zone) AS i, count(DISTINCT version) AS j FROM logs

SELECT list(category ORDER BY category) IS NULL AS none, list(id ORDER BY id NULLS FIRST)[1] AS first, len(list(category)) AS n, len(list(DISTINCT id)) AS d FROM logs WHERE category IS NULL OR line = 2

SELECT entropy(category), mode(node), mad(line), median(length(message)), kurtosis(line), count(DISTINCT extra) FROM live GROUP BY GROUPING SETS ((region), (zone), ())

SELECT upper(node) AS u, count(DISTINCT upper(node)) AS one, median(line) AS m, count(DISTINCT category) AS c, max(ts) AS last FROM logs GROUP BY upper(node)

SELECT node, grouping(node) AS g, count(DISTINCT category) AS c, median(line) AS m, sum(line) AS s, list(DISTINCT stream ORDER BY stream) AS l FROM logs GROUP BY CUBE (node, stream) HAVING grouping(node) = 0 AND count(DISTINCT category) > 1

SELECT node, count(*) AS n FROM logs GROUP BY node ORDER BY median(line) DESC, count(DISTINCT id), max(ts), node LIMIT 3

SELECT node, count(*) AS n FROM logs GROUP BY node QUALIFY row_number() OVER (ORDER BY count(DISTINCT id) DESC, median(length(message)), node) <= 2

SELECT node, sum(count(DISTINCT id)) OVER () AS all_ids, rank() OVER (ORDER BY median(line)) AS r FROM logs GROUP BY node

SELECT DISTINCT count(DISTINCT category) AS c, median(line) > 5 AS m, bool_or(line > 100) AS b FROM logs GROUP BY node

SELECT first(category ORDER BY line DESC, node, stream, rotated) AS f, last(category ORDER BY line DESC NULLS FIRST, node, stream, rotated) AS l, first(id ORDER BY 1, node, stream, rotated, line) AS one FROM logs

SELECT node, first(extra ORDER BY stream, rotated, line) IS NULL AS x, first(line::HUGEINT ORDER BY stream, rotated, line) AS h, last(to_days(line::INTEGER) ORDER BY stream, rotated, line) AS i FROM live GROUP BY node

SELECT category, any_value(id ORDER BY node, stream, rotated, line) FILTER (WHERE id LIKE '%9%') AS nine, count(DISTINCT id) FILTER (WHERE category IS NULL OR line > 7) AS some, list(id ORDER BY id) FILTER (WHERE category = 'RARE') AS l FROM logs GROUP BY category

SELECT max(line::HUGEINT, 2) AS h, min(line::DECIMAL(18, 3), 2) AS d, max(rotated, 3) AS r, max(ts::DATE, 2) AS days, arg_max(line, line, 1 + 1) AS a, min(category, 3) AS c FROM logs

SELECT node, max((line, category)::STRUCT(l BIGINT, c VARCHAR), 2)[1].l AS m FROM logs WHERE category IS NOT NULL GROUP BY node

SELECT id, sem(line) AS e, stddev_samp(line) AS s, var_pop(line) AS v, skewness(line) AS k, corr(line, line * 2) AS c, covar_samp(line, line) AS cs FROM logs WHERE id LIKE 'm%' GROUP BY id

SELECT approx_count_distinct(line > 3) AS b, approx_count_distinct([category]) AS l, approx_count_distinct({a: node, b: line % 5}) AS s, approx_count_distinct(ts::DATE) AS d, approx_count_distinct(line::DECIMAL(9, 1)) AS e, approx_count_distinct(line::HUGEINT) AS h FROM logs

SELECT category, approx_count_distinct(id) > 3 AS many FROM logs GROUP BY category HAVING approx_count_distinct(id) > 1 ORDER BY approx_count_distinct(line), category

SELECT node, (SELECT node) AS same, median(line) AS m FROM logs GROUP BY node

SELECT node, (SELECT max(line) FROM archive WHERE archive.node = logs.node) AS a, max(line) AS m FROM logs GROUP BY node

SELECT node, count(*) AS n FROM logs l GROUP BY node HAVING (SELECT count(*) FROM range(3)) = 3 AND EXISTS (SELECT 1 FROM live WHERE line = 1)

SELECT node, count(*) AS n FROM logs GROUP BY node HAVING count(*) IN (SELECT count(*) FROM logs GROUP BY node) OR node = (SELECT max(node) FROM live)

SELECT count(*) FILTER (WHERE line > 3) * 1.0 / (SELECT count(*) FROM logs WHERE line > 3) AS share, (SELECT median(line) FROM live) AS m, (SELECT approx_count_distinct(id) FROM logs) AS a FROM live

SELECT avg(ts) AS a, max(line) AS m, count(DISTINCT category) AS c FROM logs

SELECT sum(line > 3) AS s, avg(line::DECIMAL(9, 2)) AS a, favg(line) AS f, avg(line::UTINYINT % 7) AS u, product(1 + (line % 2)::DOUBLE / 100) AS p, median(line) AS m FROM logs WHERE line < 200

SELECT count(DISTINCT (node, NULL)) AS n, count(DISTINCT (category, NULL)) AS c, count(DISTINCT {a: category}) AS s, max({a: ts, b: line}).b AS b FROM logs

SELECT {n: node, c: category} AS k, count(DISTINCT line % 3) AS c, median(line) AS m, min({a: line}).a AS a FROM logs GROUP BY ALL HAVING k IS NOT NULL

SELECT list(list_transform([line], lambda x: x + 1) ORDER BY line, node, stream, rotated)[1:3] AS l, max(ts) AS last, list_sort(list(DISTINCT [line % 2])) AS d FROM live

SELECT histogram(ts::DATE) AS h, entropy(category) AS e, count(*) AS n, count(category) AS c, max(length(message)) AS m FROM logs

SELECT region, zone, count(DISTINCT node) AS nodes, count(DISTINCT stream) AS streams, count(DISTINCT rotated) AS files, quantile_disc(line, [0.1, 0.9]) AS q, mode(category) FILTER (WHERE category IN ('INFO')) AS m, min(ts) AS first FROM logs GROUP BY ROLLUP (region, zone) ORDER BY ALL

SELECT median(line) AS m, count(*) AS n, min(id) AS i, count(DISTINCT category) AS c, list(line) AS l, approx_count_distinct(id) AS a, corr(line, line) AS r, max(line, 2) AS t, first(id ORDER BY line) AS f FROM logs WHERE node = 'nowhere'

SELECT node, median(line) AS m, count(*) AS n, count(DISTINCT category) AS c FROM logs WHERE node = 'nowhere' GROUP BY node

SELECT weighted_avg(line, length(message)) AS w, geomean(1 + line % 3) AS g, mode(category) AS m, count(*) AS n FROM logs GROUP BY GROUPING SETS ((region), ())

SELECT node AS category, category AS node, count(DISTINCT line) AS line FROM logs GROUP BY ALL ORDER BY ALL

SELECT count(*) AS n, count(*) AS n, median(line) AS n, max(ts) AS n FROM logs

SELECT category, avg(ts) AS mid, avg(ts::DATE) AS day, max(line) AS m, avg(line) AS a, count(*) AS n FROM logs GROUP BY category

-- what the scanner makes of columns
SELECT time_bucket(INTERVAL '15 minutes', ts) AS quarter, count(*) AS n, sum(length(message)) AS characters FROM logs GROUP BY ALL ORDER BY ALL

SELECT time_bucket(INTERVAL 6 HOUR, ts) AS part, service, max(strlen(message)) AS bytes FROM live GROUP BY ALL ORDER BY ALL

SELECT date_trunc('week', ts) AS week, date_trunc('minute', ts) AS minute, count(DISTINCT length(id)) AS lengths FROM logs GROUP BY ALL ORDER BY ALL

SELECT service, median(length(message)) AS middle, quantile_cont(strlen(category), 0.9) AS long FROM logs GROUP BY service HAVING sum(length(message)) > 10 ORDER BY ALL

SELECT time_bucket(INTERVAL '13 minutes', ts) AS odd, date_trunc('month', ts) AS month, count(*) AS n FROM logs GROUP BY ALL ORDER BY ALL

SELECT len(version) AS length, min(ts) AS first, max(date_trunc('hour', ts)) AS last FROM logs WHERE length(message) > 3 GROUP BY ALL ORDER BY ALL
