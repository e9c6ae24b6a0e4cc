import { errorCode } from '@cluster/core'
import type { Cluster } from '@cluster/node'

/** What there is to do: the sum of all primes up to a number. */
export interface Job {
  readonly id: number
  /** Negative: nobody can do it. */
  readonly upTo: number
}

export interface Result {
  readonly sum: number
  /** Who did it. */
  readonly by: string
  /** How often it was handed out. */
  readonly deliveries: number
}

export const jobsOf = (cluster: Cluster) => cluster.queue<Job>('jobs', { leaseMs: 2_000, deliveriesMax: 3 })
export const resultsOf = (cluster: Cluster) => cluster.map<number, Result>('results')

/**
 * Takes jobs and does them until the signal ends it. The result and the acknowledgement are one transaction: whoever dies
 * before it leaves the job for another one, and nobody can hand in the same job twice.
 */
export async function work(cluster: Cluster, by: string, signal: AbortSignal): Promise<void> {
  const jobs = jobsOf(cluster)
  while (!signal.aborted) {
    const message = await jobs.take({ signal }).catch((error: unknown) => {
      if (signal.aborted) return null
      throw error
    })
    if (message === null) continue
    const { id, upTo } = message.value
    if (upTo < 0) {
      // Perhaps another one can do it, a little later. After three attempts it is set aside.
      await message.release({ delayMs: 100 })
      continue
    }
    const result: Result = { sum: await sumOfPrimes(upTo), by, deliveries: message.deliveries }
    try {
      await cluster.transaction(async (tx) => {
        await tx.map<number, Result>('results').set(id, result)
        tx.acknowledge(message)
      })
    } catch (error) {
      // It took longer than the lease: somebody else has the job, and hands in the result.
      if (errorCode(error) !== 'CONTAINER_LEASE_LOST') throw error
    }
  }
}

/** Slow on purpose, and kind to the event loop. */
async function sumOfPrimes(upTo: number): Promise<number> {
  let sum = 0
  for (let number = 2; number <= upTo; number++) {
    if (isPrime(number)) sum += number
    if (number % 2_000 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  return sum
}

function isPrime(number: number): boolean {
  for (let divisor = 2; divisor * divisor <= number; divisor++) if (number % divisor === 0) return false
  return true
}
