import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import {
  backoffMs,
  ClusterError,
  crc32c,
  EventHub,
  errorCode,
  hash32,
  isClusterError,
  type Random,
  shuffle,
} from '../src/index.ts'

const fixed = (value: number): Random => ({ uint32: () => value, bytes: (length) => new Uint8Array(length) })

/** The same checksum bit by bit, straight from its polynomial. */
function naiveCrc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
  }
  return ~crc >>> 0
}

describe('crc32c', () => {
  test('gives the published check value', () => {
    expect(crc32c(new TextEncoder().encode('123456789'))).toBe(0xe3069283)
  })

  test('equals the naive one, also in pieces', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat({ max: 100 }), (bytes, cut) => {
        const whole = crc32c(bytes)
        return (
          whole === naiveCrc32c(bytes) &&
          crc32c(bytes.subarray(cut), crc32c(bytes.subarray(0, cut))) === whole
        )
      }),
    )
  })
})

describe('hash32', () => {
  test('is the same on every platform and release', () => {
    expect([hash32(''), hash32('a'), hash32('partition 1'), hash32('\xff\u1234', 7)]).toMatchInlineSnapshot(`
[
  0,
  530429928,
  3584911931,
  3242866890,
]
`)
  })

  test('spreads near texts evenly', () => {
    const counts = new Array<number>(16).fill(0)
    for (let i = 0; i < 16_000; i++) {
      const slot = hash32(`key ${i}`) % 16
      counts[slot] = (counts[slot] ?? 0) + 1
    }
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(150)
  })
})

test('back-off grows to its bound and keeps at least half', () => {
  const options = { baseMs: 10, maxMs: 1000 }
  expect(backoffMs(fixed(0), 0, options)).toBe(5)
  expect(backoffMs(fixed(0xffffffff), 0, options)).toBeLessThanOrEqual(10)
  expect(backoffMs(fixed(0xffffffff), 99, options)).toBeLessThanOrEqual(1000)
  expect(backoffMs(fixed(0), 99, options)).toBe(500)
})

test('shuffle keeps every item', () => {
  const items = Array.from({ length: 50 }, (_, i) => i)
  expect(shuffle(fixed(0x9000_0000), items).sort((a, b) => a - b)).toEqual(items)
})

describe('errors', () => {
  const error = new ClusterError({ code: 'X_GONE', outcome: 'rejected', which: 3 }, 'gone; try another')

  test('carry code, outcome and detail, also across a link', () => {
    const again = ClusterError.fromObject(JSON.parse(JSON.stringify(error.toObject())))
    expect(again).toMatchObject({ code: 'X_GONE', outcome: 'rejected', message: 'gone; try another' })
    expect(again.detail).toEqual(error.detail)
  })

  test('are told from others', () => {
    expect(isClusterError(error)).toBe(true)
    expect(isClusterError(new Error('x'))).toBe(false)
    expect(errorCode(error)).toBe('X_GONE')
    expect(errorCode(null)).toBeNull()
  })
})

describe('EventHub', () => {
  test('calls listeners in order until they are cancelled', async () => {
    const hub = new EventHub<{ tick: number }>()
    const seen: string[] = []
    const cancel = hub.on('tick', (n) => seen.push(`a${n}`))
    hub.on('tick', (n) => seen.push(`b${n}`))
    const even = hub.next('tick', (n) => n % 2 === 0)
    hub.emit('tick', 1)
    cancel()
    cancel()
    hub.emit('tick', 2)
    expect(seen).toEqual(['a1', 'b1', 'b2'])
    expect(await even).toBe(2)
  })
})
