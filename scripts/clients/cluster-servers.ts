import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { CalledProcess, selfSigned } from '@cluster/testkit'
import { freePorts } from '../../packages/bench/src/ports.ts'
import type { NodeOptions } from './node.ts'
import type { ClientServers } from './servers.ts'

const PROGRAM = fileURLToPath(new URL('node.ts', import.meta.url))
const START_MS_MAX = 60_000

/** Nodes of ours that clients are run against. */
export interface ClusterServers extends ClientServers {
  /** Bytes that the nodes need, once what nobody needs is freed. */
  needed(): Promise<number>
}

/**
 * Fresh nodes in processes of their own, on loopback, in a temporary folder.
 * @param connectionsMax of each node; default: the node's own
 */
export async function clusterServers(
  count: number,
  { connectionsMax }: Pick<NodeOptions, 'connectionsMax'> = {},
): Promise<ClusterServers> {
  const folder = await mkdtemp(join(tmpdir(), 'cluster-clients-'))
  const addresses = (await freePorts(count)).map((port) => `127.0.0.1:${port}`)
  const nodes = addresses.map((listen, i) => {
    const options: NodeOptions = {
      data: join(folder, String(i)),
      listen,
      seeds: addresses.filter((address) => address !== listen),
      ...(connectionsMax === undefined ? {} : { connectionsMax }),
    }
    const args = [
      '--conditions=source',
      '--disable-warning=ExperimentalWarning',
      PROGRAM,
      JSON.stringify(options),
    ]
    return new CalledProcess(`node ${i + 1}`, { program: process.execPath, args }, () => {})
  })
  const stop = async (): Promise<void> => {
    await Promise.all(nodes.map((node) => node.stop()))
    await rm(folder, { recursive: true, force: true })
  }
  try {
    const ports = await Promise.all(nodes.map((node) => node.call<number>('ready', null, START_MS_MAX)))
    return {
      title: `${count} nodes`,
      async database(name) {
        const deadline = performance.now() + START_MS_MAX
        for (;;) {
          const settled = await Promise.all(
            nodes.map((node) => node.call<boolean>('database', { name, nodes: count })),
          )
          if (settled.every(Boolean)) break
          if (performance.now() > deadline) throw new Error('the nodes did not settle')
          await pause(20)
        }
        return ports.map((port) => `postgresql://cluster@127.0.0.1:${port}/${name}`)
      },
      async secured() {
        const [node] = nodes
        if (node === undefined) throw new Error('there is no node')
        return node.call<number>('secured', selfSigned())
      },
      async needed() {
        const all = await Promise.all(nodes.map((node) => node.call<number>('needed')))
        return all.reduce((sum, bytes) => sum + bytes, 0)
      },
      pids: () => nodes.map(({ pid }) => pid),
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}
