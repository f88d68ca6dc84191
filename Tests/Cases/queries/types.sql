SELECT sum(line::HUGEINT * 1000000000000000000) AS s, max(line::HUGEINT * 10000000000000000000) AS m FROM logs

SELECT sum(line * 9000000000000000) AS s FROM live

SELECT sum(try_cast(extra->>'big' AS DECIMAL(38, 0))) AS s FROM logs WHERE length(extra->>'big') < 22

SELECT sum(line::DECIMAL(9, 3) / 7) AS a, sum(line::DECIMAL(18, 4)) AS b, avg(line::DECIMAL(9, 3)) AS c, max(line::DECIMAL(38, 10)) AS d FROM logs

SELECT typeof(sum(line::DECIMAL(9, 3))) AS a, typeof(avg(line::DECIMAL(9, 3))) AS b, typeof(max(line::DECIMAL(9, 3))) AS c, typeof(sum(line::UHUGEINT)) AS d, typeof(sum(line::FLOAT)) AS e FROM live

SELECT sum(line * 0.1) AS exact, sum(line * 1e-1) AS double, sum(line) * 0.1 AS after FROM logs

SELECT sum(line::UHUGEINT) AS u, sum(line::UTINYINT % 3) AS t, sum((line % 100)::TINYINT) AS s FROM live WHERE line < 250

SELECT sum(line::BIGNUM * 100000000000000000000000000000000000000000::BIGNUM) AS s FROM logs

SELECT avg(line::HUGEINT) AS h, avg(line::FLOAT) AS f, avg(line::USMALLINT) AS u FROM logs

SELECT min(line::DOUBLE), max('nan'::DOUBLE), max(CASE WHEN category = 'RARE' THEN 'nan'::DOUBLE ELSE line END) AS nan, min(CASE WHEN category = 'RARE' THEN '-inf'::DOUBLE ELSE line END) AS inf FROM logs

SELECT sum(CASE WHEN category = 'RARE' THEN 'inf'::DOUBLE ELSE line END) AS s, avg(CASE WHEN category = 'RARE' THEN 'nan'::DOUBLE ELSE line END) AS n FROM logs

SELECT 1 / 0 AS a, line / 0 AS b, line // 0 AS c, line % 0 AS d, 0.0::DOUBLE / 0 AS e FROM live WHERE node = 'cedar'

SELECT sum(line) / count(*) FILTER (WHERE category = 'nope') AS inf, sum(line) // count(*) FILTER (WHERE category = 'nope') AS none FROM logs

SELECT max(ts::TIMESTAMP::TIME) AS t, min(ts::TIMETZ) AS z, max(ts::TIMETZ) AS y FROM logs

SELECT ts::TIMETZ AS z, count(*) AS n FROM logs GROUP BY z HAVING count(*) > 3

SELECT max(to_days(line::INTEGER)) AS a, min(to_months(line::INTEGER)) AS b, avg(INTERVAL 1 HOUR * line) AS c FROM logs

SELECT to_days((line % 60)::INTEGER) AS i, count(*) FROM logs GROUP BY i ORDER BY i LIMIT 40

SELECT INTERVAL '30 days' = INTERVAL '1 month' AS same, max(CASE WHEN line % 2 = 0 THEN INTERVAL '30 days' ELSE INTERVAL '29 days' END) AS m FROM live

SELECT category::ENUM ('INFO', 'WARN', 'ERROR') AS e, count(*) FROM logs WHERE category IN ('INFO', 'WARN', 'ERROR') GROUP BY e ORDER BY e

SELECT try_cast(category AS ENUM ('WARN', 'INFO')) AS e, max(line) FROM logs GROUP BY e ORDER BY e NULLS FIRST

SELECT max(category::ENUM ('INFO', 'DEBUG')) AS m, min(category::ENUM ('INFO', 'DEBUG')) AS n FROM live WHERE category IN ('INFO', 'DEBUG')

SELECT encode(service) AS b, octet_length(encode(service)) AS n, count(*) FROM logs GROUP BY ALL

SELECT max(encode(message)) AS m, min(id::BLOB) AS i FROM logs WHERE id LIKE 'req%' AND length(message) < 60

SELECT md5(id)::UUID AS u, count(*) AS n FROM logs WHERE category = 'SECURITY' GROUP BY u ORDER BY u

SELECT max(md5(message)::UUID) AS m, count(DISTINCT md5(id)::UUID) AS n FROM logs

SELECT line::BIT AS b, bit_count(line) AS c, line & 7 AS a, line | 1 AS o, xor(line, 5) AS x, line << 2 AS l FROM live WHERE node = 'cedar'

SELECT bit_or(line::INTEGER::BIT) AS o, bit_and(line::INTEGER::BIT) AS a, bit_xor(line::INTEGER::BIT) AS x FROM logs

SELECT bit_and(line::UBIGINT), bit_or(line::HUGEINT), bit_xor(line::UTINYINT) FROM live WHERE line < 200

SELECT bool_and((line % 2)::BOOLEAN) AS a, sum((line % 2)::BOOLEAN::INTEGER) AS s, count(DISTINCT (line > 10)) AS d FROM logs

SELECT line::VARCHAR AS v, line::DOUBLE AS d, line::DECIMAL(10, 3) AS c, line::FLOAT AS f FROM live WHERE node = 'cedar'

SELECT max(line::VARCHAR) AS m, min(line::VARCHAR) AS n, max(line)::VARCHAR AS o FROM logs

SELECT union_value(n := line) AS u FROM live WHERE node = 'cedar'

SELECT max((line, node)::STRUCT(l BIGINT, n VARCHAR)).n AS n FROM logs

SELECT list(line::UTINYINT ORDER BY line) AS l, [min(ts)::DATE, max(ts)::DATE] AS d FROM live WHERE node = 'cedar'

SELECT product(line::DECIMAL(4, 0)) AS p, geomean(line::DECIMAL(6, 1)) AS g, stddev(line::DECIMAL(6, 1)) AS s FROM live WHERE node = 'cedar'

SELECT median(line::DECIMAL(6, 2)), median(line::FLOAT), quantile_disc(line::UTINYINT, 0.5), mad(line::DECIMAL(6, 2)), mode(region::ENUM ('eu-west', 'us-east', 'ap-south')) FROM live WHERE line < 200

SELECT approx_count_distinct(line::DOUBLE), approx_count_distinct(ts::DATE), approx_count_distinct([node]), approx_count_distinct({n: node}) FROM logs

SELECT round(avg(line), 2)::DECIMAL(8, 2) AS r, floor(avg(line)) AS f, ceil(stddev(line)) AS c, trunc(-avg(line)) AS t, sign(min(line) - 2) AS s FROM logs

SELECT version::INTEGER AS v, count(*) FROM logs WHERE version IN ('1', '10') GROUP BY v

SELECT try_cast(version AS DECIMAL(4, 1)) AS v, count(*) FROM logs GROUP BY v ORDER BY v

SELECT TRY(CAST(extra->>'ms' AS SMALLINT)) AS v, count(*) FROM logs GROUP BY v ORDER BY 2 DESC, 1 LIMIT 4

SELECT max(hash(id)) AS h, min(hash(node, line)) AS g, sum(hash(message)) AS s FROM logs

SELECT 170141183460469231731687303715884105727::HUGEINT - max(line) AS h, 18446744073709551615::UBIGINT AS u, -9223372036854775808 + min(line) AS b FROM live

SELECT max(1e308 + line) AS m, sum(5e-324 * (line % 2)) AS tiny, max(0.1 + 0.2) AS d FROM logs

SELECT CAST(max(ts) AS DATE) - CAST(min(ts) AS DATE) AS days, DATE '2026-11-23' - max(ts)::DATE AS left_days FROM logs
