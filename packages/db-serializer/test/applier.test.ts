import { type Clock, type LogIndex, logIndex, type NodeId, nodeId, type Term } from '@cluster/core'
import { expect, test } from '@jest/globals'
import { Applier } from '../src/driver/commands/applier.ts'
import { encodeNote } from '../src/machine/commands/envelope.ts'
import type { Configuration, Entry } from '../src/machine/raft/types.ts'

const clock = { turn: () => Promise.resolve() } as unknown as Clock

function applier(): { readonly applier: Applier; readonly removed: string[] } {
  const removed: string[] = []
  const made = new Applier(nodeId('a'), { supports: 1, witness: false }, clock, {
    versionRaised() {},
    settled: () => {},
    gathered: () => {},
    opened: () => {},
    closed: () => {},
    removed: (node, reason) => removed.push(`${node} ${reason}`),
    sealed: () => {},
    progressed: () => {},
    failed: (error) => {
      throw error
    },
  })
  return { applier: made, removed }
}

const of = (...voters: string[]): Configuration => ({
  voters: voters.map(nodeId),
  learners: [],
  away: [],
  provisional: false,
})

const head = (index: number) => ({ index: logIndex(index), term: 1 as Term, time: 0, wall: 0 })
const configured = (index: number, configuration: Configuration): Entry => ({
  ...head(index),
  kind: 'configuration',
  configuration,
})
const opened = (index: number, owner: string): Entry => ({
  ...head(index),
  kind: 'command',
  data: encodeNote({ note: 'open', owner, nonce: 'n', machines: [], supports: 1 }),
})

test('a snapshot brings its sessions, also of one that was removed and opened another one since', async () => {
  const members = of('a', 'b', 'c')
  const entries = [configured(1, members), opened(2, 'c'), configured(3, of('a', 'b')), opened(4, 'c')]
  const there = applier()
  there.applier.push(entries)
  const behind = applier()
  behind.applier.push(entries.slice(0, 2))
  const at: LogIndex = logIndex(4)
  behind.applier.hold()
  await behind.applier.restore(there.applier.snapshot().pieces(clock.turn), at, of('a', 'b'))
  const owner: NodeId = nodeId('c')
  expect(there.applier.sessions.find(owner)?.id).toBe(4)
  expect(behind.applier.sessions.save()).toEqual(there.applier.sessions.save())
  expect(behind.removed).toEqual(there.removed)
})
