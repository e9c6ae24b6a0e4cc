import { nodeId } from '@cluster/core'
import { describe, expect, test } from '@jest/globals'
import { databaseSuite, modelDatabases } from '../src/index.ts'

describe('model database that lags', () => {
  databaseSuite({ describe, test, expect }, async () => {
    let calls = 0
    // In turn: up to date, one behind, two behind.
    const databases = modelDatabases({ lag: () => calls++ % 3 })
    return { nodes: [databases], settle: (promise) => promise }
  })
})

for (const count of [1, 3]) {
  describe(`model database, ${count} recorded nodes`, () => {
    databaseSuite({ describe, test, expect }, async () => {
      const names = Array.from({ length: count }, (_, i) => nodeId(`model-${i + 1}`))
      const databases = modelDatabases({ nodes: names })
      return { nodes: names.map(() => databases), settle: (promise) => promise }
    })
  })
}
