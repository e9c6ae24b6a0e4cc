import { nearest, SQLSTATE, sqlError } from '../errors.ts'

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
  search_path: 'public',
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
  timezone: ['utc', 'gmt', 'etc/utc'],
}

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
    if (!Object.hasOwn(defaults, name)) throw unknownSetting(name)
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
    // Every transaction is serializable, which is more than any other level asks for.
    if (name === 'transaction_isolation' || name === 'default_transaction_isolation') return
    this.#values.set(name, value)
  }

  all(): readonly (readonly [string, string])[] {
    return Object.keys(defaults).map((name) => [name, this.get(name)])
  }
}

function unknownSetting(name: string) {
  const near = nearest(name, Object.keys(defaults))
  return sqlError(SQLSTATE.undefinedObject, `unrecognized configuration parameter "${name}"`, {
    hint: near === null ? undefined : `Perhaps you meant "${near}".`,
  })
}
