import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

/** One row a list, in the order of the table's columns. */
export type Rows = readonly (readonly (string | number | null)[])[]

const file = (name: string): string =>
  fileURLToPath(new URL(`../data/${name}`, import.meta.resolve('vega-datasets')))

interface Flight {
  readonly date: string
  readonly delay: number
  readonly distance: number
  readonly origin: string
  readonly destination: string
}

/** iata, name, city, state, country, latitude, longitude */
export async function readAirports(): Promise<Rows> {
  const [, ...lines] = (await readFile(file('airports.csv'), 'utf8')).trim().split(/\r?\n/)
  return lines.map((line) => {
    const [iata = '', name = '', city, state, country, latitude, longitude] = splitLine(line)
    const known = (text: string | undefined): string | null =>
      text === undefined || text === '' || text === 'NA' ? null : text
    return [iata, name, known(city), known(state), known(country), Number(latitude), Number(longitude)]
  })
}

/** id, departure, delay, distance, origin, destination */
export async function readFlights(): Promise<Rows> {
  const flights = JSON.parse(await readFile(file('flights-20k.json'), 'utf8')) as readonly Flight[]
  return flights.map(({ date, delay, distance, origin, destination }, i) => [
    i + 1,
    `${date.replaceAll('/', '-')}:00`,
    delay,
    distance,
    origin,
    destination,
  ])
}

/** The fields of one line of comma separated values; quotes protect commas and are doubled inside. */
function splitLine(line: string): string[] {
  const fields: string[] = []
  for (const [, quoted, plain] of line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)) {
    fields.push(quoted === undefined ? (plain ?? '') : quoted.replaceAll('""', '"'))
  }
  return fields
}
