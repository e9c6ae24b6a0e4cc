import { clusterId, lineageId, logIndex, nodeId, term } from '@cluster/core'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { WireError } from '../src/driver/network/shape.ts'
import {
  decodeFrame,
  decodeOpening,
  decodeWish,
  decodeWishAnswer,
  encodeFrame,
  encodeOpening,
  encodeWish,
  encodeWishAnswer,
  type Frame,
} from '../src/driver/network/wire.ts'
import type { Configuration, Lineage, Message, SnapshotMeta } from '../src/machine/raft/types.ts'

const head = { lineage: lineageId('l'), term: term(7) }
const at = (index: number, t: number) => ({ index: logIndex(index), term: term(t) })
const configuration: Configuration = {
  voters: [nodeId('a'), nodeId('b')],
  learners: [nodeId('c')],
  away: [nodeId('d')],
  provisional: false,
}
const history: Lineage = {
  cluster: clusterId('x'),
  lineage: lineageId('l'),
  ancestry: [{ lineage: lineageId('k'), ...at(5, 2), by: nodeId('a'), senior: nodeId('b') }],
}
const meta: SnapshotMeta = {
  ...at(9, 3),
  time: 12.5,
  configuration,
  configurationIndex: logIndex(8),
  history,
}

const resting = {
  type: 'append',
  ...head,
  previous: at(3, 2),
  entries: [],
  commit: logIndex(3),
  round: 11,
  configuration: logIndex(2),
  acknowledged: true,
  rest: true,
} as const
const messages: Message[] = [
  { type: 'preVote', ...head, last: at(3, 2) },
  { type: 'preVoteReply', ...head, granted: true, commit: at(2, 2) },
  { type: 'vote', ...head, last: at(2 ** 40, 2), transfer: true },
  { type: 'voteReply', ...head, granted: false },
  {
    type: 'append',
    ...head,
    previous: at(3, 2),
    entries: [
      { ...at(4, 7), time: 1.5, wall: 1e12, kind: 'command', data: new Uint8Array([1, 2]) },
      { ...at(5, 7), time: 2, wall: 1e12, kind: 'noop' },
      { ...at(6, 7), time: 2, wall: 1e12, kind: 'configuration', configuration },
    ],
    commit: logIndex(3),
    round: 11,
    configuration: logIndex(6),
    acknowledged: true,
  },
  resting,
  { ...resting, everywhere: logIndex(2) },
  {
    type: 'appendReply',
    ...head,
    round: 11,
    match: logIndex(0),
    rejected: { previous: logIndex(3), hint: at(2, 1) },
    configuration: logIndex(6),
    acknowledged: false,
  },
  {
    type: 'appendReply',
    ...head,
    round: 1,
    match: logIndex(6),
    rejected: null,
    configuration: logIndex(6),
    acknowledged: true,
  },
  { type: 'timeoutNow', ...head },
  { type: 'lineage', ...head, history },
]

const frames: Frame[] = [
  ...messages.map((message): Frame => ({ type: 'raft', message })),
  { type: 'forward', envelopes: [new Uint8Array([1]), new Uint8Array([2, 3])] },
  { type: 'ask', ask: 4 },
  { type: 'answer', ask: 4, index: logIndex(77) },
  { type: 'answer', ask: 5, index: null },
  { type: 'hello', hello: { status: 'fresh', promise: null, supports: 1, witness: false } },
  {
    type: 'hello',
    hello: {
      status: 'fresh',
      promise: nodeId('a'),
      disk: 'd2',
      supports: 2,
      witness: true,
      renounced: [{ disk: 'd1', lineage: lineageId('l'), configuration: 7 }],
    },
  },
  {
    type: 'hello',
    hello: {
      status: 'grouped',
      history,
      configuration,
      configurationIndex: 6,
      leader: nodeId('a'),
      empty: true,
      tombstones: ['y'],
      forked: { writes: 7, keep: 'most-writes' },
    },
  },
]

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

describe('frames', () => {
  test.each(frames.map((frame) => [frame.type === 'raft' ? frame.message.type : frame.type, frame] as const))(
    '%s comes out as it went in',
    (_, frame) => {
      const decoded = decodeFrame(encodeFrame(frame))
      expect(hex(encodeFrame(decoded))).toBe(hex(encodeFrame(frame)))
      // Bytes come out as views of the frame; a clone makes plain arrays of them.
      expect(structuredClone(decoded)).toEqual(frame)
    },
  )

  test('wishes, their answers and openings of snapshots do too', () => {
    const node = nodeId('a')
    const join = { node, wish: 'join', fresh: true, disk: 'd1', supports: 2, witness: true } as const
    for (const wish of [join, { node, wish: 'away' } as const, { node, wish: 'left' } as const])
      expect(decodeWish(encodeWish(wish))).toEqual(wish)
    const answer = { granted: true, leader: nodeId('b'), needs: 3 }
    expect(decodeWishAnswer(encodeWishAnswer(answer))).toEqual(answer)
    const opening = { term: 3, meta, bytes: 100, checksum: 0xffff_ffff }
    expect(decodeOpening(encodeOpening(opening))).toEqual(opening)
  })

  // The bytes of version 3. When this fails, raise WIRE_VERSION, or undo the change of the layout.
  test('have the layout of version 3', () => {
    expect(frames.map((frame) => hex(encodeFrame(frame)))).toMatchInlineSnapshot(`
[
  "8303018501616c070302",
  "8303018702616c07f50202f6",
  "8303018603616c07fb427000000000000002f5",
  "8303018504616c07f4f6",
  "8303018a05616c070302030b06f58f07fb3ff8000000000000fb426d1a94a2000000004201020702fb426d1a94a200000001f60702fb426d1a94a200000002888261616162816163816164f4f6f6f6f6",
  "8303018c05616c070302030b02f580f6f5",
  "8303018c05616c070302030b02f58002f5",
  "8303018906616c070b0006f483030201f6",
  "8303018906616c07010606f5f6f6",
  "8303018307616c07",
  "8303018408616c07836178616c8185616b050261616162",
  "830302824101420203",
  "83030304",
  "84030404184d",
  "84030405f6",
  "8303058600f6f6f601f4",
  "830305860061616264328183626431616c0702f5",
  "8303058801836178616c8185616b050261616162888261616162816163816164f4f6f6f6f6066161f581617982076b6d6f73742d777269746573",
]
`)
  })

  test('another version is not read', () => {
    const frame = encodeFrame({ type: 'ask', ask: 1 })
    frame[1] = 99
    expect(() => decodeFrame(frame)).toThrow(WireError)
  })

  test('garbage throws nothing but WireError', () => {
    const refuse = (bytes: Uint8Array): void => {
      try {
        decodeFrame(bytes)
      } catch (error) {
        expect(error).toBeInstanceOf(WireError)
      }
    }
    fc.assert(fc.property(fc.uint8Array({ maxLength: 80 }), refuse))
    // Sound frames with one byte changed get further.
    fc.assert(
      fc.property(fc.constantFrom(...frames), fc.nat(), fc.nat(255), (frame, place, value) => {
        const bytes = Uint8Array.from(encodeFrame(frame))
        bytes[place % bytes.length] = value
        refuse(bytes)
      }),
      { numRuns: 500 },
    )
  })
})
