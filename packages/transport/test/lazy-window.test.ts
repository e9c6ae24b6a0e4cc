import { describe, expect, test } from '@jest/globals'
import type { Stream } from '@libp2p/interface'
import { lazyWindow } from '../src/driver/lazy-window.ts'

const ESTABLISHED = 3
const NEW = 2

class FakeStream {
  state = ESTABLISHED
  recvWindow = 1_000
  recvWindowCapacity = 1_000
  updates: number[] = []

  sendWindowUpdate(): void {
    this.updates.push(this.recvWindow - this.recvWindowCapacity)
    this.recvWindowCapacity = this.recvWindow
  }

  take(bytes: number): void {
    this.recvWindowCapacity -= bytes
    this.sendWindowUpdate()
  }
}

function lazy(): FakeStream {
  const stream = new FakeStream()
  lazyWindow(stream as unknown as Stream)
  return stream
}

describe('a lazy window', () => {
  test('gives room only once half of it is used, and then all of it', () => {
    const stream = lazy()
    for (let i = 0; i < 12; i++) stream.take(100)
    expect(stream.updates).toEqual([500, 500])
    expect(stream.recvWindowCapacity).toBe(800)
  })

  test('answers the opening of a stream at once, as the other side waits for that', () => {
    const stream = lazy()
    stream.state = NEW
    stream.take(1)
    expect(stream.updates).toEqual([1])
  })

  test('leaves streams alone that have no such window', () => {
    const stream = { send: () => true }
    lazyWindow(stream as unknown as Stream)
    expect(Object.keys(stream)).toEqual(['send'])
  })
})
