import { databaseSuite } from '@cluster/testkit'
import { describe, expect, test } from '@jest/globals'
import { TestCluster } from './support/test-cluster.ts'

async function fixture(nodes: readonly string[]) {
  const cluster = new TestCluster({ nodes })
  await cluster.start(...nodes)
  return {
    nodes: nodes.map((name) => cluster.app(name).databases),
    settle: <T>(promise: Promise<T>) => cluster.settle(promise),
  }
}

describe('one node', () => {
  databaseSuite({ describe, test, expect }, () => fixture(['a']))
})

describe('four nodes', () => {
  databaseSuite({ describe, test, expect }, () => fixture(['a', 'b', 'c', 'd']))
})
