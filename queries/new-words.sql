-- title: New words
-- description: Words of this hour's messages that no message of the day before it had.
WITH words AS (
  SELECT ts >= now() - INTERVAL 1 HOUR AS is_new, unnest(regexp_extract_all(message, '[[:alpha:]]{3,}')) AS word
  FROM logs
  WHERE ts >= now() - INTERVAL 25 HOUR
)
SELECT word, count(*) AS times
FROM words
GROUP BY word
HAVING bool_and(is_new)
ORDER BY times DESC, word
