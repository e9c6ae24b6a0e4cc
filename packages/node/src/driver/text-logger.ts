import type { LogFields, Logger, LogLevel } from '@cluster/core'

const ORDER: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 }

/** Writes one line an event: time, level, event, `key=value` facts. */
export function textLogger(
  write: (line: string) => void,
  least: LogLevel = 'info',
  base: LogFields = {},
): Logger {
  return {
    log(level, event, fields = {}) {
      if (ORDER[level] < ORDER[least]) return
      let line = `${new Date(Date.now()).toISOString()} ${level.padEnd(5)} ${event}`
      for (const [key, value] of Object.entries({ ...base, ...fields })) {
        if (value === undefined) continue
        const text = String(value)
        line += ` ${key}=${/[\s"=]/.test(text) ? JSON.stringify(text) : text}`
      }
      write(line)
    },
    child: (fields) => textLogger(write, least, { ...base, ...fields }),
  }
}
