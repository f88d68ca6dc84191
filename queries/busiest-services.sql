-- title: Busiest services per hour
-- description: The three services with the most lines in each hour.
SELECT date_trunc('hour', ts) AS hour, service, count(*) AS lines
FROM logs
WHERE ts IS NOT NULL
GROUP BY hour, service
QUALIFY row_number() OVER (PARTITION BY date_trunc('hour', ts) ORDER BY count(*) DESC, service) <= 3
ORDER BY hour DESC, lines DESC, service
