import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { clockSuite, diskSuite } from '@cluster/testkit'
import { afterAll, describe, expect, test } from '@jest/globals'
import { nodeClock } from '../src/driver/node-clock.ts'
import { nodeDisk } from '../src/driver/node-disk.ts'
import { nodeRandom } from '../src/driver/node-random.ts'
import { textLogger } from '../src/driver/text-logger.ts'

const base = await mkdtemp(join(tmpdir(), 'cluster-platform-'))
afterAll(() => rm(base, { recursive: true, force: true }))
let folders = 0
const runner = { describe, test, expect }

diskSuite(runner, async () => ({ disk: nodeDisk(join(base, `disk-${++folders}`)), close: async () => {} }))
clockSuite(runner, async () => ({ clock: nodeClock }))

describe('nodeDisk', () => {
  test('says what it could not do, and where', async () => {
    const disk = nodeDisk(join(base, 'plain'))
    await disk.replace('file', new Uint8Array([1]))
    await expect(disk.open('file/below')).rejects.toMatchObject({ code: 'DISK_FAILED' })
    await expect(disk.open('file/below')).rejects.toThrow(/could not open .*below/)
  })

  test('an unfinished replace is no file', async () => {
    const disk = nodeDisk(join(base, 'unfinished'))
    await disk.replace('a.unfinished', new Uint8Array([1]))
    expect(await disk.list()).toEqual([])
  })
})

test('nodeRandom gives bytes and numbers that differ', () => {
  expect(nodeRandom.bytes(16)).toHaveLength(16)
  const numbers = new Set(Array.from({ length: 1000 }, () => nodeRandom.uint32()))
  expect(numbers.size).toBeGreaterThan(990)
})

test('textLogger writes events with their facts from its level on', () => {
  const lines: string[] = []
  const logger = textLogger((line) => lines.push(line), 'info').child({ layer: 'log' })
  logger.log('debug', 'not shown')
  logger.log('warn', 'disk is slow', { ms: 12, path: 'a b', absent: undefined })
  expect(lines).toHaveLength(1)
  expect(lines[0]).toMatch(/^\S+Z warn {2}disk is slow layer=log ms=12 path="a b"$/)
})
