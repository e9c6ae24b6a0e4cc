import { errorCode, VERSION_OF } from '@cluster/core'
import { containersSuite, distributedMapsSuite } from '@cluster/testkit'
import { describe, expect, test } from '@jest/globals'
import { containersCluster } from './containers-cluster.ts'

containersSuite({ describe, test, expect }, async () => containersCluster('containers'))
distributedMapsSuite({ describe, test, expect }, async () => containersCluster('distributed'))

test('while a member runs a program that knows no containers, nothing is submitted', async () => {
  const old = (name: string, start: number): number =>
    name === 'a' && start === 1 ? VERSION_OF.containers - 1 : VERSION_OF.containers
  const { start, kill, settle } = containersCluster('upgrade', old)
  await start('a')
  const b = await start('b')
  await start('c')
  const low = { code: 'LOG_VERSION_TOO_LOW', outcome: 'rejected' }
  const map = b.map<string, number>('m')
  await expect(settle(map.set('x', 1))).rejects.toMatchObject(low)
  await expect(settle(b.transaction(async (tx) => tx.add('n')))).rejects.toMatchObject(low)
  expect(b.describe()).toEqual([])
  kill('a')
  const a = await start('a')
  // It shows in the log that all members are newer now.
  const write = async (): Promise<void> => {
    for (let code: unknown = low.code; code === low.code; )
      code = await map.set('x', 1).then(
        () => null,
        (error: unknown) => errorCode(error),
      )
  }
  await settle(write())
  expect(await settle(a.map('m').get('x'))).toBe(1)
})
