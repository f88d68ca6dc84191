SELECT E'\' ;⏎.shell cat {canary}.csv⏎'
SELECT '⏎.shell cat {canary}.csv⏎'
SELECT 1 /* ⏎.shell cat {canary}.csv⏎ */
SELECT 1 -- ; ⏎ AS a, '⏎.read {canary}.csv⏎'
SELECT $$ ; ⏎.import {canary}.csv t⏎$$
SELECT "⏎.output {outside}/x⏎" FROM (SELECT 1) AS t("⏎.output {outside}/x⏎")
SELECT /* /* ; */ ⏎.shell cat {canary}.csv⏎*/ 1
