SELECT node, line, id FROM logs WHERE category = 'RARE'

SELECT node, stream, rotated, line FROM live WHERE id = 'mallory' AND ts > TIMESTAMPTZ '2026-11-21 03:00:20+00'

SELECT id FROM logs WHERE category IS NULL AND malformed IS NULL

SELECT count(*) FROM logs WHERE category <> 'INFO'

SELECT count(*) FROM logs WHERE category IS DISTINCT FROM 'INFO'

SELECT count(*) FROM logs WHERE category IS NOT DISTINCT FROM NULL

SELECT count(*) FROM logs WHERE NOT (category = 'INFO' OR service = 'auth')

SELECT count(*) FROM logs WHERE (category = 'INFO') IS NOT TRUE

SELECT count(*) FROM logs WHERE (category = 'INFO' AND service = 'auth') IS NULL

SELECT node, count(*) FROM logs WHERE id IN ('mallory', '', 'req-1', NULL) GROUP BY node

SELECT count(*) FROM logs WHERE id NOT IN ('mallory', 'req-1')

SELECT count(*) FROM logs WHERE id NOT IN ('mallory', NULL)

SELECT count(*) FROM live WHERE line BETWEEN 10 AND 20 OR line NOT BETWEEN 5 AND 370

SELECT message FROM logs WHERE message LIKE '%100\%_done%' ESCAPE '\' AND line < 30

SELECT count(*) FROM logs WHERE message LIKE '% took % ms' AND message NOT ILIKE '%GATEWAY%'

SELECT count(*) FROM logs WHERE message SIMILAR TO '.*user u1\d did [0-2]'

SELECT count(*) FROM logs WHERE regexp_matches(message, '^\S+ \[(ERROR|WARN)\]') AND message ~ '.*request.*'

SELECT count(*) FROM logs WHERE service GLOB 'g*y' OR service ^@ 'bil' OR contains(service, '''')

SELECT count(*) FROM logs WHERE message = ''

SELECT node, line FROM logs WHERE message LIKE '%' || chr(10) || '%' AND service = '日本' AND line < 100

SELECT count(*) FROM logs WHERE service = 'Ünïcode-Dienst' OR category = 'Größe' OR node = 'élan'

SELECT count(*) FROM logs WHERE service COLLATE NOCASE = 'AUTH'

SELECT count(*) FROM logs WHERE ts >= TIMESTAMPTZ '2026-11-21 00:00:00+00' AND ts < TIMESTAMPTZ '2026-11-22 00:00:00+00'

SELECT count(*) FROM logs WHERE ts = '2026-11-21 12:00:00+00'

SELECT count(*) FROM logs WHERE ts::DATE = '2026-11-22' AND rotated IS NULL

SELECT count(*) FROM logs WHERE ts > rotated

SELECT count(*) FROM live WHERE ts NOT BETWEEN rotated - INTERVAL 1 DAY AND rotated

SELECT count(*) FROM logs WHERE rotated = TIMESTAMPTZ '2026-11-20 06:00:00+00' AND stream = 'gc log'

SELECT node, line, malformed, text FROM logs WHERE malformed = 'not-an-object'

SELECT count(*) FROM logs WHERE text LIKE '%\xff%' OR length(text) > 1000

SELECT count(*) FROM logs WHERE extra->>'level' = 'ERROR'

SELECT count(*) FROM logs WHERE (extra->>'ms')::VARCHAR = '7' OR (extra->'ok') = 'true'

SELECT count(*) FROM logs WHERE try_cast(extra->>'ms' AS DOUBLE) > 100 AND try_cast(extra->>'ms' AS DOUBLE) < 1000

SELECT count(*) FROM logs WHERE extra IS NOT NULL AND (extra->>'ms') IS NULL

SELECT count(*) FROM logs WHERE 'u7' = extra->>'user' AND category IN ('ERROR', 'WARN')

SELECT count(*) FROM logs WHERE line % 2 = 0 AND length(message) > 40 AND node <> 'alder'

SELECT count(*) FROM logs WHERE true

SELECT count(*) FROM logs WHERE false

SELECT * FROM logs WHERE NULL

SELECT count(*) FROM logs WHERE 1 = 0 OR line = 1

SELECT id FROM logs WHERE line = 1 AND node = 'birch'

SELECT node, id FROM live WHERE node = 'cedar' AND line >= 1

SELECT count(*) FROM archive WHERE node = 'birch' AND region = 'eu-west' AND zone LIKE '%-b'

SELECT count(*) FROM logs WHERE region = 'eu-west' AND node = 'doum'

SELECT count(*) FROM logs WHERE (node, stream) = ('alder', 'app')

SELECT count(*) FROM logs WHERE (node, line) IN (('alder', 1), ('doum', 2), ('cedar', 3))

SELECT count(*) FROM logs WHERE (line, node) > (370, 'a')

SELECT count(*) FROM logs WHERE {l: line, n: node} = {l: 1, n: 'birch'}

SELECT count(*) FROM logs WHERE CASE WHEN category = 'INFO' THEN line > 100 ELSE service = 'auth' END

SELECT count(*) FROM logs WHERE coalesce(category, service, message, malformed) IS NULL

SELECT count(*) FROM logs WHERE list_contains(['ERROR', 'WARN'], category) AND [line] <> [1]

SELECT count(*) FROM logs WHERE category = ANY (['ERROR', 'WARN'])

SELECT count(*) FROM logs WHERE line > ALL (SELECT line FROM archive)

SELECT batch, count(*) FROM logs WHERE batch IS NOT NULL AND batch < '4' GROUP BY batch

SELECT count(*) FROM logs WHERE batch IS NULL AND rotated IS NULL

SELECT line AS l FROM live WHERE l > 374

SELECT upper(node) AS node, line FROM logs WHERE node = 'alder' AND line = 1

SELECT count(*) FROM logs WHERE hash(id) % 3 = 1

SELECT count(*) FROM (SELECT * FROM logs WHERE category = 'ERROR') WHERE service = 'auth'

SELECT count(*) FROM logs AS l WHERE l.category = 'ERROR' AND l.line + 1 > 5 AND NOT l.node = 'cedar'

SELECT count(*) FROM logs WHERE 'u7' = (extra->>'user') AND category IN ('ERROR', 'WARN')

SELECT count(*) FROM logs WHERE line

-- Where there is no value, NOT of "not distinct" is true.
SELECT count(*) AS n FROM live WHERE NOT (service IS NOT DISTINCT FROM 'Auth' AND category IS NOT DISTINCT FROM 'INFO')

SELECT node, line FROM live WHERE NOT (rotated IS NOT DISTINCT FROM TIMESTAMP '2020-01-01' OR line > 100)

SELECT count(*) AS n FROM logs WHERE NOT (NOT (stream LIKE '%e') AND NOT (message IS DISTINCT FROM 'Auth'))

SELECT count(*) AS n FROM logs WHERE ts IS NOT DISTINCT FROM NULL

SELECT service, line FROM live WHERE service BETWEEN 'a' AND 'Z' COLLATE NOCASE
