import { drawTable, shownResult } from '@cluster/cli'
import { join } from '@cluster/node'
import { questions } from './questions.ts'

/** One of the other two nodes. Told to, it answers the questions; it loaded none of the data itself. */
const options = JSON.parse(process.argv[2] ?? '{}') as { data: string; listen: string[]; seeds: string[] }
const cluster = await join({ name: 'airports', mdns: false, ...options })

process.on('message', async (message) => {
  if (message === 'answer') {
    const database = await cluster.database('travel')
    for (const { ask, sql } of questions) {
      const startedAt = performance.now()
      const { columns, rows } = shownResult(await database.query(sql))
      const ms = (performance.now() - startedAt).toFixed(0)
      console.log(`\n${ask}  (${ms} ms)\n${drawTable(columns, rows)}`)
    }
    process.send?.('answered')
  } else {
    await cluster.stop()
    process.disconnect()
  }
})
process.on('disconnect', () => process.exit(0))
process.send?.('ready')
