CREATE OR REPLACE TABLE logs_all AS
WITH r AS (
  SELECT i,
    (i * 7919 + i * i * 31 + 11) % 1000003 AS a,
    (i * 104729 + i * i * 17 + 5) % 999983 AS b,
    (i * 15485863 + i * i * 13 + 7) % 999979 AS c,
    CASE WHEN i < 1800 THEN 0 WHEN i < 1803 THEN 2 WHEN i < 2303 THEN 3 WHEN i < 2603 THEN 4 ELSE 5 END AS part,
    i IN (100, 900, 1700, 1801, 1900, 2100, 2290, 2310, 2400, 2500, 2610, 2700, 2800) AS attack
  FROM range(3000) t(i)
), n AS (
  SELECT *,
    CASE WHEN part = 5 THEN i % 5 ELSE part END AS host,
    NOT attack AND i % 61 = 3 AS bad,
    CASE
      WHEN part <> 2 AND a % 11 = 4 THEN 'gc log'
      WHEN part <> 2 AND a % 5 = 1 THEN 'audit'
      ELSE 'app' END AS stream,
    CASE
      WHEN part IN (0, 3, 4) AND b % 4 = 0 THEN NULL
      WHEN part = 5 THEN TIMESTAMPTZ '2026-11-20 00:00:00+00' + to_hours(CAST(6 * (b % 3) AS INTEGER))
      ELSE TIMESTAMPTZ '2026-11-21 00:00:00+00' + to_hours(CAST(12 * (b % 3) AS INTEGER)) END AS rotated
  FROM r
), v AS (
  SELECT *,
    CASE
      WHEN bad THEN NULL
      WHEN i = 2001 THEN 'RARE'
      WHEN attack THEN 'SECURITY'
      WHEN c % 29 = 0 THEN NULL
      WHEN c % 97 = 1 THEN ''
      WHEN c % 10 < 6 THEN 'INFO'
      WHEN c % 10 = 6 THEN 'WARN'
      WHEN c % 10 = 7 THEN 'ERROR'
      WHEN c % 10 = 8 THEN 'DEBUG'
      WHEN c % 30 = 9 THEN 'SECURITY'
      ELSE 'Größe' END AS category,
    CASE
      WHEN bad THEN NULL
      WHEN attack THEN 'auth'
      WHEN i = 2650 THEN 'only-archive'
      WHEN c % 29 = 0 THEN NULL
      WHEN a % 23 = 0 THEN 'o''brien'
      WHEN a % 23 = 1 THEN 'Ünïcode-Dienst'
      WHEN a % 23 = 2 THEN '日本'
      WHEN a % 3 = 0 THEN 'gateway'
      WHEN a % 3 = 1 THEN 'billing'
      ELSE 'auth' END AS service
  FROM n
), m AS (
  SELECT *,
    CASE
      WHEN bad THEN NULL
      WHEN attack THEN 'auth [SECURITY] failed login of mallory from 10.6.6.' || (i % 7)
      WHEN c % 29 = 0 AND b % 3 = 0 THEN NULL
      WHEN c % 29 = 0 AND b % 3 = 1 THEN ''
      WHEN c % 29 = 0 THEN 'no shape at all'
      WHEN i = 1234 THEN service || ' [' || category || '] ' || repeat('länge ', 3000)
      WHEN a % 13 = 0 THEN service || ' [' || category || '] say "hi", it''s 100%_done \ ok'
      WHEN a % 13 = 1 THEN service || ' [' || category || '] 🦆 naïve' || chr(9) || 'tab' || chr(10) || 'second line'
      WHEN a % 13 = 2 THEN service || ' [' || category || ']'
      WHEN a % 13 < 7 THEN service || ' [' || category || '] request ' || (a % 400) || ' took ' || (b % 900) || ' ms'
      ELSE service || ' [' || category || '] user u' || (b % 25) || ' did ' || (c % 4) END AS message,
    CASE
      WHEN bad THEN NULL
      WHEN attack THEN 'mallory'
      WHEN b % 19 = 0 THEN NULL
      WHEN b % 37 = 1 THEN ''
      WHEN b % 41 = 2 THEN 'ид-' || (a % 6)
      WHEN b % 43 = 3 THEN '"q' || (a % 5) || '''s"'
      ELSE 'req-' || (a % 1400) END AS id,
    CASE WHEN bad OR c % 7 = 0 THEN NULL WHEN c % 7 = 1 THEN '2.0' WHEN c % 7 = 2 THEN '10' WHEN c % 31 = 5 THEN '' ELSE '1' END AS version,
    CASE
      WHEN bad OR c % 17 = 0 THEN NULL
      WHEN attack THEN TIMESTAMPTZ '2026-11-21 03:00:00+00' + to_seconds(i % 90)
      WHEN a % 9 = 0 THEN TIMESTAMPTZ '2026-11-21 12:00:00+00'
      WHEN a % 31 = 1 THEN TIMESTAMPTZ '2026-11-22 00:00:00+00'
      WHEN a % 31 = 2 THEN TIMESTAMPTZ '2026-11-20 23:59:59.999999+00'
      ELSE TIMESTAMPTZ '2026-11-20 00:00:00+00' + to_microseconds((a * 37 % 259200) * 1000000 + (CASE WHEN b % 4 = 0 THEN c % 1000000 ELSE 0 END)) END AS ts,
    CASE
      WHEN bad THEN NULL
      WHEN i = 1111 THEN '{"ms":"oops","user":"u1"}'
      WHEN i = 1112 THEN '{"a":1,"a":2,"ms":7}'
      WHEN i = 1113 THEN '{"huge":1e308,"big":170141183460469231731687303715884105727}'
      WHEN i = 2222 THEN '{"huge":-1.5e300,"big":-170141183460469231731687303715884105728}'
      WHEN i = 2700 THEN '{"big":18446744073709551616,"ms":66,"user":"mallory"}'
      WHEN i = 1114 THEN '{"":"no key","quote\"d":"it''s","ключ":"значение","a.b":1,"ms":1}'
      WHEN i = 1801 THEN '{"deep":{"deep":{"deep":[[[1]],{"x":null}]}},"ms":33}'
      WHEN i = 2404 THEN '{"ms":[1,2,3],"user":{"name":"u1"},"esc":"\u0041\n\t\ud83e\udd86"}'
      WHEN b % 12 < 2 THEN NULL
      WHEN b % 12 < 6 THEN '{"ms":' || (c % 5000) || ',"user":"u' || (b % 25) || '","ok":' || (CASE WHEN c % 3 = 0 THEN 'false' ELSE 'true' END) || '}'
      WHEN b % 12 = 6 THEN '{"ms":' || (c % 900) || '.5,"user":"u' || (b % 25) || '","tags":["a","t' || (c % 4) || '"]}'
      WHEN b % 12 = 7 THEN '{"ms":' || (c % 900) || ',"amount":"' || (c % 300) || '.' || (10 + a % 90) || '","geo":{"lat":' || (a % 90) || '.25,"lon":[' || (b % 180) || ',-' || (c % 180) || ']}}'
      WHEN b % 12 = 8 THEN '{"ms":null,"user":null,"tags":[],"ok":null}'
      WHEN b % 12 = 9 THEN '{"ms":-' || (c % 700) || ',"f":0.' || (1000 + a % 9000) || ',"big":' || (CASE WHEN c % 2 = 0 THEN '-' ELSE '' END) || '92233720368547758' || (10 + c % 90) || '}'
      WHEN b % 12 = 10 THEN '{ "ms" : ' || (c % 100) || ', "level" : "' || (CASE WHEN c % 5 = 0 THEN 'ERROR' ELSE 'INFO' END) || '", "tags" : [1, "a", null, {"k": ' || (a % 3) || '}] }'
      ELSE '{"level":"WARN","user":"u' || (b % 25) || '","ratio":' || (1 + a % 50) || 'e-2}' END AS extra,
    CASE WHEN bad THEN (CASE i % 5 WHEN 0 THEN 'not-json' WHEN 1 THEN 'not-an-object' WHEN 2 THEN 'invalid-utf8' WHEN 3 THEN 'not-json' ELSE 'too-long' END) END AS malformed,
    CASE WHEN bad THEN (CASE i % 5 WHEN 0 THEN '{"message":"cut' WHEN 1 THEN '[1, 2, ' || (i % 4) || ']' WHEN 2 THEN 'bad \xff\\ byte' WHEN 3 THEN 'plain ''text'' ' || i ELSE repeat('x', 4000) END) END AS text
  FROM v
)
SELECT ts, service, category, message, id, version,
  CASE host WHEN 0 THEN 'eu-west' WHEN 1 THEN 'eu-west' WHEN 2 THEN 'us-east' WHEN 3 THEN 'us-east' ELSE 'ap-south' END AS region,
  CASE host WHEN 0 THEN 'eu-west-a' WHEN 1 THEN 'eu-west-b' WHEN 2 THEN 'us-east-a' WHEN 3 THEN 'us-east-a' ELSE 'ap-south-c' END AS zone,
  CASE host WHEN 0 THEN 'alder' WHEN 1 THEN 'birch' WHEN 2 THEN 'cedar' WHEN 3 THEN 'doum' ELSE 'élan' END AS node,
  stream, rotated,
  CASE WHEN rotated IS NULL THEN NULL ELSE md5(host || '/' || stream || '/' || rotated || '/' || (part = 5)) END AS batch,
  CAST(row_number() OVER w + row_number() OVER w // 7 AS BIGINT) AS line,
  extra, malformed, text, CAST(part AS INTEGER) AS part
FROM m
WINDOW w AS (PARTITION BY host, stream, rotated ORDER BY i)
ORDER BY part, i;
