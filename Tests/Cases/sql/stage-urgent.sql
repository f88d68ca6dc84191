COPY (SELECT gadwall_row FROM gadwall_rows WHERE true ORDER BY gadwall_row) TO '/tmp/u.csv' (FORMAT csv, HEADER false)
