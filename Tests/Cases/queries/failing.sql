SELECT CAST(extra->>'ms' AS BIGINT) FROM logs

SELECT sum(CAST(extra->>'ms' AS BIGINT)) FROM logs

SELECT node, avg((extra->>'ms')::DOUBLE) FROM logs GROUP BY node

SELECT count(*) FROM logs WHERE (extra->>'ms')::DOUBLE > 5

SELECT sum(CAST(extra->>'ms' AS DOUBLE)) FILTER (WHERE extra->>'user' = 'u7') FROM logs

SELECT node FROM live GROUP BY node HAVING max(CAST(extra->>'ms' AS DOUBLE)) > 1

SELECT CAST(extra->>'ms' AS DOUBLE) AS k, count(*) FROM logs GROUP BY k

SELECT sum(CASE WHEN category = 'RARE' THEN message::INTEGER ELSE 0 END) FROM logs

SELECT node, sum(CASE WHEN category = 'RARE' THEN message::INTEGER ELSE 0 END) FROM live GROUP BY node

SELECT max(line::TINYINT) FROM logs

SELECT sum(line::UTINYINT) FROM live

SELECT sum((300 - line)::UBIGINT) FROM logs

SELECT max(line * 9223372036854775807) FROM logs

SELECT sum(line * 90000000000000000) FROM logs

SELECT sum(170141183460469231731687303715884105727::HUGEINT) FROM logs

SELECT sum(line::HUGEINT * 170141183460469231731687303715884105727::HUGEINT) FROM live

SELECT sum(9e37::DECIMAL(38, 0)) FROM logs

SELECT sum(line)::SMALLINT FROM logs

SELECT count(*)::TINYINT FROM live

SELECT max(factorial(line::INTEGER)) FROM logs

SELECT max(ln(line - 1)) FROM logs

SELECT max(sqrt(line - 3)) FROM logs

SELECT stddev(try_cast(extra->>'huge' AS DOUBLE) * 10) FROM logs

SELECT var_pop(CASE WHEN category = 'RARE' THEN 1e300 ELSE line END) FROM logs

SELECT exp(line * 1000)::DECIMAL(10, 2) FROM logs

SELECT max(message::DATE) FROM logs

SELECT count(service::INTEGER) FROM live

SELECT category::ENUM ('INFO', 'WARN') AS e, count(*) FROM logs GROUP BY e

SELECT count(DISTINCT id::UUID) FROM logs

SELECT max(text::JSON) FROM logs

SELECT count(version::INTEGER) FROM logs

SELECT max(service::BLOB) FROM logs

SELECT bool_and(category::BOOLEAN) FROM logs

SELECT max(strptime(message, '%Y-%m-%d')) FROM logs

SELECT max(ts + to_years(line::INTEGER * 1000000)) FROM logs

SELECT max(make_date(2026, 11, line::INTEGER)) FROM live

SELECT date_trunc('fortnight', ts) FROM logs

SELECT date_part('bogus', ts) FROM logs

SELECT time_bucket(INTERVAL '0 days', ts), count(*) FROM logs GROUP BY 1

SELECT count(*) FROM logs WHERE regexp_matches(message, '(')

SELECT format('{:d}', category) FROM logs

SELECT max(chr(-line::INTEGER)) FROM logs

SELECT (SELECT id FROM logs) AS id

SELECT node FROM live l WHERE line = (SELECT line FROM archive a WHERE a.node = l.node)

SELECT count(*) FROM logs WHERE line = 1 OR extra->>'ok' = 'true'

SELECT nothing FROM logs

SELECT count(nothing) FROM live

SELECT logs.nothing FROM logs

SELECT x.line FROM logs

SELECT part FROM logs

SELECT * FROM nowhere

SELECT category, count(*) FROM logs

SELECT category, line FROM logs GROUP BY category

SELECT node FROM logs GROUP BY node HAVING line > 5

SELECT node FROM logs GROUP BY node ORDER BY line

SELECT sum(message) FROM logs

SELECT avg(node) FROM logs

SELECT bool_and(node) FROM live

SELECT sum(ts) FROM logs

SELECT sum(rotated - ts) FROM logs

SELECT line + node FROM logs

SELECT node, count(*) FROM logs GROUP BY #1

SELECT count(*) AS logs, logs + 1 AS more FROM logs

SELECT count(*) FROM logs WHERE message > 5

SELECT count(*) FROM logs WHERE ts = 'not a time'

SELECT count(*) FROM logs WHERE line = 'abc'

SELECT count(*) FROM logs WHERE count(*) > 1

SELECT sum(count(*)) FROM logs

SELECT max(line) FROM logs GROUP BY max(line)

SELECT count(*) FROM logs WHERE row_number() OVER () = 1

SELECT node, count(*) FROM logs GROUP BY 3

SELECT node FROM logs ORDER BY 2

SELECT count(*) FROM logs GROUP BY 2

SELECT arg_max(id) FROM logs

SELECT quantile_cont(line, 1.5) FROM logs

SELECT quantile_cont(id, 0.5) FROM logs

SELECT max(line, -1) FROM logs

SELECT nosuchfunction(line) FROM logs

SELECT count(DISTINCT *) FROM logs

SELECT ntile(0) OVER (ORDER BY line) FROM logs

SELECT sum(line) OVER nowhere FROM logs

SELECT node FROM logs QUALIFY node = 'alder'

SELECT node FROM logs LIMIT -1

SELECT node FROM logs LIMIT 'x'

SELECT node FROM live UNION SELECT node, line FROM archive

SELECT node FROM live UNION ALL SELECT 1, 2

SELECT count(*) FROM live JOIN archive USING (nothing)

SELECT line FROM live, archive

SELECT node FROM live JOIN archive ON live.id = archive.id

SELECT * EXCLUDE (nothing) FROM logs

SELECT COLUMNS('zzz') FROM logs

SELECT x FROM logs a(x, x2, x3, x4, x5, x6, x7, x8, x9, x10, x11, x12, x13, x14, x15, x16, x17)

DESCRIBE nowhere

DESCRIBE SELECT nothing FROM logs

SUMMARIZE nowhere

WITH x AS (SELECT nothing FROM logs) SELECT count(*) FROM x

WITH RECURSIVE t AS (SELECT count(*) AS n FROM t) SELECT * FROM t

WITH a AS (SELECT 1), a AS (SELECT 2) SELECT * FROM a

SELECT (SELECT nothing FROM archive WHERE archive.id = live.id) FROM live

SELECT unnest(line) FROM logs

SELECT list_transform(line, lambda x: x) FROM logs

SELECT {a: line}.b FROM logs

SELECT grouping(node) FROM logs

SELECT node, grouping(stream) FROM logs GROUP BY ROLLUP (node)

SELECT count(*) FILTER (WHERE max(line) > 1) FROM logs

SELECT count(*) FILTER (WHERE line) FROM logs WHERE message::INTEGER = 1

SELECT node, unnest([1, 2]) AS u, count(*) FROM logs GROUP BY u, node

SELECT (extra::JSON).user AS u, count(*) FROM logs GROUP BY ALL ORDER BY count(*) DESC, u::VARCHAR

SELECT count(* FROM logs

SELECT FROM logs

SELEC count(*) FROM logs

SELECT count(*) FROM logs WHERE

SELECT count(*) FROM logs GROUP

SELECT 'unterminated FROM logs

SELECT count(*) FROM logs ORDER BY LIMIT 1

SELECT node node node FROM logs
