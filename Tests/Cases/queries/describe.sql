DESCRIBE logs

DESCRIBE live

DESCRIBE archive

DESCRIBE SELECT count(*), sum(line), avg(line), max(ts), list(id), histogram(category) FROM logs

DESCRIBE SELECT node, sum(line) / count(*) AS r, sum(line::DECIMAL(9, 2)) AS d, median(ts) AS m FROM live GROUP BY node

SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM logs) WHERE column_type <> 'VARCHAR'

SELECT count(*) FROM (DESCRIBE logs)

DESCRIBE SELECT line, line, node AS "a b" FROM logs

DESCRIBE WITH x AS (SELECT node, count(*) AS n FROM logs GROUP BY node) SELECT * FROM x

DESCRIBE SELECT extra->'ms', extra->>'ms', {a: line}, [ts], map {'a': 1} FROM logs

SELECT column_name, column_type, min, max, count, null_percentage FROM (SUMMARIZE logs)

SELECT column_name, min, max, approx_unique, count, null_percentage FROM (SUMMARIZE live)

SELECT column_name, avg, count FROM (SUMMARIZE archive) WHERE column_name = 'line'

SELECT column_name, min, max, null_percentage FROM (SUMMARIZE SELECT line, ts, category FROM logs WHERE node = 'cedar')

SELECT column_name, min, max FROM (SUMMARIZE SELECT node, count(*) AS n FROM logs GROUP BY node)

SELECT max(approx_unique) AS m, sum(count) AS s FROM (SUMMARIZE logs)

DESCRIBE FROM logs SELECT ts, node

DESCRIBE VALUES (1, 'a')
