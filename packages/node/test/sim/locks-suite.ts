import { anyLoad, readJournal } from '@cluster/testkit'
import { type DatabaseApp, databaseProgram, openerOf } from './database-app.ts'
import { distributionSuite } from './distribution-suite.ts'
import { LockLoad } from './lock-load.ts'
import type { Suite, SuiteContext } from './suite.ts'

/** Shorter than many cuts and stalls. */
const LEASE_MS = 1_200
/** Longer than some stalls. */
const BUSY_MS = 2_500

const loads = new WeakMap<SuiteContext, LockLoad>()

function loadIn(context: SuiteContext): LockLoad {
  const known = loads.get(context)
  if (known !== undefined) return known
  const load = new LockLoad(openerOf(context), context.world)
  loads.set(context, load)
  return load
}

/** Sets that only a lock protects: mutual exclusion, tokens, and the fence. */
export const locksSuite: Suite<DatabaseApp> = {
  ...distributionSuite,
  name: 'locks',
  program: (context) => databaseProgram(context, { leaseMs: LEASE_MS, busyMs: BUSY_MS }),
  load: (context) => anyLoad(loadIn(context)),
  async audit(apps, context) {
    for (const [id, app] of apps) {
      const journal = await readJournal(openerOf(context), app)
      const wrong = await loadIn(context).audit(app, journal)
      if (wrong !== null) return `${id}: ${wrong}`
    }
    return null
  },
}
