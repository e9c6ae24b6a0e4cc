import { nearest, SQLSTATE, sqlError } from '../errors.ts'
import { sessionZone, UTC, type Zone } from '../types/time-zone.ts'

/** What SHOW tells and SET may change. Most only exist because clients ask for them. */
const defaults: Readonly<Record<string, string>> = {
  application_name: '',
  client_encoding: 'UTF8',
  client_min_messages: 'notice',
  datestyle: 'ISO, MDY',
  default_transaction_isolation: 'serializable',
  default_transaction_read_only: 'off',
  extra_float_digits: '1',
  intervalstyle: 'postgres',
  search_path: '"$user", public',
  server_encoding: 'UTF8',
  server_version: '15.0',
  standard_conforming_strings: 'on',
  statement_timeout: '0',
  timezone: 'UTC',
  transaction_isolation: 'serializable',
  transaction_read_only: 'off',
}

/** Only these values are true here: setting another one is refused rather than ignored. */
const fixed: Readonly<Record<string, readonly string[]>> = {
  client_encoding: ['utf8', 'utf-8', 'unicode'],
  server_encoding: [],
  server_version: [],
  standard_conforming_strings: ['on', 'true', '1'],
  statement_timeout: ['0'],
}

/** Search paths that were read already, by their texts. */
const paths = new Map<string, readonly string[]>()
const PATHS_MAX = 100

function schemasOf(text: string): readonly string[] {
  const parts = text.match(/"(?:[^"]|"")*"|[^,\s][^,]*/g) ?? []
  return parts
    .map((part) => (part.startsWith('"') ? part.slice(1, -1).replaceAll('""', '"') : part.trim()))
    .filter((name) => name !== '$user' && name !== '')
}

/** How SHOW calls them where it is not the name in lower case. */
const shownNames: Readonly<Record<string, string>> = {
  datestyle: 'DateStyle',
  intervalstyle: 'IntervalStyle',
  timezone: 'TimeZone',
}

export const shownSetting = (name: string): string => shownNames[name] ?? name

/** Settings with a point in their name belong to applications, which may have any. */
const isOwn = (name: string): boolean => /^[a-z_][\w$]*(?:\.[a-z_][\w$]*)+$/i.test(name)

/** The settings of one session. */
export class Settings {
  readonly #values = new Map<string, string>()

  /** @throws 42704 */
  get(name: string): string {
    const value = this.#values.get(name) ?? defaults[name]
    if (value === undefined) throw unknownSetting(name)
    return value
  }

  /** @throws 42704, 22023, 0A000 */
  set(name: string, values: readonly string[] | null): void {
    if (!Object.hasOwn(defaults, name) && !isOwn(name)) throw unknownSetting(name)
    if (values === null) {
      this.#values.delete(name)
      return
    }
    const value = values.join(', ')
    const allowed = fixed[name]
    if (allowed !== undefined && !allowed.includes(value.toLowerCase()))
      throw sqlError(SQLSTATE.invalidParameterValue, `parameter "${name}" cannot be set to "${value}"`, {
        hint: allowed.length === 0 ? 'It cannot be changed.' : `It is always ${defaults[name]}.`,
      })
    if (name === 'timezone') {
      this.#values.set(name, zoneSetting(value).name)
      return
    }
    // Every transaction is serializable, which is more than any other level asks for.
    if (name === 'transaction_isolation' || name === 'default_transaction_isolation') return
    this.#values.set(name, value)
  }

  /** The schemas of search_path. `"$user"` is none: users have no schemas of their own. */
  searchPath(): readonly string[] {
    const text = this.get('search_path')
    const known = paths.get(text)
    if (known !== undefined) return known
    const path = schemasOf(text)
    // Few paths are in use, and a program that makes ever new ones shall not fill the memory.
    if (paths.size >= PATHS_MAX) paths.clear()
    paths.set(text, path)
    return path
  }

  /** Where the session is. */
  zone(): Zone {
    return sessionZone(this.get('timezone')) ?? UTC
  }

  all(): readonly (readonly [string, string])[] {
    return Object.keys(defaults).map((name) => [name, this.get(name)])
  }
}

/** A name, or hours east of UTC. @throws 22023 */
function zoneSetting(value: string): Zone {
  const hours = Number(value)
  const eastward = value.trim() !== '' && Number.isFinite(hours) && Math.abs(hours) <= 168
  // As a rule of POSIX, which counts to the west.
  const zone = eastward ? sessionZone(posixRule(hours)) : sessionZone(value)
  if (zone !== null) return zone
  throw sqlError(SQLSTATE.invalidParameterValue, `invalid value for parameter "TimeZone": "${value}"`)
}

function posixRule(hours: number): string {
  const minutes = Math.round(Math.abs(hours) * 60)
  const clock = `${String(Math.floor(minutes / 60)).padStart(2, '0')}${minutes % 60 === 0 ? '' : `:${String(minutes % 60).padStart(2, '0')}`}`
  return hours < 0 ? `<-${clock}>+${clock}` : `<+${clock}>-${clock}`
}

function unknownSetting(name: string) {
  const near = nearest(name, Object.keys(defaults))
  return sqlError(SQLSTATE.undefinedObject, `unrecognized configuration parameter "${name}"`, {
    hint: near === null ? undefined : `Perhaps you meant "${near}".`,
  })
}
