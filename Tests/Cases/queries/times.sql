SELECT date_trunc('minute', ts) AS m, count(*) AS n FROM live GROUP BY m HAVING count(*) > 3 ORDER BY m

SELECT date_trunc('week', ts) AS w, date_trunc('month', ts) AS mo, count(*) FROM logs GROUP BY ALL

SELECT time_bucket(INTERVAL '15 minutes', ts) AS b, count(*), max(line) FROM logs WHERE id = 'mallory' GROUP BY b

SELECT time_bucket(INTERVAL '1 day', ts, INTERVAL '3 hours') AS b, count(*) FROM logs GROUP BY b

SELECT time_bucket(INTERVAL '7 hours', ts, TIMESTAMPTZ '2026-11-20 01:00:00+00') AS b, count(*) FROM live GROUP BY b

SELECT extract(hour FROM ts) AS h, count(*) FROM logs GROUP BY h ORDER BY h

SELECT date_part('dow', ts) AS d, dayname(ts) AS n, weekofyear(ts) AS w, count(*) FROM logs GROUP BY ALL

SELECT date_part(['year', 'month', 'day'], ts) AS p, count(*) FROM logs GROUP BY p

SELECT epoch(max(ts)) AS e, epoch_ms(min(ts)) AS ms, epoch_us(max(ts)) AS us, epoch_ns(min(ts)) AS ns FROM logs

SELECT sum(epoch_ms(ts)) AS s, avg(epoch(ts)) AS a, stddev_pop(epoch(ts)) AS d FROM logs

SELECT ts::DATE AS d, ts::TIMESTAMP::TIME AS t, ts::TIMESTAMP AS u, ts::VARCHAR AS v FROM live WHERE node = 'cedar'

SELECT strftime(ts, '%Y/%m/%d %H') AS s, count(*) FROM logs GROUP BY s ORDER BY s

SELECT ts AT TIME ZONE 'Europe/Berlin' AS berlin, ts AT TIME ZONE 'America/New_York' AS ny FROM logs WHERE id = 'mallory'

SELECT date_trunc('day', ts AT TIME ZONE 'Asia/Kolkata') AS d, count(*) FROM logs GROUP BY d

SELECT timezone('Asia/Tokyo', max(ts)) AS t FROM logs

SELECT max(ts) - min(ts) AS span, age(max(ts), min(ts)) AS age, date_diff('hour', min(ts), max(ts)) AS hours, datesub('day', min(ts), max(ts)) AS days FROM logs

SELECT node, max(ts) - min(ts) AS span, extract(epoch FROM max(ts) - min(ts)) AS s FROM logs GROUP BY node

SELECT ts + INTERVAL 1 MONTH AS a, ts - INTERVAL '1 day 2 hours' AS b, ts + to_hours(line::INTEGER) AS c FROM live WHERE node = 'cedar'

SELECT min(ts + INTERVAL 1 HOUR) AS a, max(rotated - INTERVAL 1 DAY) AS b, max(line * INTERVAL 1 SECOND) AS c FROM logs

SELECT avg(to_seconds(line)) AS a, max(to_days(line::INTEGER)) AS b, min(INTERVAL (line) MINUTE) AS c FROM logs

SELECT count(*) FROM logs WHERE ts BETWEEN TIMESTAMPTZ '2026-11-21 12:00:00+01' AND TIMESTAMPTZ '2026-11-21 12:00:00-01'

SELECT count(*) FROM logs WHERE ts > '2026-11-21'::DATE

SELECT count(*) FROM logs WHERE ts::TIMESTAMP = TIMESTAMP '2026-11-20 23:59:59.999999'

SELECT greatest(max(ts), max(rotated)) AS g, least(min(ts), min(rotated)) AS l FROM logs

SELECT rotated::DATE AS d, count(*) FILTER (WHERE ts < rotated) AS before, count(*) FILTER (WHERE ts >= rotated) AS after FROM logs GROUP BY d

SELECT generate_series(min(ts)::DATE, max(ts)::DATE, INTERVAL 1 DAY) AS days FROM logs

SELECT make_timestamptz(2026, 11, 20, 0, line::INTEGER % 60, 0) AS t, count(*) FROM live GROUP BY t ORDER BY count(*) DESC, t LIMIT 5

SELECT quantile_cont(ts, [0.5, 0.9]) AS q, quantile_disc(ts::DATE, 0.5) AS d, mode(ts) AS m FROM logs

SELECT to_timestamp(avg(epoch(ts))::BIGINT) AS t, make_timestamp(max(epoch_us(ts))) AS m FROM live

SELECT strptime(strftime(ts, '%d.%m.%Y'), '%d.%m.%Y') AS d, count(*) FROM logs GROUP BY d

SELECT isfinite(ts) AS f, julian(ts::DATE) AS j, last_day(ts::DATE) AS l, count(*) FROM logs GROUP BY ALL

SELECT ts, count(*) FROM logs WHERE ts IN (TIMESTAMPTZ '2026-11-22 00:00:00+00', TIMESTAMPTZ '2026-11-21 23:59:59.999999+00', '2026-11-20 23:59:59.999999+00') GROUP BY ts

SELECT 'infinity'::TIMESTAMPTZ > max(ts) AS i, '-infinity'::TIMESTAMPTZ < min(ts) AS j FROM logs
