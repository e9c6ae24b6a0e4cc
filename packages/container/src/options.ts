import { optionInvalid } from './errors.ts'
import type { WantedSettings } from './machine/codec.ts'
import { CONTAINER_LIMITS, type ContainerLimits } from './machine/state.ts'

export interface ContainersOptions {
  /** Bounds of what is kept. Must be the same on every node of the cluster. */
  readonly limits?: Partial<ContainerLimits>
}

export interface Settings {
  readonly limits: ContainerLimits
}

export const settings = ({ limits = {} }: ContainersOptions): Settings => ({
  limits: { ...CONTAINER_LIMITS, ...limits },
})

/** The options of any container. */
export interface AnyOptions {
  readonly bytesMax?: number
  readonly historyMax?: number
  readonly keep?: number
  readonly sizeMax?: number
  readonly ttlMs?: number
  readonly leaseMs?: number
  readonly deliveriesMax?: number
}

const DAYS_MAX_MS = 10 * 365 * 86_400_000

/** What is wanted, 0 where nothing was said. @throws CONTAINER_OPTION_INVALID */
export function wantedOf({
  bytesMax,
  historyMax,
  keep,
  sizeMax,
  ttlMs,
  leaseMs,
  deliveriesMax,
}: AnyOptions): WantedSettings {
  return {
    bytesMax: whole('bytesMax', bytesMax, 1_024, 2 ** 40),
    historyMax:
      keep === undefined ? whole('historyMax', historyMax, 1, 1_000_000) : whole('keep', keep, 1, 1_000_000),
    sizeMax: whole('sizeMax', sizeMax, 1, 100_000_000),
    ttlMs: whole('ttlMs', ttlMs, 1, DAYS_MAX_MS),
    leaseMs: whole('leaseMs', leaseMs, 1, DAYS_MAX_MS),
    deliveriesMax: whole('deliveriesMax', deliveriesMax, 1, 1_000_000),
  }
}

/** The number; 0 when there is none. @throws CONTAINER_OPTION_INVALID */
export function whole(option: string, value: number | undefined, least: number, most: number): number {
  if (value === undefined) return 0
  if (!Number.isInteger(value) || value < least || value > most)
    throw optionInvalid(option, value, `a whole number from ${least} to ${most}`)
  return value
}

/** How the machine is told of a time to live. @throws CONTAINER_OPTION_INVALID */
export function ttlOf(ttlMs: number | null | undefined): number {
  if (ttlMs === undefined) return 0
  return ttlMs === null ? 1 : whole('ttlMs', ttlMs, 1, DAYS_MAX_MS) + 1
}

/** When nobody is to take a message yet: after so much log time, or before that wall time. @throws CONTAINER_OPTION_INVALID */
export function laterOf({ delayMs, at }: { readonly delayMs?: number; readonly at?: Date }): {
  readonly delayMs: number
  readonly wall: number
} {
  if (delayMs !== undefined && at !== undefined)
    throw optionInvalid('at', at, 'absent where there is a delayMs')
  const wall = at === undefined ? 0 : at.getTime()
  if (!(wall >= 0)) throw optionInvalid('at', at, 'a date since 1970')
  return { delayMs: delayMs === undefined ? 0 : whole('delayMs', delayMs, 0, DAYS_MAX_MS), wall }
}
