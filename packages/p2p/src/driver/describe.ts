import type { Address, Member, StructureNode } from '@cluster/core'

/** The p2p part of the tree that `structure()` prints. */
export function describePeers(members: readonly Member[], own: readonly Address[]): StructureNode {
  const self = members.find((member) => member.self)
  return {
    kind: 'p2p',
    name: self?.id ?? '',
    facts: {
      address: own[0] ?? 'not listening',
      members: members.length,
      alive: members.filter(({ state }) => state === 'alive').length,
    },
    children: members.map(({ id, state, addresses, start, self: isSelf }) => ({
      kind: 'member',
      name: id,
      facts: { state, address: addresses[0] ?? 'unknown', start, ...(isSelf && { self: true }) },
      children: [],
    })),
  }
}
