SELECT node, list_transform(list(line ORDER BY line), lambda x: x * 2)[1:3] AS l FROM logs GROUP BY node

SELECT list_filter([category, service, version], lambda x: x IS NOT NULL) AS l, count(*) FROM logs GROUP BY l

SELECT [x * 2 FOR x IN list(line ORDER BY line) IF x > 370] AS l FROM live

SELECT list_reduce(list(line ORDER BY line), lambda a, b: (a + b) % 97) AS r FROM live

SELECT len(list(DISTINCT id)), list_unique(list(id)), len(list_distinct(list(id))), list_count(list(id)) FROM logs

SELECT list_sort(list(DISTINCT service), 'DESC', 'NULLS FIRST') AS a, list_reverse_sort(list(DISTINCT stream)) AS b, list_contains(list(category), 'RARE') AS c, list_position(list(DISTINCT node ORDER BY node), 'cedar') AS p FROM logs

SELECT node, list_intersect(list(DISTINCT category), ['INFO', 'RARE']).list_sort() AS l FROM logs GROUP BY node

SELECT list_has_any(list(node), ['birch']) AS a, list_has_all(list(node), ['alder', 'birch']) AS b FROM live

SELECT list_aggregate(list(line), 'stddev_pop') AS s, list_median(list(line)) AS m, list_avg(list(line)) AS a, list_min(list(id)) AS i, list_sum(list(line)) AS t FROM logs

SELECT flatten(list([line, line + 1] ORDER BY line)) AS f FROM live WHERE node = 'cedar'

SELECT list_zip(list(line ORDER BY line), list(node ORDER BY line)) AS z FROM live WHERE node = 'cedar'

SELECT array_to_string(list(DISTINCT node ORDER BY node), '+') AS s, list_slice(list(DISTINCT line ORDER BY line), -3, -1) AS tail FROM logs

SELECT list_concat(list(DISTINCT stream ORDER BY stream), ['x']) AS c, list_append(list(DISTINCT region ORDER BY region), NULL) AS a FROM logs

SELECT word, count(*) AS n FROM (SELECT unnest(string_split(message, ' ')) AS word FROM logs) GROUP BY word ORDER BY n DESC, word LIMIT 12

SELECT node, unnest([line, length(id)]) AS v FROM live WHERE line < 4

SELECT unnest({n: node, l: line}) FROM logs WHERE id = 'mallory'

SELECT unnest(list(DISTINCT category ORDER BY category)) AS c FROM logs

SELECT w, count(*) FROM (SELECT unnest(regexp_extract_all(message, 'u\d+')) AS w FROM logs) GROUP BY w

SELECT t.i, sum(l.line) FROM live l, unnest(range(l.line % 3)) AS t(i) GROUP BY t.i

SELECT s.node, s.line FROM (SELECT {node: node, line: line} AS s FROM logs WHERE category = 'RARE')

SELECT struct_extract(s, 'line') AS l, s['node'] AS n FROM (SELECT struct_pack(node := node, line := line) AS s FROM live WHERE node = 'cedar')

SELECT struct_insert({n: node}, c := count(*)) AS s FROM logs GROUP BY node

SELECT map_from_entries(list((node, n) ORDER BY node)) AS m FROM (SELECT node, count(*) AS n FROM logs GROUP BY node)

SELECT map(list(node ORDER BY node), list(n ORDER BY node))['doum'] AS d FROM (SELECT node, count(*) AS n FROM logs GROUP BY node)

SELECT map_keys(m) AS k, map_values(m) AS v, cardinality(m) AS c FROM (SELECT histogram(category) AS m FROM live)

SELECT map_entries(histogram(line % 3)) AS e, map_extract(histogram(line % 3), 1) AS one FROM logs

SELECT map_concat(map {'a': 1::BIGINT}, map {'n': count(*)}) AS m FROM logs

SELECT node, max([line, length(message)]) AS m, min({a: category, l: line}) AS s FROM live WHERE message IS NOT NULL AND category IS NOT NULL GROUP BY node

SELECT list_transform(list(line ORDER BY line)[1:4], lambda x, i: x * i) AS l FROM archive

SELECT list(s ORDER BY s) AS l FROM (SELECT DISTINCT {n: node, s: stream} AS s FROM archive WHERE node IN ('birch', 'cedar'))

SELECT list(l ORDER BY node) FROM (SELECT node, list(line ORDER BY line)[1:3] AS l FROM live GROUP BY node)

SELECT array_value(min(line), max(line)) AS a, array_distance([min(line), 0]::DOUBLE[2], [max(line), 0]::DOUBLE[2]) AS d FROM logs

SELECT list_value(category, service)::VARCHAR AS v, count(*) AS n FROM logs GROUP BY v

SELECT list_grade_up(list(line ORDER BY node, stream, rotated, line))[1] AS g FROM archive

SELECT generate_series(min(line), max(line), 100) AS s, range(count(*) // 1000) AS r FROM logs

SELECT list_cosine_similarity(list(line::DOUBLE ORDER BY node, stream, rotated, line), list(length(coalesce(message, ''))::DOUBLE ORDER BY node, stream, rotated, line)) AS c FROM logs

SELECT node, list_histogram(list(line % 2)) AS h, list_mode(list(region)) AS m, list_first(list(zone)) AS f FROM logs GROUP BY node
