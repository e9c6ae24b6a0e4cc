import { nodeId } from '@cluster/core'
import { describe, expect, test } from '@jest/globals'
import { databaseSuite, modelDatabases } from '../src/index.ts'

for (const count of [1, 3]) {
  describe(`model database, ${count} recorded nodes`, () => {
    databaseSuite({ describe, test, expect }, async () => {
      const names = Array.from({ length: count }, (_, i) => nodeId(`model-${i + 1}`))
      const databases = modelDatabases({ nodes: names })
      return { nodes: names.map(() => databases), settle: (promise) => promise }
    })
  })
}
