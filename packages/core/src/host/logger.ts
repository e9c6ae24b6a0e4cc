export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** Facts of one log line; values are short and printable. */
export type LogFields = Readonly<Record<string, string | number | boolean | bigint | null | undefined>>

/**
 * Structured logging, injected. `event` is a short constant phrase ("took over partition"), what varies goes
 * into `fields`. `warn` is for what an operator should look at, `error` for what needs one.
 */
export interface Logger {
  log(level: LogLevel, event: string, fields?: LogFields): void
  /** A logger that adds `fields` to every line. */
  child(fields: LogFields): Logger
}

/** Drops every line. */
export const silentLogger: Logger = {
  log() {},
  child: () => silentLogger,
}
