import { isClusterError } from '@cluster/core'
import { join } from '@cluster/node'

/** One of those that stand for the office. Whoever has it works, and never asks whether it still does. */
const options = JSON.parse(process.argv[2] ?? '{}') as { data: string; listen: string[]; seeds: string[] }
const WORK_MS = 100
/** Short, so that the example is; and a process that is there but does nothing gets no more time than one that is not. */
const LOCKS = { leaseMs: 2_000, busyMs: 0 }

const cluster = await join({ name: 'election', mdns: false, locks: LOCKS, ...options })
const db = await cluster.database('work', { redundancy: 2 })
process.on('disconnect', () => process.exit(0))
process.on('message', () => {
  // The clean end gives the office back at once.
  void cluster.stop().then(() => process.disconnect())
})
process.send?.({ say: 'ready' })

const office = await cluster.election('scheduler').campaign()
process.send?.({ say: 'elected', token: office.token })
for (let step = 1; ; step++) {
  try {
    await db.transaction({ fence: office }, async (tx) => {
      await tx.sql`INSERT INTO steps (token, step, pid) VALUES (${office.token}, ${step}, ${process.pid})`
    })
  } catch (error) {
    if (!isClusterError(error) || error.code === 'STOPPED') break
    process.send?.({ say: 'refused', why: error.message })
    break
  }
  await new Promise((resolve) => {
    setTimeout(resolve, WORK_MS)
  })
}
