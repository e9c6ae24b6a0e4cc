import { type Cancel, type Member, type MemberState, unreachable } from '@cluster/core'
import type { Cluster } from '@cluster/node'
import { shortId } from './report.ts'

/** Tells people what happens in the cluster, a line each. */
export function announce(cluster: Cluster, say: (line: string) => void): Cancel {
  let waiting: string | null = null
  const sayWaiting = (what: string | null): void => {
    if (what !== null && what !== waiting)
      say(`* waiting for ${what.replace(/[A-Za-z0-9]{40,}/g, (id) => id.slice(-8))}`)
    waiting = what
  }
  // The first wait begins while the node starts.
  sayWaiting(cluster.waitingFor())
  const cancels = [
    cluster.on('member', ({ member, before }) => {
      const text = memberNotice(member, before)
      if (text !== null) say(text)
    }),
    cluster.on('tookOver', ({ database, partitions, rows, from, source }) => {
      const what = partitions.length === 1 ? `partition ${partitions[0]}` : `${partitions.length} partitions`
      const size = `${rows} ${rows === 1 ? 'row' : 'rows'}`
      const copied = source === null ? '' : `, copied from ${shortId(source)}`
      if (from === null) say(`* now holds ${what} of ${database}: ${size}${copied}`)
      else say(`* took over ${what} of ${database} from ${shortId(from)}: ${size}${copied}`)
    }),
    cluster.on('removed', ({ node, reason }) => {
      say(
        `* ${shortId(node)} ${reason === 'left' ? 'left the cluster' : 'is dead and was removed from the cluster'}`,
      )
    }),
    cluster.on('forked', ({ peer }) => {
      say(
        `* this node and ${shortId(peer)} both went on alone: nothing is written until one of them is started with --give-up-history`,
      )
    }),
    cluster.on('met', ({ cluster: other, peer }) => {
      say(
        `* ${shortId(peer)} is in another cluster of this name, ${other}, with data of its own; they stay apart. To give one up, start its nodes with --adopt and the id of the other`,
      )
    }),
    cluster.on('waiting', (event) => sayWaiting(event.for)),
    cluster.on('refused', ({ from, reason }) => say(`* turned away ${from}: ${reason}`)),
    cluster.on('turnedAway', ({ reason }) => say(`* turned away: ${reason}`)),
  ]
  return () => {
    for (const cancel of cancels) cancel()
  }
}

function memberNotice({ id, state, self }: Member, before: MemberState | null): string | null {
  if (self || state === before) return null
  switch (state) {
    case 'alive':
      return before === null ? `* ${shortId(id)} joined` : `* ${shortId(id)} is back`
    case 'suspected':
      return `* ${shortId(id)} does not answer`
    case 'dead':
      return `* ${shortId(id)} is dead`
    case 'away':
      return `* ${shortId(id)} stopped`
    case 'left':
      return `* ${shortId(id)} left for good`
    default:
      return unreachable(state)
  }
}
