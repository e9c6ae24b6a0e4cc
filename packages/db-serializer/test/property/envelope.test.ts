import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import {
  decodeBody,
  decodeEnvelope,
  ENVELOPE_BYTES,
  encodeBody,
  encodeCommand,
  encodeNote,
  encodePart,
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

  test('the parts of a command give its body back', () => {
    fc.assert(
      fc.property(
        fc.option(fc.string({ minLength: 1, maxLength: 40, unit: 'binary' })),
        fc.uint8Array({ minLength: 2, maxLength: 200 }),
        fc.integer({ min: 1, max: 100 }),
        (key, command, partBytes) => {
          const body = encodeBody({ machine: 3, key, command })
          expect(decodeBody(body)).toEqual({ machine: 3, key, command })
          const count = Math.max(2, Math.ceil(body.length / partBytes))
          for (let position = 0; position < count; position++) {
            const bytes = body.slice(position * partBytes, (position + 1) * partBytes)
            const part = encodePart({ session: 9, number: 4, low: 2 }, { position, count, bytes })
            expect(isEnvelope(part)).toBe(true)
            const read = { kind: 'part', session: 9, number: 4, low: 2, position, count, bytes }
            expect(decodeEnvelope(part)).toEqual(read)
          }
        },
      ),
    )
    const beyond = encodePart(
      { session: 1, number: 1, low: 1 },
      { position: 2, count: 2, bytes: new Uint8Array() },
    )
    expect(isEnvelope(beyond)).toBe(false)
    expect(decodeEnvelope(beyond)).toBeNull()
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
