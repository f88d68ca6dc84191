SELECT extra->>'user' AS u, count(*) FROM logs GROUP BY u

SELECT extra->'ms' AS ms, json_type(extra->'ms') AS t FROM logs WHERE json_type(extra->'ms') NOT IN ('UBIGINT', 'BIGINT')

SELECT json_extract_string(extra, '$.geo.lat') AS lat, json_extract(extra, '$.geo.lon[0]') AS lon FROM logs WHERE json_exists(extra, '$.geo')

SELECT json_keys(extra) AS k, count(*) FROM logs GROUP BY k

SELECT k, count(*) FROM (SELECT unnest(json_keys(extra)) AS k FROM live) GROUP BY k ORDER BY k

SELECT e.key, e.type, count(*), count(DISTINCT e.value) FROM logs l, json_each(l.extra) AS e GROUP BY ALL

SELECT t.fullkey, count(*) FROM logs l, json_tree(l.extra) AS t WHERE l.extra LIKE '%deep%' GROUP BY t.fullkey

SELECT json_array_length(extra, '$.tags') AS n, count(*) FROM logs GROUP BY n

SELECT extra->'tags'->>0 AS tag, count(*) FROM logs GROUP BY tag

SELECT extra->>['user', 'ms'] AS pair, count(*) FROM logs WHERE node = 'élan' GROUP BY pair HAVING count(*) > 1

SELECT (extra->>'$.lvl') IS NULL AS a, (extra->>'a') AS first_of_duplicates FROM logs WHERE (extra->>'a') IS NOT NULL

SELECT extra->>'' AS no_key, extra->>'quote"d' AS q, extra->>'ключ' AS k, extra->>'a.b' AS dotted, extra->'$."a.b"' AS path FROM logs WHERE extra LIKE '%ключ%'

SELECT extra->'$.deep.deep.deep[0][0][0]' AS one, extra->'$..x' AS x, extra->>'esc' AS e FROM logs WHERE extra LIKE '%deep%' OR extra LIKE '%esc%'

SELECT sum((extra->>'amount')::DECIMAL(12, 2)) AS s, avg((extra->>'ratio')::DOUBLE) AS a, max((extra->'geo'->>'lat')::DOUBLE) AS m FROM logs

SELECT category, sum(try_cast(extra->>'ms' AS DOUBLE)) AS ms, median(try_cast(extra->>'ms' AS DOUBLE)) AS med, stddev_pop(try_cast(extra->>'ms' AS DOUBLE)) AS sd FROM logs GROUP BY category

SELECT node, count(*) FILTER (WHERE extra->>'ok' = 'false') AS bad, count(*) FILTER (WHERE (extra->>'ok')::BOOLEAN) AS ok FROM live GROUP BY node

SELECT bool_and((extra->>'ok')::BOOLEAN) AS a, bool_or((extra->>'ok')::BOOLEAN) AS o FROM logs

SELECT min(extra->>'ms'), max(extra->>'ms'), min(extra->'ms'), count(extra->'ms'), count(extra->>'ms') FROM logs

SELECT extra->>'big' AS b, typeof(extra->'big') AS t FROM logs WHERE extra LIKE '%"big":%' ORDER BY b LIMIT 5

SELECT count(*) FROM logs WHERE json_contains(extra, '{"user":"u7"}') OR json_contains(extra, '"t1"')

SELECT json_object('node', node, 'n', count(*), 'max', max(line)) AS j FROM logs GROUP BY node

SELECT json_array(min(line), max(line), min(id)) AS a, to_json({a: count(*), b: [max(ts)]}) AS b FROM logs

SELECT json_merge_patch(extra, '{"ms":null,"x":1}') AS m FROM logs WHERE id = 'mallory'

SELECT json_structure(extra) AS s, count(*) FROM live GROUP BY s

SELECT (extra::JSON).user AS u, count(*) FROM logs GROUP BY u ORDER BY count(*) DESC, u::VARCHAR LIMIT 4

SELECT from_json(extra, '{"ms":"VARCHAR","user":"VARCHAR","tags":"JSON"}') AS s FROM logs WHERE id = 'mallory'

SELECT json_transform(extra, '{"level":"VARCHAR"}').level AS l, count(*) FROM logs GROUP BY l

SELECT json_valid(extra) AS v, json_valid(text) AS t, json_valid(message) AS m, count(*) FROM logs GROUP BY ALL

SELECT 'u7' = extra->>'user' AND category IN ('ERROR', 'WARN') AS odd, count(*) FROM logs GROUP BY odd

SELECT json_pretty(extra) AS p FROM logs WHERE id = 'mallory' AND node = 'cedar'

SELECT string_agg(extra->>'user', ',' ORDER BY extra->>'user', line) FILTER (WHERE category = 'SECURITY') AS s FROM live

SELECT extra->>'user' AS u, arg_max(extra->>'level', length(extra->>'level')) AS l, max(try_cast(extra->>'ms' AS BIGINT)) AS m FROM logs WHERE (extra->>'user') IN ('u1', 'u2', 'u3', 'mallory') GROUP BY u

SELECT json(extra) AS compact, count(*) FROM logs WHERE extra LIKE '{ %' GROUP BY compact ORDER BY count(*) DESC, compact::VARCHAR LIMIT 3
