import { address, type MemberState, nodeId } from '@cluster/core'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { decodeMessage, encodeMessage, WIRE_VERSION } from '../../src/driver/wire.ts'
import type { MembershipMessage } from '../../src/machine/messages.ts'

const word = fc.string({ minLength: 1, maxLength: 60, unit: 'binary' })
const member = fc.record({
  id: word.map(nodeId),
  start: fc.nat(),
  state: fc.constantFrom<MemberState>('alive', 'suspected', 'dead', 'away', 'left'),
  addresses: fc.array(word.map(address), { maxLength: 16 }),
})
const message = fc.oneof(
  fc.constant<MembershipMessage>({ type: 'heartbeat' }),
  fc.constantFrom<MembershipMessage>(
    { type: 'goodbye', reason: 'away' },
    { type: 'goodbye', reason: 'left' },
  ),
  fc.array(member, { maxLength: 64 }).map((members): MembershipMessage => ({ type: 'members', members })),
)

describe('membership frames', () => {
  test('arrive as they were sent', () => {
    fc.assert(fc.property(message, (sent) => expect(decodeMessage(encodeMessage(sent))).toEqual(sent)))
  })

  test('garbage is told from frames and never throws', () => {
    const bytes = fc.uint8Array({ maxLength: 200 })
    fc.assert(
      fc.property(bytes, fc.nat(3), (body, kind) => {
        decodeMessage(body)
        decodeMessage(Uint8Array.of(WIRE_VERSION, kind, ...body))
      }),
      { numRuns: 2_000 },
    )
  })

  test('a damaged frame is told from frames or still has the shape of one', () => {
    fc.assert(
      fc.property(message, fc.nat(), fc.integer({ min: 1, max: 255 }), (sent, at, flip) => {
        const bytes = encodeMessage(sent).slice()
        const index = at % bytes.length
        bytes[index] = (bytes[index] ?? 0) ^ flip
        const read = decodeMessage(bytes)
        if ('malformed' in read || read.type !== 'members') return
        for (const { id, start, addresses } of read.members) {
          expect(typeof id).toBe('string')
          expect(Number.isSafeInteger(start)).toBe(true)
          expect(addresses.every((text) => typeof text === 'string')).toBe(true)
        }
      }),
      { numRuns: 500 },
    )
  })

  test('another version, or nothing at all, is malformed', () => {
    expect(decodeMessage(Uint8Array.of(WIRE_VERSION + 1, 0))).toHaveProperty('malformed')
    expect(decodeMessage(new Uint8Array(0))).toHaveProperty('malformed')
    expect(decodeMessage(Uint8Array.of(WIRE_VERSION, 99, 0xf5))).toHaveProperty('malformed')
  })
})
