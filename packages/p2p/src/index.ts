export { type PeersPorts, peers } from './driver/peers.ts'
export { staticDiscovery } from './driver/static-discovery.ts'
export type { PeersError } from './errors.ts'
export type { PeersOptions } from './options.ts'
