import { type FrameStream, logIndex, type NodeId, nodeId, type Peers, silentLogger } from '@cluster/core'
import { MemoryDisk } from '@cluster/testkit'
import { describe, expect, test } from '@jest/globals'
import { LogFiles } from '../src/driver/disk/log-files.ts'
import { type Received, SnapshotInbox, sendSnapshot } from '../src/driver/network/snapshot-streams.ts'
import type { Lineage, SnapshotMeta } from '../src/machine/raft/types.ts'
import { TestRandom } from './raft-cluster.ts'

const history = { cluster: 'c1', lineage: 'l1', ancestry: [] } as unknown as Lineage
const meta = (index: number): SnapshotMeta => ({
  index: logIndex(index),
  term: 3 as never,
  time: 0,
  configuration: { voters: [nodeId('a'), nodeId('b')], learners: [], away: [], provisional: false },
  configurationIndex: logIndex(1),
  history,
})

class LinkLost extends Error {}

/** One end of a stream. A frame is taken by the other end before the next one may be sent. */
class End implements FrameStream {
  readonly peer: NodeId = nodeId('x')
  other: End | null = null
  #inbox: Uint8Array[] = []
  #ended = false
  #failed = false
  #wake: () => void = () => {}
  #room: () => void = () => {}
  readonly #pipe: { left: number }

  constructor(pipe: { left: number }) {
    this.#pipe = pipe
  }

  async send(frame: Uint8Array): Promise<void> {
    if (this.#failed || this.#pipe.left <= 0) {
      this.lose()
      throw new LinkLost('the link is down')
    }
    this.#pipe.left--
    const { other } = this
    other?.take(frame)
    await new Promise<void>((resolve) => other?.whenRoom(resolve))
    if (this.#failed) throw new LinkLost('the link went down')
  }

  take(frame: Uint8Array): void {
    this.#inbox.push(frame)
    this.#wake()
  }

  whenRoom(resolve: () => void): void {
    if (this.#inbox.length === 0 || this.#failed) resolve()
    else this.#room = resolve
  }

  async close(): Promise<void> {
    if (this.other) this.other.end()
  }

  end(): void {
    this.#ended = true
    this.#wake()
  }

  abort(): void {
    this.lose()
  }

  lose(): void {
    for (const end of [this, this.other]) end?.fail()
  }

  fail(): void {
    this.#failed = true
    this.#wake()
    this.#room()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (;;) {
      const frame = this.#inbox.shift()
      if (frame !== undefined) {
        if (this.#inbox.length === 0) this.#room()
        yield frame
        continue
      }
      if (this.#failed) throw new LinkLost('the link went down')
      if (this.#ended) return
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }
}

/** A follower's folder and inbox, and a way there that breaks after so many frames in both directions together. */
async function follower() {
  const disk = new MemoryDisk()
  const files = await LogFiles.open(disk)
  const got: Received[] = []
  const inbox = new SnapshotInbox({ logger: silentLogger, create: (of) => files.newSnapshot(of) })
  const sent = { pieces: 0 }
  const send = (
    index: number,
    pieces: readonly Uint8Array[],
    framesMax = Number.POSITIVE_INFINITY,
    spoil = false,
  ): Promise<boolean> => {
    const pipe = { left: framesMax }
    const [here, there] = [new End(pipe), new End(pipe)]
    here.other = there
    there.other = here
    const peers = {
      async openStream(_to: NodeId, _service: string, opening: Uint8Array) {
        inbox.receive(opening, there, (received) => got.push(received))
        return here
      },
    } as unknown as Peers
    const source = async function* (from: number): AsyncGenerator<Uint8Array> {
      for (const piece of pieces.slice(from)) {
        sent.pieces++
        if (spoil) yield Uint8Array.from(piece, (byte) => byte ^ 1)
        else yield piece
      }
    }
    return summaryOf(pieces).then((summary) =>
      sendSnapshot(peers, nodeId('b'), 3, { meta: meta(index), summary, pieces: source }, silentLogger, {}),
    )
  }
  return { disk, files, got, send, sent, inbox }
}

async function summaryOf(pieces: readonly Uint8Array[]) {
  const files = await LogFiles.open(new MemoryDisk())
  const writer = await files.newSnapshot(meta(1))
  for (const piece of pieces) await writer.add(piece)
  return writer.summary
}

const random = new TestRandom(7)
const some = (count: number): Uint8Array[] =>
  Array.from({ length: count }, () => random.bytes(1 + random.below(60)))

async function content(disk: MemoryDisk, path: string): Promise<number[]> {
  const name = `snapshot-${'9'.padStart(16, '0')}`
  await disk.rename(path, name)
  const { SnapshotReader } = await import('../src/driver/disk/snapshot-file.ts')
  const reader = await SnapshotReader.open(disk, 9)
  const bytes: number[] = []
  for await (const piece of reader.pieces()) bytes.push(...piece)
  await reader.close()
  return bytes
}

describe('a snapshot on its way to a follower', () => {
  test('comes over whole, and is on the disk then', async () => {
    const { disk, got, send } = await follower()
    const pieces = some(9)
    expect(await send(9, pieces)).toBe(true)
    expect(got).toHaveLength(1)
    expect(got[0]?.opening.meta).toEqual(meta(9))
    expect(await content(disk, got[0]?.snapshot.path ?? '')).toEqual(pieces.flatMap((piece) => [...piece]))
  })

  test('goes on where a link broke, however often and wherever that was', async () => {
    for (let seed = 1; seed <= 150; seed++) {
      const chance = new TestRandom(seed)
      const { disk, got, send, sent } = await follower()
      const pieces = some(1 + chance.below(40))
      let breaks = 0
      while (!(await send(9, pieces, 1 + chance.below(12)))) breaks++
      // The link may break with the very last word, and the sender ask once more: then the follower begins anew.
      const whole = got[0]
      expect(whole?.opening.meta).toEqual(meta(9))
      expect(await content(disk, whole?.snapshot.path ?? '')).toEqual(pieces.flatMap((piece) => [...piece]))
      const again = got.length - 1
      // At each break one piece at most was on its way.
      expect([seed, sent.pieces <= pieces.length * (1 + again) + breaks]).toEqual([seed, true])
    }
  })

  test('is begun anew when another one comes, and what was there of the first is gone', async () => {
    const { disk, got, send, sent } = await follower()
    expect(await send(9, some(20), 10)).toBe(false)
    const newer = some(15)
    const before = sent.pieces
    expect(await send(12, newer)).toBe(true)
    expect(sent.pieces - before).toBe(15)
    expect(got.map(({ opening }) => opening.meta.index)).toEqual([12])
    expect((await disk.list()).filter((path) => path.startsWith('incoming-'))).toHaveLength(1)
  })

  test('of the same moment but with another content is another one', async () => {
    const { got, send, sent } = await follower()
    const first = some(20)
    expect(await send(9, first, 10)).toBe(false)
    const before = sent.pieces
    const other = [...first.slice(0, 19), new Uint8Array([1])]
    expect(await send(9, other)).toBe(true)
    expect(sent.pieces - before).toBe(20)
    expect(got).toHaveLength(1)
  })

  test('whose pieces are not what was announced is refused', async () => {
    const { disk, got, send } = await follower()
    expect(await send(9, some(5), Number.POSITIVE_INFINITY, true)).toBe(false)
    expect(got).toEqual([])
    expect((await disk.list()).filter((path) => path.startsWith('incoming-'))).toEqual([])
  })

  test('a second stream takes the place of one whose end was not noticed', async () => {
    const { got, send } = await follower()
    const pieces = some(30)
    const stuck = send(9, pieces)
    await Promise.resolve()
    const second = send(9, pieces)
    expect(await second).toBe(true)
    expect(got.length).toBeGreaterThanOrEqual(1)
    await stuck
  })

  test('leaves nothing behind after a restart that was not whole', async () => {
    const { disk, send } = await follower()
    expect(await send(9, some(20), 10)).toBe(false)
    expect((await disk.list()).filter((path) => path.startsWith('incoming-'))).toHaveLength(1)
    await LogFiles.open(disk)
    expect((await disk.list()).filter((path) => path.startsWith('incoming-'))).toEqual([])
  })
})
