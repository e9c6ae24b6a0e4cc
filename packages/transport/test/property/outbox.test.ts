import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { Outbox } from '../../src/machine/outbox.ts'
import {
  FRAME,
  FrameReader,
  PIECE_BYTES_MAX,
  PieceReader,
  ProtocolViolation,
  readU16,
  WIRE_FRAME_BYTES_MAX,
  writeU16,
  writeU32,
} from '../../src/machine/wire.ts'

interface Frame {
  readonly channel: number
  readonly ordered: boolean
  readonly size: number
}

const size = fc.oneof(
  { weight: 6, arbitrary: fc.nat(200) },
  { weight: 2, arbitrary: fc.integer({ min: 15_000, max: 18_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 60_000, max: 200_000 }) },
)
const frame: fc.Arbitrary<Frame> = fc.record({ channel: fc.nat(3), ordered: fc.boolean(), size })

function payloadOf(index: number, length: number): Uint8Array {
  const payload = new Uint8Array(length + 4)
  writeU32(payload, 0, index)
  payload.fill(index & 255, 4)
  return payload
}

/** Everything that the blocks carry, as whole frames in the order of their completion. */
function receive(blocks: readonly Uint8Array[]): Uint8Array[] {
  const reader = new FrameReader(WIRE_FRAME_BYTES_MAX)
  const pieces = new PieceReader(1 << 20)
  const frames: Uint8Array[] = []
  const take = (bytes: Uint8Array, start: number, end: number): void => {
    const type = bytes[start]
    if (type !== FRAME.first && type !== FRAME.next) frames.push(bytes.slice(start, end))
    else {
      const whole =
        type === FRAME.first ? pieces.first(bytes, start + 1, end) : pieces.next(bytes, start + 1, end)
      if (whole) frames.push(whole)
    }
  }
  for (const block of blocks) reader.push(block, take)
  return frames
}

/** Cuts the concatenation of the blocks anew, as a network may. */
function recut(blocks: readonly Uint8Array[], cuts: readonly number[]): Uint8Array[] {
  const whole = new Uint8Array(blocks.reduce((sum, block) => sum + block.length, 0))
  let at = 0
  for (const block of blocks) {
    whole.set(block, at)
    at += block.length
  }
  const result: Uint8Array[] = []
  at = 0
  for (let i = 0; at < whole.length; i++) {
    const next = Math.min(whole.length, at + 1 + (cuts[i % cuts.length] ?? 1000))
    result.push(whole.subarray(at, next))
    at = next
  }
  return result
}

test('every frame arrives whole and once; those of one channel in order', () => {
  fc.assert(
    fc.property(
      fc.array(frame, { maxLength: 40 }),
      fc.array(fc.oneof(fc.nat(10), fc.nat(70_000)), { minLength: 1, maxLength: 10 }),
      fc.nat(5),
      (frames, cuts, takeEvery) => {
        const outbox = new Outbox()
        const blocks: Uint8Array[] = []
        const head = new Uint8Array(3)
        for (const [index, { channel, ordered, size: length }] of frames.entries()) {
          head[0] = FRAME.notify
          writeU16(head, 1, channel)
          outbox.add(head, 3, payloadOf(index, length), ordered ? channel : -1)
          if (takeEvery > 0 && index % takeEvery === 0) {
            const block = outbox.take()
            if (block) blocks.push(block)
          }
        }
        for (let block = outbox.take(); block; block = outbox.take()) blocks.push(block)
        expect(outbox.bytes).toBe(0)
        expect(Math.max(0, ...blocks.map((block) => block.length))).toBeLessThanOrEqual(64 * 1024)

        const got = receive(recut(blocks, cuts))
        const indexOf = (bytes: Uint8Array): number => readU16(bytes, 3)
        expect(got.map(indexOf).sort((a, b) => a - b)).toEqual(frames.map((_, index) => index))
        for (const bytes of got) {
          const index = indexOf(bytes)
          expect(bytes.length).toBe(3 + 4 + (frames[index]?.size ?? -1))
          expect(bytes.subarray(7).every((byte) => byte === (index & 255))).toBe(true)
        }
        for (const channel of [0, 1, 2, 3]) {
          const ordered = got.map(indexOf).filter((index) => {
            const sent = frames[index]
            return sent?.ordered && sent.channel === channel
          })
          expect(ordered).toEqual([...ordered].sort((a, b) => a - b))
        }
      },
    ),
    { numRuns: 200 },
  )
})

test('a small frame does not wait for the large ones before it, nor overtake the small', () => {
  const outbox = new Outbox()
  const head = Uint8Array.of(FRAME.reply)
  outbox.add(head, 1, new Uint8Array(1), -1)
  outbox.add(head, 1, new Uint8Array(1_000_000), -1)
  outbox.add(head, 1, new Uint8Array(2), -1)
  expect(outbox.take()?.length).toBe(4 + 2 + 4 + 3)
  expect(outbox.take()?.length).toBe(4 + PIECE_BYTES_MAX)
})

test('what breaks the framing is refused', () => {
  const push = (...bytes: number[]): void => new FrameReader(100).push(Uint8Array.from(bytes), () => {})
  expect(() => push(0, 0, 0, 0)).toThrow(ProtocolViolation)
  expect(() => push(101, 0, 0, 0)).toThrow(ProtocolViolation)
  expect(() => push(0xff, 0xff, 0xff, 0xff)).toThrow(ProtocolViolation)
  const pieces = new PieceReader(10)
  expect(() => pieces.next(new Uint8Array(3), 0, 3)).toThrow(ProtocolViolation)
  expect(() => pieces.first(Uint8Array.of(11, 0, 0, 0, 1), 0, 5)).toThrow(ProtocolViolation)
  expect(() => pieces.first(Uint8Array.of(2, 0, 0, 0, 1, 1, 1), 0, 7)).toThrow(ProtocolViolation)
})
