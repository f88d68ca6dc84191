SELECT count(*) FROM logs

SELECT count(*) FROM live

SELECT count(*) FROM archive

SELECT count(*), count(ts), count(service), count(category), count(message), count(id), count(version), count(region), count(zone), count(node), count(stream), count(rotated), count(batch), count(line), count(extra), count(malformed), count(text) FROM logs

SELECT count() AS n, count(1) AS one, count(NULL) AS none FROM live

SELECT sum(line), min(line), max(line), avg(line) FROM logs

SELECT sum(line) AS s, count(line) AS c, sum(line) / count(line) AS ratio, sum(line) // count(line) AS whole, sum(line) % 7 AS rest FROM live

SELECT min(ts), max(ts), max(ts) - min(ts) AS span FROM logs

SELECT min(message), max(message), min(id), max(id) FROM logs

SELECT avg(line), sum(line) FROM live WHERE node = 'birch'

SELECT count(*), count(ts), sum(line), min(ts), max(message), avg(line), stddev(line), list(line), string_agg(id, ','), bool_and(line > 0), bit_or(line), mode(id), median(line), histogram(category), first(id), any_value(id), arg_max(id, line), product(line), approx_count_distinct(id), entropy(id), mad(line) FROM logs WHERE false

SELECT count(*), sum(line), avg(line), min(id), max(ts) FROM live WHERE node = 'nowhere'

SELECT coalesce(sum(line), 0) AS total, coalesce(max(id), 'none') AS id, count(*) = 0 AS is_empty FROM archive WHERE category = 'RARE'

SELECT count(*) FILTER (WHERE category = 'ERROR') AS errors, count(*) FILTER (category = 'WARN') AS warnings, count(*) FILTER (WHERE category IS NULL) AS none FROM logs

SELECT sum(line) FILTER (WHERE false) AS nothing, count(*) FILTER (WHERE false) AS zero, count(*) FILTER (WHERE NULL) AS also_zero, list(line) FILTER (WHERE false) AS no_list FROM live

SELECT avg(line) FILTER (WHERE category = 'RARE') AS rare, max(node) FILTER (WHERE category = 'RARE') AS where_it_is, count(DISTINCT node) FILTER (WHERE id = 'mallory') AS spread FROM logs

SELECT count(*) FILTER (WHERE category = 'ERROR') * 100.0 / count(*) AS percent FROM logs

SELECT round(100.0 * count(*) FILTER (WHERE category = 'ERROR') / nullif(count(*) FILTER (WHERE service = 'auth'), 0), 2) AS percent FROM live

SELECT sum(line + 1), sum(line) + 1, sum(line * 2) / 2, sum(-line), -sum(line), abs(sum(-line)) FROM logs

SELECT sum(length(message)), max(length(message)), min(length(message)), avg(length(message)) FROM logs

SELECT sum(CASE WHEN category = 'ERROR' THEN 1 ELSE 0 END) AS errors, sum(CASE WHEN category = 'ERROR' THEN 1 END) AS errors_too, sum(CASE WHEN category = 'NONE' THEN 1 END) AS none FROM logs

SELECT CASE WHEN count(*) > 1000 THEN 'many' WHEN count(*) > 100 THEN 'some' ELSE 'few' END AS size FROM archive

SELECT CASE WHEN max(line) > 300 THEN sum(line) ELSE NULL END AS s, CASE WHEN bool_or(category = 'RARE') THEN 'rare there' ELSE 'no' END AS r FROM live

SELECT count(*) > 2000 AND max(line) < 1000 AS big, count(malformed) > 0 OR count(text) = 0 AS either, NOT bool_and(malformed IS NULL) AS has_bad FROM logs

SELECT stddev(line), stddev_samp(line), stddev_pop(line), variance(line), var_samp(line), var_pop(line), sem(line) FROM logs

SELECT stddev(line), var_pop(line), var_samp(line), sem(line) FROM live WHERE category = 'RARE'

SELECT skewness(line), kurtosis(line), kurtosis_pop(line) FROM live

SELECT covar_pop(line, length(message)), covar_samp(line, length(message)), corr(line, length(message)) FROM logs

SELECT regr_count(length(message), line), regr_avgx(length(message), line), regr_avgy(length(message), line), regr_sxx(length(message), line), regr_syy(length(message), line), regr_sxy(length(message), line) FROM logs

SELECT regr_slope(length(message), line), regr_intercept(length(message), line), regr_r2(length(message), line) FROM live

SELECT corr(line, line), regr_r2(line, line), covar_pop(line, 3) FROM logs

SELECT bool_and(line > 0), bool_or(line > 376), bool_and(malformed IS NULL), bool_or(category = 'RARE'), bool_and(NULL::BOOLEAN) FROM logs

SELECT bit_and(line), bit_or(line), bit_xor(line), bit_xor(hash(id)) FROM logs

SELECT bit_and(line::TINYINT), bit_or(line::UTINYINT) FROM live WHERE line < 100

SELECT bit_count(bitstring_agg(line, 1, 400)) AS different_lines FROM logs

SELECT any_value(node) FROM live WHERE category = 'RARE'

SELECT any_value(region) AS region, any_value(zone) AS zone, count(*) AS n FROM logs WHERE node = 'doum'

SELECT arg_max(node, length(message)), arg_max(line, length(message)), max_by(category, length(message)) FROM logs

SELECT arg_min((node, stream, rotated, line), (ts, node, stream, rotated, line)) AS first_row FROM live WHERE ts IS NOT NULL AND rotated IS NOT NULL

SELECT arg_max(message, node || '/' || stream || '/' || coalesce(rotated::VARCHAR, '-') || '/' || lpad(line::VARCHAR, 5, '0')) AS m FROM live

SELECT arg_max(id, 1000 * line + ascii(node), 3) AS ids FROM archive WHERE stream = 'app' AND id IS NOT NULL AND rotated = TIMESTAMPTZ '2026-11-20 00:00:00+00'

SELECT arg_max_null(category, length(message)) AS c, arg_max_nulls_last(node, length(message)) AS n FROM logs

SELECT min(line, 3) AS lowest, max(line, 5) AS highest, max(ts, 2) AS latest, min(id, 4) AS first_ids FROM logs

SELECT max(line, 10000).len() AS n, min(line, 1)[1] AS least FROM live

SELECT max(line, 3) FILTER (WHERE node = 'cedar') AS cedar, max(line, 3) FILTER (WHERE node = 'nowhere') AS nowhere FROM live

SELECT first(id ORDER BY node, stream, rotated, line) AS f, last(id ORDER BY node, stream, rotated, line) AS l FROM logs

SELECT first(message ORDER BY ts DESC NULLS LAST, node, stream, rotated, line) AS latest FROM live

SELECT any_value(id ORDER BY node DESC, stream, rotated, line) AS a, arbitrary(category ORDER BY category) AS c FROM logs

SELECT string_agg(DISTINCT category, ',' ORDER BY category) AS categories FROM logs

SELECT string_agg(DISTINCT node, '|' ORDER BY node DESC) AS nodes, string_agg(node) FILTER (WHERE category = 'RARE') AS rare FROM live

SELECT string_agg(id, ';' ORDER BY node, stream, rotated, line) AS ids FROM logs WHERE category = 'SECURITY'

SELECT listagg(line, ' ' ORDER BY line) AS lines, group_concat(line::VARCHAR, '' ORDER BY line DESC) AS glued FROM live WHERE node = 'cedar'

SELECT md5(string_agg(coalesce(message, '-'), '/' ORDER BY node, stream, rotated, line)) AS digest FROM logs

SELECT list(line ORDER BY line) AS l, list(node ORDER BY line DESC) AS n FROM live WHERE node = 'cedar'

SELECT list(DISTINCT category ORDER BY category NULLS FIRST) AS c, array_agg(DISTINCT stream ORDER BY stream) AS s FROM logs

SELECT list(category ORDER BY category)[1:3] AS c, len(list(line)) AS n, list_sum(list(line)) AS s FROM live

SELECT list_sort(list(DISTINCT version)) AS v, list_distinct(list(region)).list_sort() AS r FROM logs

SELECT list({id: id, line: line} ORDER BY node, stream, rotated, line)[1:2] AS s FROM logs WHERE id = 'mallory'

SELECT histogram(category) FROM logs

SELECT histogram(line % 10) AS h, map_keys(histogram(stream)) AS k, histogram(node)['alder'] AS alder FROM live

SELECT histogram(line, [0, 10, 100, 1000]) AS bins, histogram_exact(category, ['INFO', 'RARE']) AS some FROM logs

SELECT cardinality(histogram(id)) AS different_ids, list_max(map_values(histogram(id))) AS most FROM logs

SELECT median(line), quantile_cont(line, 0.9), quantile_disc(line, 0.9), quantile_cont(line, [0.25, 0.5, 0.75]), quantile_disc(line, [0.1, 0.99]) FROM logs

SELECT quantile_disc(id, 0.5), quantile_disc(category, 0.9), median(ts), quantile_cont(ts, 0.25), quantile_disc(ts, 0.75) FROM logs

SELECT quantile(line, 0.3), quantile_cont(line, 0) AS least, quantile_cont(line, 1) AS most, percentile_cont(0.5) WITHIN GROUP (ORDER BY line DESC) AS mid, percentile_disc(0.1) WITHIN GROUP (ORDER BY line) AS low FROM live

SELECT mad(line), mad(length(message)), mad(ts) FROM logs

SELECT mode(category), mode(node), mode(stream), mode(version) FROM logs

SELECT mode(line) FROM live WHERE category = 'RARE'

SELECT entropy(category), entropy(node), entropy(id), entropy(line) FROM logs

SELECT approx_count_distinct(id), approx_count_distinct(category), approx_count_distinct(message), approx_count_distinct(line) FROM logs

SELECT approx_count_distinct(id) = approx_count_distinct(id) FILTER (WHERE true) AS same, approx_count_distinct(ts) FILTER (WHERE node = 'nowhere') AS none FROM live

SELECT count(DISTINCT id), count(DISTINCT message), count(DISTINCT category), count(DISTINCT ts), count(DISTINCT (node, stream)) FROM logs

SELECT count(DISTINCT id) - count(DISTINCT lower(id)) AS lost, count(DISTINCT id) * 1.0 / count(id) AS unique_ratio, count(DISTINCT line % 2) AS two FROM live

SELECT sum(DISTINCT line), avg(DISTINCT line), count(DISTINCT line), max(DISTINCT line), list(DISTINCT line ORDER BY line)[1:5] FROM logs

SELECT sum(DISTINCT line) FILTER (WHERE category = 'ERROR') AS s, count(DISTINCT id) FILTER (WHERE id <> '') AS c, stddev(DISTINCT line) AS d FROM live

SELECT product(1 + line / 1000000.0) AS p FROM logs

SELECT product(2) AS p FROM archive WHERE category = 'SECURITY'

SELECT geomean(line + 1) AS g FROM logs

SELECT sum(line / 3) AS s, avg(line / 7) AS a, sum(line::DOUBLE * 0.1) AS d, sum(line::FLOAT) AS f FROM logs

SELECT fsum(line * 0.1::DOUBLE), kahan_sum(line * 0.1::DOUBLE), sumkahan(line / 3), favg(line / 3) FROM logs

SELECT wavg(line, length(message)) AS w, weighted_avg(length(message), line) AS v FROM logs WHERE message IS NOT NULL

SELECT sum(try_cast(extra->>'ms' AS BIGINT)) AS ms, avg(try_cast(extra->>'ms' AS DOUBLE)) AS mean, max(try_cast(extra->>'ms' AS DOUBLE)) AS most FROM logs

SELECT sum(try_cast(extra->>'big' AS HUGEINT)) FROM logs WHERE try_cast(extra->>'big' AS HUGEINT) BETWEEN -10000000000000000000 AND 10000000000000000000

SELECT min(try_cast(extra->>'big' AS HUGEINT)), max(try_cast(extra->>'big' AS HUGEINT)), count(try_cast(extra->>'big' AS BIGINT)) FROM logs

SELECT sum(try_cast(extra->>'amount' AS DECIMAL(10, 2))) AS total, avg(try_cast(extra->>'amount' AS DECIMAL(10, 2))) AS mean, max(try_cast(extra->>'amount' AS DECIMAL(10, 2))) AS most FROM logs

SELECT max(try_cast(extra->>'huge' AS DOUBLE)), min(try_cast(extra->>'huge' AS DOUBLE)), sum(try_cast(extra->>'huge' AS DOUBLE)) FROM logs

SELECT sum(line::TINYINT) AS t, sum(line::SMALLINT) AS s, sum(line::UBIGINT) AS u, sum(line::HUGEINT) AS h, typeof(sum(line::TINYINT)) AS type FROM live WHERE line < 128

SELECT typeof(sum(line)), typeof(avg(line)), typeof(count(*)), typeof(max(ts)), typeof(sum(line::DOUBLE)), typeof(sum(line::DECIMAL(9, 2))), typeof(list(id)), typeof(histogram(category)) FROM logs

SELECT avg(ts) AS middle, avg(ts)::DATE AS day FROM logs

SELECT avg(ts::TIMESTAMP) AS a, avg(ts - TIMESTAMPTZ '2026-11-20 00:00:00+00') AS lag, max(ts - TIMESTAMPTZ '2026-11-20 00:00:00+00') AS late FROM logs

SELECT sum(epoch_us(ts - TIMESTAMPTZ '2026-11-20 00:00:00+00')) AS total, to_microseconds(sum(epoch_us(ts - TIMESTAMPTZ '2026-11-20 00:00:00+00'))::BIGINT) AS span FROM live

SELECT avg(epoch(ts::TIMESTAMP::TIME)) AS t, max(ts::TIMESTAMP::TIME) AS m, min(ts::DATE) AS d, max(ts::DATE) AS e FROM live

SELECT avg(rotated - ts) AS delay, min(rotated - ts) AS least, count(rotated - ts) AS n FROM logs

SELECT max(rotated) AS r, min(batch) AS b, count(batch) AS n, count(DISTINCT batch) AS d FROM logs

SELECT upper(max(category)) AS u, length(string_agg(DISTINCT node, '' ORDER BY node)) AS l, max(category)[1:2] AS c FROM logs

SELECT round(sqrt(sum(line)), 6) AS r, ln(count(*)) AS l, greatest(min(line), max(length(id))) AS g, coalesce(min(malformed), 'x') AS m FROM logs

SELECT {n: count(*), top: max(line)} AS s, [min(line), max(line)] AS l, map {'c': count(*)} AS m FROM live

SELECT [count(*), count(ts)][2] AS second, {n: count(*)}.n AS n, row(count(*), max(id)) AS r FROM archive

SELECT struct_pack(errors := count(*) FILTER (WHERE category = 'ERROR'), total := count(*)) AS s FROM logs

SELECT list_transform(list(DISTINCT stream ORDER BY stream), lambda s: upper(s)) AS l FROM logs

SELECT list_filter(list(line ORDER BY line), lambda x: x > 370) AS l FROM logs

SELECT 'n=' || count(*) AS a, concat(min(node), '..', max(node)) AS b, format('{} of {}', count(ts), count(*)) AS c, printf('%d', count(*)) AS d FROM logs

SELECT to_json(list(DISTINCT region ORDER BY region)) AS j, json_object('n', count(*), 'max', max(line)) AS o FROM logs

SELECT count(*)::VARCHAR AS v, sum(line)::DOUBLE AS d, avg(line)::INTEGER AS i, max(ts)::DATE AS day, count(*)::UTINYINT AS small FROM live WHERE node = 'cedar'

SELECT count(*) AS n, n + 1 AS more, more * 2 AS twice FROM logs

SELECT max(line) AS line, min(line) AS low FROM logs

SELECT sum(line) AS line FROM logs WHERE line > 100

SELECT count(*) AS count, sum(line) AS sum, max(line) AS max FROM live

SELECT max(greatest(line, length(id))), min(least(line, length(id))), sum(coalesce(length(id), 0)) FROM logs

SELECT sum((category = 'ERROR')::INTEGER) AS a, count_if(category = 'ERROR') AS b, countif(line > 100) AS c, sum(category = 'ERROR') AS d FROM logs

SELECT max(category = 'ERROR') AS m, min(line > 5) AS n, avg((line > 50)::INTEGER) AS share FROM live

SELECT max((category, node)) AS m, min([line, length(message)]) AS l FROM logs WHERE category IS NOT NULL AND message IS NOT NULL

SELECT max({l: line, n: node}) AS s, min({l: line, n: node}) AS t FROM archive

SELECT count(*) FROM logs GROUP BY ()

SELECT count(*), sum(line) FROM live WHERE false GROUP BY ()

SELECT 1 AS one, 'x' AS x, count(*) AS n, 2 * 3 AS six FROM logs

SELECT count(*) FROM logs WHERE 1 = 1 AND NULL IS NULL

SELECT 42 AS answer FROM logs WHERE false HAVING count(*) = 0

SELECT DISTINCT count(*) FROM live

SELECT count(*) FROM logs LIMIT 0

SELECT count(*) FROM logs LIMIT 1 OFFSET 1

SELECT count(*) FROM logs LIMIT 5

SELECT sum(n) AS total, max(n) AS most, count(*) AS groups FROM (SELECT category, count(*) AS n FROM logs GROUP BY category)

SELECT avg(n) AS mean, stddev_pop(n) AS spread, median(n) AS mid FROM (SELECT id, count(*) AS n FROM logs WHERE id IS NOT NULL GROUP BY id)

SELECT max(s) - min(s) AS gap FROM (SELECT node, sum(line) AS s FROM live GROUP BY node)

SELECT (SELECT count(*) FROM live) AS live, (SELECT count(*) FROM archive) AS archive, (SELECT count(*) FROM logs) AS logs

SELECT (SELECT count(*) FROM live) + (SELECT count(*) FROM archive) = (SELECT count(*) FROM logs) AS adds_up

SELECT count(*) FROM logs WHERE line > (SELECT avg(line) FROM logs)

SELECT count(*), (SELECT max(line) FROM archive) AS top FROM live

SELECT sum(line) FILTER (WHERE line > (SELECT avg(line) FROM archive)) AS s FROM live

SELECT count(*) FROM live, archive WHERE live.id = archive.id AND live.id <> ''

SELECT count(*) FROM (SELECT DISTINCT id, node FROM logs)

SELECT count(*), sum(line) FROM (SELECT line FROM logs ORDER BY line DESC, node, stream, rotated LIMIT 100)

SELECT count(*) FROM (SELECT * FROM live UNION ALL SELECT * FROM archive)

SELECT count(*), count(DISTINCT node) FROM logs WHERE node LIKE 'nowhere%' OR line < 0

SELECT median(length(message)) FILTER (WHERE category = 'INFO') AS a, quantile_cont(line, 0.99) FILTER (WHERE node = 'cedar') AS b, quantile_cont(line, 0.99) FILTER (WHERE node = 'nowhere') AS c FROM live

SELECT sum(line ORDER BY line) AS s, avg(line ORDER BY id DESC) AS a, max(line ORDER BY node) AS m FROM logs

SELECT max(line) OVER () AS m FROM live WHERE category = 'RARE'

SELECT reduce(list(line ORDER BY line), lambda a, x: (a * 31 + x) % 1000003) AS folded FROM archive

SELECT list_aggregate(list(line), 'sum') AS s, list_aggregate(list(line), 'min') AS m, list_unique(list(id)) AS u FROM logs

SELECT json_group_array(line) AS one FROM live WHERE category = 'RARE'

SELECT bool_and(sum_ok) AS ok FROM (SELECT node, sum(line) > 0 AS sum_ok FROM logs GROUP BY node)

SELECT min(ts) FILTER (WHERE ts > TIMESTAMPTZ '2026-11-21 12:00:00+00') AS after, max(ts) FILTER (WHERE ts < TIMESTAMPTZ '2026-11-21 12:00:00+00') AS before, count(*) FILTER (WHERE ts = TIMESTAMPTZ '2026-11-21 12:00:00+00') AS noon FROM logs

SELECT count(*) FILTER (WHERE extra->>'level' = 'ERROR') AS e, sum(try_cast(extra->>'ms' AS DOUBLE)) FILTER (WHERE extra->>'user' = 'u7') AS u7, count(extra->'ms') AS with_ms FROM logs

SELECT max(text), min(length(text)), count(DISTINCT malformed), mode(malformed) FROM logs WHERE malformed IS NOT NULL

SELECT sum(hash(message) % 1000) AS checksum, bit_xor(hash(node, stream, rotated, line)) AS x FROM logs

SELECT sum(l.line) AS s, count(l.*) AS n FROM logs AS l

SELECT count(DISTINCT l) AS different FROM live l

SELECT COUNT(*) AS "N", Sum("line") AS "Sum", MAX("LINE") AS "M" FROM LOGS

SELECT avg(line) - median(line) AS tilt, (max(line) + min(line)) / 2 AS centre, stddev_pop(line) / avg(line) AS cv FROM logs

SELECT sqrt(avg(line * line) - avg(line) ** 2) AS sd, exp(avg(ln(line))) AS geo FROM logs

SELECT count(*) IN (0, 3000) AS is_known, count(*) BETWEEN 1 AND 10000 AS is_some, sum(line) IS NULL AS no_sum, max(id) LIKE '%-%' AS dash FROM logs

SELECT count(x) AS n, sum(x) AS s FROM (SELECT NULL::INTEGER AS x FROM logs)

SELECT sum(NULL::BIGINT), max(NULL::VARCHAR), avg(NULL::DOUBLE), count(NULL), list(NULL::INTEGER) IS NULL, min(1), max('c'), sum(1), avg(2), string_agg('x', '' ORDER BY 1) FROM live WHERE node = 'cedar'

SELECT min(node COLLATE NOCASE), max(upper(node)), min(strip_accents(node)) FROM logs
