/**
 * - `kill`, `killLeader`: a process is gone, its host and disk stay;
 * - `killInTurn`: a process is killed and comes back, and before it has caught up another one is killed;
 * - `undermine`: two processes die, so that the leader changes the members, and it is cut off from most while they come back;
 * - `power`: a host is gone without a word and un-synced bytes with it;
 * - `killAll`, `powerAll`: every node at once, as when the fuse blows;
 * - `brownout`: all disks but one are slow, and then all lose power before they have caught up;
 * - `stop`: a node stops in good order and comes back;
 * - `leave`: a node leaves for good; another one, or the same, joins later;
 * - `split`, `isolate`, `isolateLeader`, `oneWay`: the network is cut, for a while;
 * - `ring`: every node reaches a majority of all, and no two the same one, for a while;
 * - `bridge`: two halves reach each other through one node alone, and that one loses power again and again;
 * - `reset`: one link is reset;
 * - `cutLeader`: all links of the leader are reset, and it is cut off for a while;
 * - `loss`, `reorder`, `duplicate`: frames get lost, overtake each other, or arrive twice and late, for a while;
 * - `slowDisk`, `fullDisk`: a disk is slow, or has no room, for a while;
 * - `stall`: nothing of a process runs for a while;
 * - `clockJump`: wall clocks jump, forward or back;
 * - `drift`: a monotonic clock goes at another speed from now on;
 * - `rot`: a process dies, and a bit of what was durable on its disk is another one when it starts again;
 * - `newDisk`: a process dies with its disk, and starts again with an empty one;
 * - `coldLoss`: every node at once loses power, and one of them its disk;
 * - `killCopier`, `killSource`, `killJoiner`: a node is killed while it copies data, while another one copies from it,
 *   while it joins; whoever knows the moment strikes then (`Nemesis.strike`), so these have no weight.
 */
export type FaultKind =
  | 'kill'
  | 'killLeader'
  | 'killInTurn'
  | 'undermine'
  | 'power'
  | 'killAll'
  | 'powerAll'
  | 'brownout'
  | 'stop'
  | 'leave'
  | 'split'
  | 'isolate'
  | 'isolateLeader'
  | 'cutLeader'
  | 'oneWay'
  | 'ring'
  | 'bridge'
  | 'reset'
  | 'loss'
  | 'reorder'
  | 'duplicate'
  | 'slowDisk'
  | 'fullDisk'
  | 'stall'
  | 'clockJump'
  | 'drift'
  | 'rot'
  | 'newDisk'
  | 'coldLoss'
  | 'killCopier'
  | 'killSource'
  | 'killJoiner'

/** How often each kind is chosen, relative to the others; absent ones never. */
export type FaultWeights = Readonly<Partial<Record<FaultKind, number>>>

/** A bit of everything; all nodes at once rarely, as it stops everything for seconds. */
export const storm: FaultWeights = {
  kill: 3,
  killLeader: 3,
  killInTurn: 2,
  undermine: 1.5,
  power: 4,
  killAll: 0.5,
  powerAll: 0.7,
  brownout: 0.8,
  stop: 2,
  leave: 4,
  split: 2,
  isolate: 2,
  isolateLeader: 2,
  cutLeader: 2,
  oneWay: 1,
  ring: 1.5,
  bridge: 1,
  reset: 3,
  loss: 3,
  reorder: 3,
  duplicate: 1.5,
  slowDisk: 3,
  fullDisk: 2,
  stall: 2,
  clockJump: 1.5,
  drift: 1.5,
  rot: 2,
  newDisk: 1.5,
  coldLoss: 0.7,
}
