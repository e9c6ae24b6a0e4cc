import type { Result, Status } from './codec.ts'
import { LIMIT_NAMES } from './codec.ts'
import type { Change } from './feed.ts'
import type { Container, ContainerLimits, Turn } from './state.ts'

/** Counted for each entry, element and message besides its bytes. */
export const OVERHEAD = 64

export const answer = (status: Status, value = 0): Result => ({ status, value })

export const over = (limit: keyof ContainerLimits): Result => answer('limit', LIMIT_NAMES.indexOf(limit))

export const full = ({ settings }: Container): Result => answer('full', settings.bytesMax)

/** Enters a change for those who follow. @returns its number */
export function record(
  turn: Turn,
  container: Container,
  { type, key, before, after }: Pick<Change, 'type' | 'key' | 'before' | 'after'>,
): number {
  const number = turn.next()
  const { feed } = container
  feed.push({ number, index: turn.entry.index, type, key, before, after })
  turn.did(() => feed.unpush())
  turn.touch(container)
  return number
}

/** Counts bytes, or counts them off. */
export function charge(turn: Turn, container: Container, bytes: number): void {
  if (bytes === 0) return
  container.bytes += bytes
  turn.did(() => {
    container.bytes -= bytes
  })
}
