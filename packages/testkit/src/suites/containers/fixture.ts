import type { Containers } from '@cluster/core'
import type { SuiteRunner } from '../runner.ts'

export interface ContainersFixture {
  /** Starts the node of that name (again) in the one group; its id is the name. */
  start(name: string): Promise<Containers>
  /** Ends the process of a node as kill −9 does. */
  kill(name: string): void
  /** Lets (virtual) time pass until it holds. @throws when it does not within `withinMs` */
  until(done: () => boolean, withinMs: number): Promise<void>
  /** Lets (virtual) time pass until the promise settles. */
  settle<T>(promise: Promise<T>): Promise<T>
}

export interface Three extends ContainersFixture {
  readonly a: Containers
  readonly b: Containers
  readonly c: Containers
}

export const LONG_MS = 60_000

/** What the parts of the suite are given. */
export interface SuiteParts extends SuiteRunner {
  three(): Promise<Three>
}

export async function codeOf(work: Promise<unknown>): Promise<unknown> {
  try {
    await work
    return null
  } catch (error) {
    return (error as { code?: unknown }).code
  }
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

/** The next so many of what never ends. */
export async function takeSome<T>(items: AsyncIterator<T>, count: number): Promise<T[]> {
  const some: T[] = []
  while (some.length < count) {
    const next = await items.next()
    if (next.done) break
    some.push(next.value)
  }
  return some
}
