import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, test } from '@jest/globals'
import { serviceTag } from '../../src/index.ts'

const PEER = fileURLToPath(new URL('./mdns-peer.ts', import.meta.url))
const prefix = `cl${process.pid % 100_000}`
const spaces = [`${prefix}a`, `${prefix}b`] as const
const ip = (...args: string[]): void => {
  execFileSync('ip', args, { stdio: 'pipe' })
}

/** Two network namespaces joined by a cable, so that nothing is multicast outside of them. @returns why not, or null */
function makeLan(): string | null {
  try {
    for (const space of spaces) ip('netns', 'add', space)
    ip(
      'link',
      'add',
      `${prefix}v0`,
      'netns',
      spaces[0],
      'type',
      'veth',
      'peer',
      'name',
      `${prefix}v1`,
      'netns',
      spaces[1],
    )
    for (const [index, space] of spaces.entries()) {
      const inside = (...args: string[]): void => ip('-n', space, ...args)
      inside('link', 'set', 'lo', 'up')
      inside('addr', 'add', `10.83.7.${index + 1}/24`, 'dev', `${prefix}v${index}`)
      inside('link', 'set', `${prefix}v${index}`, 'up')
      inside('route', 'add', 'default', 'dev', `${prefix}v${index}`)
    }
    return null
  } catch (error) {
    removeLan()
    return error instanceof Error ? error.message : String(error)
  }
}

function removeLan(): void {
  for (const space of spaces) {
    try {
      ip('netns', 'del', space)
    } catch {
      // It was never made.
    }
  }
}

interface Peer {
  readonly process: ChildProcess
  readonly id: string
  readonly lines: string[]
  /** Resolves with the first line that starts so. */
  line(start: string): Promise<string>
}

async function startPeer(space: string, name: string): Promise<Peer> {
  const args = ['netns', 'exec', space, process.execPath, '--conditions=source', PEER, name]
  const child = spawn('ip', args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines: string[] = []
  const waiting = new Set<() => void>()
  createInterface(child.stdout).on('line', (text) => {
    lines.push(text)
    for (const wake of waiting) wake()
  })
  const line = async (start: string): Promise<string> => {
    for (;;) {
      const found = lines.find((text) => text.startsWith(start))
      if (found !== undefined) return found
      await new Promise<void>((resolve) => waiting.add(resolve))
    }
  }
  const id = (await line('self ')).slice(5)
  return { process: child, id, lines, line }
}

async function endPeer({ process: child }: Peer): Promise<void> {
  if (child.exitCode !== null) return
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.stdin?.end()
  await ended
}

test('the service tag is of the cluster name and keeps it private', () => {
  expect(serviceTag('shop')).toMatch(/^_c-[0-9a-f]{12}\._udp\.local$/)
  expect(serviceTag('shop')).toBe(serviceTag('shop'))
  expect(serviceTag('shop')).not.toBe(serviceTag('shop2'))
})

test('nodes of one cluster name find each other by mDNS and make one link; others are not found', async () => {
  const obstacle = makeLan()
  if (obstacle !== null) {
    console.warn(`mDNS is not tried here, network namespaces cannot be made: ${obstacle.trim()}`)
    return
  }
  const peers: Peer[] = []
  try {
    const stranger = await startPeer(spaces[0], 'elsewhere')
    peers.push(stranger)
    const [a, b] = await Promise.all([startPeer(spaces[0], 'lan'), startPeer(spaces[1], 'lan')])
    peers.push(a, b)
    await Promise.all([a.line(`link ${b.id}`), b.line(`link ${a.id}`)])
    const all = peers.flatMap(({ lines }) => lines)
    expect(all.filter((line) => line.includes(stranger.id))).toEqual([`self ${stranger.id}`])
    expect(stranger.lines).toEqual([`self ${stranger.id}`])
    expect(all.filter((line) => line.startsWith('link '))).toHaveLength(2)
  } finally {
    await Promise.all(peers.map(endPeer))
    removeLan()
  }
}, 20_000)
