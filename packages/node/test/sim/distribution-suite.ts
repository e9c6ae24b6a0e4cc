import { readJournal } from '@cluster/testkit'
import { loseTooMuch } from './beyond.ts'
import { type DatabaseApp, databaseProgram, openerOf } from './database-app.ts'
import { loadOf } from './database-loads.ts'
import { compareHolders, statusText } from './holders.ts'
import { logsUnsettled } from './serializer-suite.ts'
import type { Suite } from './suite.ts'

/** Rows in the partitions of a database, in transactions: one load drawn by seed, or several. */
export const distributionSuite: Suite<DatabaseApp> = {
  name: 'distribution',
  program: (context) => databaseProgram(context),
  load: (context) => loadOf(context.profile.loads, openerOf(context)),
  async prepare(nodes, context): Promise<void> {
    const open = openerOf(context)
    for (const { app } of nodes) if (app) await open(app)
  },
  log: ({ node }) => node.log,
  unsettled(apps, context) {
    const unsettled = logsUnsettled(new Map([...apps].map(([id, { node }]) => [id, node.log])), context)
    if (unsettled !== null) return unsettled
    for (const [id, { database }] of apps) {
      if (database === null) continue
      const missing = statusText(database.status())
      if (missing !== null) return `${missing}, says ${id}`
    }
    return null
  },
  isRedundant: (apps) =>
    [...apps.values()].every(({ database }) => database !== null && statusText(database.status()) === null),
  journal: (app, context) => readJournal(openerOf(context), app),
  compare: (apps, { profile }) =>
    compareHolders(
      new Map(
        [...apps].flatMap(([id, { database }]) => (database === null ? [] : [[id, database] as const])),
      ),
      profile.redundancy,
    ),
  loseTooMuch,
}
