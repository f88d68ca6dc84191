PIVOT logs ON category IN ('INFO', 'ERROR', 'RARE') USING count(*) GROUP BY node

PIVOT (SELECT node, category, line FROM logs) ON category IN ('INFO', 'WARN', 'nope') USING sum(line)

PIVOT (SELECT node, category, line FROM live) ON category IN ('INFO', 'WARN') USING sum(line) AS s, count(*) AS n GROUP BY node ORDER BY node

SELECT * FROM logs PIVOT (count(*) FOR category IN ('INFO', 'ERROR', '') GROUP BY node, stream)

SELECT * FROM (SELECT node, category, line FROM archive) PIVOT (max(line) FOR category IN ('INFO' AS info, 'ERROR' AS error))

FROM (SELECT node, stream, line FROM logs) PIVOT (avg(line) FOR stream IN ('app', 'audit', 'gc log')) ORDER BY node

PIVOT (SELECT node, stream, category FROM logs) ON stream IN ('app', 'audit') USING count(*) GROUP BY category

WITH p AS (PIVOT (SELECT node, category FROM logs) ON category IN ('INFO', 'ERROR') USING count(*) GROUP BY node) SELECT node, "ERROR" * 100.0 / "INFO" AS ratio FROM p

PIVOT (SELECT ts::DATE AS d, node FROM logs) ON node IN ('alder', 'birch', 'cedar', 'doum', 'élan') USING count(*) GROUP BY d ORDER BY d

PIVOT (SELECT node, line % 2 AS odd, line FROM logs) ON odd IN (0, 1) USING list(line ORDER BY line)[1:2] GROUP BY node

SELECT sum("INFO"), max("WARN") FROM (PIVOT (SELECT node, category FROM live) ON category IN ('INFO', 'WARN') USING count(*) GROUP BY node)

SELECT * FROM (SELECT node, stream, version, line FROM live WHERE node <> 'alder') PIVOT (sum(line) FOR stream IN ('app', 'audit') version IN ('1', '2.0') GROUP BY node)

UNPIVOT (SELECT node, stream, line::VARCHAR AS line FROM live WHERE node = 'cedar') ON stream, line INTO NAME k VALUE v

UNPIVOT (SELECT count(ts) AS ts, count(id) AS id, count(extra) AS extra FROM logs) ON COLUMNS(*) INTO NAME col VALUE n

SELECT * FROM (SELECT node, service, category FROM logs WHERE line = 1) UNPIVOT (v FOR k IN (service, category))

SELECT k, count(*) FROM (SELECT node, id, version FROM logs) UNPIVOT INCLUDE NULLS (v FOR k IN (id, version)) GROUP BY k

SELECT k, count(*), count(DISTINCT v) FROM logs UNPIVOT (v FOR k IN (id, version, category)) GROUP BY k ORDER BY k

SELECT name, max(value) FROM (UNPIVOT (SELECT node, length(message) AS m, line FROM logs) ON m, line) GROUP BY name

UNPIVOT (SELECT node, min(line) AS low, max(line) AS high FROM live GROUP BY node) ON low, high INTO NAME which VALUE line ORDER BY node, which

SELECT node, unnest(['low', 'high']) AS which, unnest([min(line), max(line)]) AS v FROM logs GROUP BY node
