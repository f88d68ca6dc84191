SELECT service, upper(service) AS u, lower(service) AS l, reverse(service) AS r, length(service) AS n, strlen(service) AS bytes FROM logs GROUP BY service

SELECT substr(message, 1, 7) AS s, count(*) FROM logs GROUP BY s

SELECT left(id, 3) AS l, right(id, 1) AS r, count(*) FROM live GROUP BY ALL

SELECT string_agg(id, '' ORDER BY id)[1:40] AS s FROM archive

SELECT regexp_replace(message, '\d+', '#', 'g') AS shape, count(*) AS n FROM logs WHERE message LIKE '%request%' GROUP BY shape ORDER BY n DESC, shape

SELECT regexp_extract(message, 'took (\d+) ms', 1)::VARCHAR AS ms, count(*) AS n FROM logs GROUP BY ms ORDER BY n DESC, ms LIMIT 5

SELECT avg(try_cast(regexp_extract(message, 'took (\d+) ms', 1) AS INTEGER)) AS mean, max(try_cast(nullif(regexp_extract(message, 'took (\d+)', 1), '') AS INTEGER)) AS most FROM logs

SELECT split_part(message, ' ', 2) AS s, count(*) FROM logs GROUP BY s

SELECT concat_ws('/', region, zone, node, stream) AS path, count(*) FROM logs GROUP BY path

SELECT concat(category, '-', version) AS c, category || '-' || version AS d, count(*) FROM logs GROUP BY ALL

SELECT replace(service, '''', '"') AS s, trim(service, 'aeg') AS t, count(*) FROM live GROUP BY ALL

SELECT lpad(line::VARCHAR, 6, '0') AS p, rpad(node, 7, '.') AS r FROM live WHERE node = 'cedar'

SELECT md5(message) AS m, count(*) FROM logs GROUP BY m HAVING count(*) > 10

SELECT sha256(string_agg(message, '' ORDER BY message)) AS s FROM logs

SELECT max(length(message)), max(strlen(message)), sum(length_grapheme(message)), max(bit_length(service)) FROM logs

SELECT count(*) FILTER (WHERE message LIKE '%"hi"%') AS hi, count(*) FILTER (WHERE contains(message, '🦆')) AS duck, count(*) FILTER (WHERE instr(message, chr(9)) > 0) AS tab FROM logs

SELECT node, max(message) FILTER (WHERE length(message) < 60) AS m, min(message) FILTER (WHERE message <> '') AS n FROM logs GROUP BY node

SELECT strip_accents(service) AS s, count(*) FROM logs GROUP BY s ORDER BY s

SELECT levenshtein(service, 'gateway') AS d, jaccard(service, 'gateway') AS j, damerau_levenshtein(service, 'auth') AS l, count(*) FROM logs WHERE service <> '' GROUP BY ALL

SELECT translate(id, '0123456789', '##########') AS shape, count(*) FROM logs GROUP BY shape

SELECT format('{}:{:05d}', node, line) AS f, printf('%s-%d', stream, line) AS p FROM live WHERE node = 'cedar'

SELECT ascii(category) AS a, unicode(service) AS u, chr(ascii(category) + 1) AS c, count(*) FROM logs WHERE category <> '' GROUP BY ALL

SELECT to_base64(encode(service)) AS b, hex(service) AS h, count(*) FROM logs GROUP BY ALL

SELECT url_encode(service) AS u, count(*) FROM logs GROUP BY u

SELECT starts_with(id, 'req') AS r, suffix(id, '7') AS s, count(*) FROM logs GROUP BY ALL

SELECT string_agg(DISTINCT left(message, 4), '|' ORDER BY left(message, 4) DESC) AS s FROM logs WHERE message <> ''

SELECT text, repeat('=', line::INTEGER % 5) AS bar FROM logs WHERE malformed = 'invalid-utf8' AND node = 'alder'

SELECT message[1:4] AS m, message[-3:] AS t, array_extract(node, 1) AS c FROM logs WHERE line = 1

SELECT coalesce(nullif(trim(version), ''), 'none') AS v, count(*) FROM logs GROUP BY v ORDER BY v

SELECT string_split_regex(message, '[\[\] ]+')[2] AS c, count(*) = count(category) AS same FROM logs WHERE category <> '' AND service IS NOT NULL GROUP BY c

SELECT CASE WHEN message LIKE 'auth%' THEN 'a' WHEN message ILIKE 'B%' THEN 'b' END AS k, sum(length(message)) FROM logs GROUP BY k

SELECT 'it''s "quoted" \ and ünï' AS s, E'tab\tand\nline' AS e, $$dollar 'quoted'$$ AS d, count(*) FROM live
