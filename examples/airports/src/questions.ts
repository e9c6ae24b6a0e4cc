/** What a person might ask of airports and flights. */
export const questions: readonly { readonly ask: string; readonly sql: string }[] = [
  {
    ask: 'Which airports see the most departures?',
    sql: `SELECT a.iata, a.name, a.city, count(*) AS departures
          FROM flights f JOIN airports a ON a.iata = f.origin
          GROUP BY a.iata, a.name, a.city ORDER BY departures DESC, a.iata LIMIT 5`,
  },
  {
    ask: 'Between which states is the most flown?',
    sql: `SELECT o.state AS from_state, d.state AS to_state, count(*) AS flights, round(avg(f.distance), 0) AS miles
          FROM flights f JOIN airports o ON o.iata = f.origin JOIN airports d ON d.iata = f.destination
          WHERE o.state <> d.state
          GROUP BY o.state, d.state ORDER BY flights DESC, from_state, to_state LIMIT 5`,
  },
  {
    ask: 'Where does one wait longest, among airports with at least 100 departures?',
    sql: `SELECT a.city, count(*) AS departures, round(avg(f.delay), 1) AS mean_delay, max(f.delay) AS worst
          FROM flights f JOIN airports a ON a.iata = f.origin
          GROUP BY a.city HAVING count(*) >= 100 ORDER BY mean_delay DESC, a.city LIMIT 5`,
  },
  {
    ask: 'How do short and long flights keep to the hour?',
    sql: `SELECT CASE WHEN distance < 500 THEN 'short' WHEN distance < 1500 THEN 'medium' ELSE 'long' END AS length,
                 count(*) AS flights, round(avg(delay), 2) AS mean_delay,
                 sum(CASE WHEN delay > 60 THEN 1 ELSE 0 END) AS an_hour_late
          FROM flights GROUP BY 1 ORDER BY flights DESC`,
  },
  {
    ask: 'Which states have airports but no departure in these data?',
    sql: `SELECT a.state, count(*) AS airports
          FROM airports a LEFT JOIN (SELECT DISTINCT o.state FROM flights f JOIN airports o ON o.iata = f.origin) served
            ON served.state = a.state
          WHERE served.state IS NULL AND a.state IS NOT NULL
          GROUP BY a.state ORDER BY airports DESC, a.state LIMIT 5`,
  },
]
