import { EventHub, type NodeId, nodeId } from '@cluster/core'
import { type MutexOptions, mutex } from '@cluster/mutex'
import { type MutexFixture, modelWorld } from '@cluster/testkit'

const SETTLE_MS = 120_000

/** Nodes with locks over the model of a log, in virtual time. */
export function modelCluster(options: MutexOptions = {}) {
  const proofs = new EventHub<{ readonly death: { readonly node: NodeId } }>()
  const deaths = (listener: (node: NodeId) => void) => proofs.on('death', ({ node }) => listener(node))
  const cluster = modelWorld('locks', (ports) => mutex(options)({ ...ports, deaths }), SETTLE_MS)
  const { world, model, node, app } = cluster
  const more: Pick<MutexFixture, 'stall' | 'holds'> = {
    stall(name, ms) {
      node(name).stall(ms)
      model.hold(name)
      world.schedule(ms, () => model.release(name))
    },
    async holds(name, condition) {
      const { log } = app(name)
      // A note about a node that nobody knows does nothing.
      const { adopted } = await log.submitBundle({
        requires: [{ machine: 'mutex', condition }],
        commands: [{ machine: 'mutex', command: Uint8Array.of(1, 6, 1, 63, 0) }],
      })
      return adopted
    },
  }
  /** Every node is told that no process of that one is there. */
  const proveDead = (name: string): void => proofs.emit('death', { node: nodeId(name) })
  return { ...cluster, ...more, proveDead }
}
