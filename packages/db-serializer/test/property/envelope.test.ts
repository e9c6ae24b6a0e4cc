import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import {
  decodeEnvelope,
  ENVELOPE_BYTES,
  encodeCommand,
  encodeNote,
  isEnvelope,
  ownerOfOpen,
} from '../../src/machine/commands/envelope.ts'

const whole = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER })

describe('envelopes', () => {
  test('give back what went in', () => {
    fc.assert(
      fc.property(
        whole,
        whole,
        fc.nat(100_000),
        fc.nat(254),
        fc.option(fc.string({ minLength: 1, maxLength: 40, unit: 'binary' })),
        fc.uint8Array({ maxLength: 200 }),
        (session, number, back, machine, key, command) => {
          const low = Math.max(1, number - back)
          const bytes = encodeCommand(session, number, low, machine, key, command)
          expect(isEnvelope(bytes)).toBe(true)
          expect(decodeEnvelope(bytes)).toEqual({
            kind: 'command',
            session,
            number,
            low,
            machine,
            key,
            command,
          })
          expect(ownerOfOpen(bytes)).toBeNull()
        },
      ),
    )
  })

  test('have a layout that is fixed', () => {
    const bytes = encodeCommand(258, 3, 2, 1, 'k', new Uint8Array([0xff]))
    expect(Buffer.from(bytes).toString('hex')).toBe(
      '0101' + '0000000000207040' + '0000000000000840' + '01000000' + '01' + '0100' + '6b' + 'ff',
    )
    expect(bytes.length).toBe(ENVELOPE_BYTES + 2)
  })

  test('garbage is no envelope, and never an exception', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        const decoded = decodeEnvelope(bytes)
        if (decoded === null) expect(isEnvelope(bytes)).toBe(false)
      }),
    )
    expect(decodeEnvelope(new Uint8Array([1, 2, 0x7b]))).toBeNull()
    expect(isEnvelope(new Uint8Array([2, 1]))).toBe(false)
  })

  test('notes name their owner', () => {
    const open = encodeNote({ note: 'open', owner: 'a', nonce: 'n', machines: ['m'], supports: 1 })
    expect(isEnvelope(open)).toBe(true)
    expect(ownerOfOpen(open)).toBe('a')
    expect(ownerOfOpen(encodeNote({ note: 'seal', into: 'x' }))).toBe('')
  })
})
