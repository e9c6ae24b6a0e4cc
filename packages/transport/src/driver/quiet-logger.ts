import type { Logger, LogLevel } from '@cluster/core'
import type { ComponentLogger, Logger as Libp2pLogger } from '@libp2p/interface'

/**
 * libp2p's log lines for errors go to `debug`; the others are dropped: its hot paths write several a message,
 * whether anybody reads them or not.
 * @param first the level of the first error; the next ones are `debug`
 */
export function quietLogger(logger: Logger, first: LogLevel = 'debug'): ComponentLogger {
  let level = first
  const make = (component: string): Libp2pLogger => {
    const log = (): void => {}
    const error = (text: unknown, ...rest: unknown[]): void => {
      const cause = rest.find((value) => value instanceof Error)
      logger.log(level, 'libp2p reported an error', {
        component,
        text: String(text),
        error: cause instanceof Error ? cause.message : null,
      })
      level = 'debug'
    }
    return Object.assign(log, {
      enabled: false,
      error,
      trace: () => {},
      newScope: (name: string) => make(`${component}:${name}`),
    })
  }
  return { forComponent: make }
}
