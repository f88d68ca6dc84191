SELECT count(*) FROM range(10000000000) a, range(1000) b WHERE hash(a.range + b.range) = 1
SELECT count(*) FROM range(100000000000)
WITH RECURSIVE a AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM a) SELECT max(n) FROM a
WITH RECURSIVE a AS (SELECT 1 AS n UNION ALL SELECT n FROM a, range(2)) SELECT count(*) FROM a
SELECT repeat('x', 4000000000)
SELECT length(repeat('x', 1000000000)) + length(repeat('y', 1000000000)) + length(repeat('z', 1000000000))
SELECT list(repeat('x', 1000000)) FROM range(100000)
SELECT string_agg(repeat('x', 100000), ',') FROM range(1000000)
SELECT len(range(10000000000))
SELECT list_transform(range(100000000), lambda x: range(100000000))
SELECT count(DISTINCT hash(range)) FROM range(1000000000)
SELECT range, repeat('x', 1000) FROM range(100000000) ORDER BY hash(range)
SELECT * FROM range(1000000000)
SELECT repeat('x', 1000000) FROM range(100000)
SELECT regexp_matches(repeat('a', 1000000), '(a+)+(a+)+(a+)+$b') FROM range(1000000)
SELECT regexp_replace(repeat('a', 100000), '(.*)(.*)(.*)', '\1\1\2', 'g') FROM range(100000)
SELECT levenshtein(repeat('a', 100000), repeat('b', 100000))
SELECT count(*) FROM range(1000000) a JOIN range(1000000) b ON a.range <> b.range
SELECT factorial(33) * factorial(33)
SELECT generate_series(TIMESTAMP '0001-01-01', TIMESTAMP '9999-01-01', INTERVAL 1 MICROSECOND)
SELECT lpad('', 2000000000, 'x')
SELECT printf('%2000000000d', 1)
SELECT bitstring('1', 2000000000)
SELECT map_from_entries(list_zip(range(50000000), range(50000000)))
SELECT json_structure('[' || repeat('[', 10000000) || repeat(']', 10000000) || ']')
SELECT sum(a.range) OVER (ORDER BY a.range ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) FROM range(1000000000) a
SELECT quantile_cont(range, 0.5) FROM range(1000000000)
