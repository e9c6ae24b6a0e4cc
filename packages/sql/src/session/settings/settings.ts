import { nearest, SQLSTATE, sqlError } from '../../errors.ts'
import {
  byteaStyleOf,
  dateStyleOf,
  floatDigitsOf,
  intervalStyleOf,
  PLAIN_STYLES,
  type Styles,
} from '../../types/styles.ts'
import { sessionZone, UTC, withStyles, type Zone } from '../../types/time-zone.ts'
import { PLANNER_SETTINGS } from './planner-settings.ts'
import { limitMs, limitText, TIME_LIMITS } from './time-limit.ts'
import { memoryKib, memoryText } from './work-memory.ts'

/** What SHOW tells and SET may change. Most only exist because clients ask for them. */
const defaults: Readonly<Record<string, string>> = {
  ...PLANNER_SETTINGS,
  application_name: '',
  backslash_quote: 'safe_encoding',
  bytea_output: 'hex',
  check_function_bodies: 'on',
  client_encoding: 'UTF8',
  'cluster.copy_rows_per_transaction': '0',
  client_min_messages: 'notice',
  'cluster.fence': '',
  datestyle: 'ISO, MDY',
  default_table_access_method: 'heap',
  default_tablespace: '',
  default_transaction_deferrable: 'off',
  default_transaction_isolation: 'serializable',
  default_transaction_read_only: 'off',
  escape_string_warning: 'on',
  extra_float_digits: '1',
  idle_in_transaction_session_timeout: '0',
  idle_session_timeout: '0',
  integer_datetimes: 'on',
  intervalstyle: 'postgres',
  lc_collate: 'C',
  lc_ctype: 'C',
  lc_messages: 'C',
  lc_monetary: 'C',
  lc_numeric: 'C',
  lc_time: 'C',
  lock_timeout: '0',
  max_connections: '500',
  max_identifier_length: '63',
  max_index_keys: '32',
  quote_all_identifiers: 'off',
  row_security: 'on',
  password_encryption: 'scram-sha-256',
  search_path: '"$user", public',
  server_encoding: 'UTF8',
  server_version: '15.0',
  server_version_num: '150000',
  session_replication_role: 'origin',
  standard_conforming_strings: 'on',
  statement_timeout: '0',
  synchronize_seqscans: 'on',
  synchronous_commit: 'on',
  timezone: 'UTC',
  transaction_deferrable: 'off',
  transaction_isolation: 'serializable',
  transaction_read_only: 'off',
  work_mem: '64MB',
  xmloption: 'content',
}

const WORK_MEMORY = 'work_mem'
const COPY_ROWS = 'cluster.copy_rows_per_transaction'
/** Names that are shown with capitals. */
const shownAs: Readonly<Record<string, string>> = {
  datestyle: 'DateStyle',
  intervalstyle: 'IntervalStyle',
  timezone: 'TimeZone',
}

/** Settings that are on or off. */
const switches = new Set(Object.keys(defaults).filter((name) => ['on', 'off'].includes(defaults[name] ?? '')))
/** Of more than two values, of which two are called so. */
for (const name of ['synchronous_commit', 'force_parallel_mode']) switches.delete(name)

const none: readonly string[] = []
const on: readonly string[] = ['on', 'true', 'yes', '1']

/** Only these values are true here: setting another one is refused rather than ignored. */
const fixed: Readonly<Record<string, readonly string[]>> = {
  client_encoding: ['utf8', 'utf-8', 'unicode'],
  default_tablespace: ['', 'pg_default'],
  default_table_access_method: ['heap'],
  integer_datetimes: none,
  lc_collate: none,
  lc_ctype: none,
  max_connections: none,
  max_identifier_length: none,
  max_index_keys: none,
  quote_all_identifiers: ['off', 'false', 'no', '0'],
  server_encoding: none,
  server_version: none,
  server_version_num: none,
  password_encryption: ['scram-sha-256', 'on'],
  session_replication_role: ['origin', 'local'],
  standard_conforming_strings: on,
  // A connection that idles holds nothing that others wait for, and nobody ends it.
  idle_in_transaction_session_timeout: ['0'],
  idle_session_timeout: ['0'],
}

/** What a setting is called where it is shown. */
export const settingName = (name: string): string => shownAs[name] ?? name

/** Search paths that were read already, by their texts. */
const paths = new Map<string, readonly string[]>()
const PATHS_MAX = 100

function schemasOf(text: string): readonly string[] {
  const parts = text.match(/"(?:[^"]|"")*"|[^,\s][^,]*/g) ?? []
  return parts
    .map((part) => (part.startsWith('"') ? part.slice(1, -1).replaceAll('""', '"') : part.trim()))
    .filter((name) => name !== '$user' && name !== '')
}

/** Settings with a point in their name belong to applications, which may have any. */
const isOwn = (name: string): boolean => /^[a-z_][\w$]*(?:\.[a-z_][\w$]*)+$/i.test(name)

/** What is set at one moment. The maps never change, so that a moment can be kept and come back. */
export interface SettingsMark {
  readonly values: ReadonlyMap<string, string>
  /** What holds behind the transaction for what SET LOCAL said; undefined: the default. */
  readonly afterwards: ReadonlyMap<string, string | undefined>
}

/** How a transaction was begun, as it is shown: all of them are serializable. */
export interface TransactionModes {
  readonly isolation: string
  readonly readOnly: boolean
}

const NOTHING: ReadonlyMap<string, never> = new Map<string, never>()
const LEVELS: readonly string[] = ['serializable', 'repeatable read', 'read committed', 'read uncommitted']

const STYLES = ['datestyle', 'intervalstyle', 'bytea_output', 'extra_float_digits'] as const

/** The settings of one session. What a transaction sets is undone with it. */
export class Settings {
  #now: SettingsMark = { values: NOTHING, afterwards: NOTHING }
  #before: SettingsMark | null = null
  /** Of the transaction block; null outside of one. */
  #modes: TransactionModes | null = null
  /** What RESET goes back to, where that is not the default. */
  readonly #beginning: Map<string, string>
  readonly #workText: string
  /** The zone while these are the values; null: it was not asked for yet. */
  #place: { readonly values: SettingsMark['values']; readonly zone: Zone } | null = null
  /** All settings while these are the values, in a transaction like that. */
  #shown: {
    readonly values: SettingsMark['values']
    readonly modes: string
    readonly map: ReadonlyMap<string, string>
  } | null = null

  /**
   * @param workBytes what `work_mem` is until somebody sets it
   * @param beginning what the session begins with in place of the defaults; not checked
   */
  constructor(workBytes: number, beginning: ReadonlyMap<string, string> = new Map()) {
    this.#workText = memoryText(Math.ceil(workBytes / 1024))
    this.#beginning = new Map(beginning)
  }

  /** @throws 42704 */
  get(name: string): string {
    if (name === 'transaction_isolation') return this.#modes?.isolation ?? this.get(`default_${name}`)
    if (name === 'transaction_read_only') {
      if (this.#modes === null) return this.get(`default_${name}`)
      return this.#modes.readOnly ? 'on' : 'off'
    }
    const byDefault = name === WORK_MEMORY ? this.#workText : defaults[name]
    const value = this.#now.values.get(name) ?? this.#beginning.get(name) ?? byDefault
    if (value === undefined) throw unknownSetting(name)
    return value
  }

  /**
   * @param values null: as at the beginning
   * @param local until the transaction ends
   * @throws 42704, 22023
   */
  set(name: string, values: readonly string[] | null, local = false): void {
    const value = checkedSetting(name, values, this.#styles())
    if (name !== 'transaction_isolation') this.#store(name, value, local)
    else if (value !== null && this.#modes !== null) this.#modes = { ...this.#modes, isolation: value }
  }

  /** Sets what the session begins with, to which RESET goes back. @throws 42704, 22023 */
  begin(name: string, value: string): void {
    const checked = checkedSetting(name, [value], this.#styles())
    if (checked !== null) this.#beginning.set(name, checked)
    this.#place = null
    this.#shown = null
  }

  /** A transaction begins. @param modes null: a statement of its own */
  beginTransaction(modes: TransactionModes | null): void {
    this.#before = this.#now
    this.#modes = modes
  }

  setModes(modes: TransactionModes): void {
    this.#modes = modes
  }

  mark(): SettingsMark {
    return this.#now
  }

  restore(mark: SettingsMark): void {
    this.#now = mark
  }

  /** The transaction has ended. */
  end(committed: boolean): void {
    if (!committed && this.#before !== null) this.#now = this.#before
    else if (this.#now.afterwards.size > 0) {
      const values = new Map(this.#now.values)
      for (const [name, value] of this.#now.afterwards)
        if (value === undefined) values.delete(name)
        else values.set(name, value)
      this.#now = { values, afterwards: NOTHING }
    }
    this.#before = null
    this.#modes = null
  }

  #store(name: string, value: string | null, local: boolean): void {
    const values = new Map(this.#now.values)
    const afterwards = new Map(this.#now.afterwards)
    if (!local) afterwards.delete(name)
    else if (!afterwards.has(name)) afterwards.set(name, values.get(name))
    if (value === null) values.delete(name)
    else values.set(name, value)
    this.#now = { values, afterwards }
  }

  resetAll(): void {
    for (const name of this.#now.values.keys()) this.#store(name, null, false)
  }

  /** A COPY outside of a transaction commits every so many rows; null: it is one transaction. */
  copyRows(): number | null {
    return Number(this.get(COPY_ROWS)) || null
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

  /** How long a statement may take, in milliseconds; 0: as long as it likes. */
  statementMsMax(): number {
    const text = this.#now.values.get('statement_timeout') ?? this.#beginning.get('statement_timeout')
    return text === undefined ? 0 : limitMs('statement_timeout', text)
  }

  /** What a statement should keep in memory at most, in bytes; null: the session has not said. */
  workBytes(): number | null {
    const text = this.#now.values.get(WORK_MEMORY) ?? this.#beginning.get(WORK_MEMORY)
    return text === undefined ? null : memoryKib(WORK_MEMORY, text) * 1024
  }

  /** Where the session is, and how it writes moments. Asked for with every value that is shown. */
  zone(): Zone {
    const { values } = this.#now
    if (this.#place?.values !== values) this.#place = { values, zone: this.#zone() }
    return this.#place.zone
  }

  #zone(): Zone {
    const zone = sessionZone(this.get('timezone')) ?? UTC
    const plain = STYLES.every((name) => !this.#now.values.has(name) && !this.#beginning.has(name))
    return plain ? zone : withStyles(zone, this.#styles())
  }

  #styles(): Styles {
    return {
      ...dateStyleOf(this.get('datestyle'), PLAIN_STYLES),
      interval: intervalStyleOf(this.get('intervalstyle')),
      bytea: byteaStyleOf(this.get('bytea_output')),
      floatDigits: floatDigitsOf(this.get('extra_float_digits')),
    }
  }

  all(): readonly (readonly [string, string])[] {
    return Object.keys(defaults).map((name) => [name, this.get(name)])
  }

  /** All of them by name; the same map as long as none has changed. */
  shown(): ReadonlyMap<string, string> {
    const { values } = this.#now
    const modes = `${this.get('transaction_isolation')} ${this.get('transaction_read_only')}`
    if (this.#shown?.values !== values || this.#shown.modes !== modes)
      this.#shown = { values, modes, map: new Map(this.all()) }
    return this.#shown.map
  }
}

/** @throws 42704 */
function checkName(name: string): void {
  if (!Object.hasOwn(defaults, name) && !isOwn(name)) throw unknownSetting(name)
}

/**
 * A value as it is kept; null without values, or when the setting stays as it is, whatever was asked for.
 * @param styles those before, of which DateStyle may change a part
 * @throws 42704, 22023
 */
export function checkedSetting(
  name: string,
  values: readonly string[] | null,
  styles: Styles = PLAIN_STYLES,
): string | null {
  checkName(name)
  if (values === null) return null
  // A path is told as it would be written.
  const value = values.map((one) => (name === 'search_path' && one === '$user' ? '"$user"' : one)).join(', ')
  const allowed = fixed[name]
  if (allowed !== undefined && !allowed.includes(value.toLowerCase()))
    throw sqlError(SQLSTATE.invalidParameterValue, `parameter "${name}" cannot be set to "${value}"`, {
      hint: allowed.length === 0 ? 'It cannot be changed.' : `It is always ${defaults[name]}.`,
    })
  if (name === COPY_ROWS && !/^\d{1,9}$/.test(value))
    throw sqlError(SQLSTATE.invalidParameterValue, `invalid value for parameter "${name}": "${value}"`, {
      hint: 'It is a whole number; 0: a COPY is one transaction.',
    })
  if (switches.has(name)) return switched(name, value)
  if (name === 'timezone') return zoneSetting(value).name
  if (name === 'intervalstyle') return intervalStyleOf(value)
  if (name === 'bytea_output') return byteaStyleOf(value)
  if (name === 'extra_float_digits') return String(floatDigitsOf(value))
  if (name === 'datestyle') {
    const { date, order } = dateStyleOf(value, styles)
    return `${date}, ${order}`
  }
  if (TIME_LIMITS.has(name)) return limitText(limitMs(name, value))
  if (name === WORK_MEMORY) return memoryText(memoryKib(name, value))
  // Every transaction is serializable, which is more than any other level asks for; SHOW tells what was asked for.
  if (name === 'default_transaction_isolation' || name === 'transaction_isolation') {
    const level = value.toLowerCase()
    if (LEVELS.includes(level)) return level
    throw sqlError(SQLSTATE.invalidParameterValue, `invalid value for parameter "${name}": "${value}"`, {
      hint: `Available values: ${LEVELS.join(', ')}.`,
    })
  }
  return value
}

/** `on` or `off`, from each of the words that mean it or begin it. @throws 22023 */
function switched(name: string, value: string): string {
  const word = value.trim().toLowerCase()
  // `o` begins both.
  const means = (...words: readonly string[]): boolean =>
    !['', 'o'].includes(word) && words.some((one) => one.startsWith(word))
  if (means('on', 'true', 'yes', '1')) return 'on'
  if (means('off', 'false', 'no', '0')) return 'off'
  throw sqlError(SQLSTATE.invalidParameterValue, `parameter "${name}" requires a Boolean value`)
}

/** A name, or hours east of UTC. @throws 22023 */
function zoneSetting(value: string): Zone {
  if (['local', 'default'].includes(value.toLowerCase())) return UTC
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
