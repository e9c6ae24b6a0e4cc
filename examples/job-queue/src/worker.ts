import { join } from '@cluster/node'
import { work } from './jobs.ts'

/** One of the processes that do the jobs. Told to, it ends in good order; the other one is killed. */
const { name, ...options } = JSON.parse(process.argv[2] ?? '{}') as {
  name: string
  data: string
  listen: string[]
  seeds: string[]
}
const cluster = await join({ name: 'job-queue', mdns: false, expect: 3, ...options })
const controller = new AbortController()
process.on('disconnect', () => process.exit(0))
process.once('message', () => controller.abort())
process.send?.('ready')
await work(cluster, name, controller.signal)
await cluster.stop()
process.disconnect()
