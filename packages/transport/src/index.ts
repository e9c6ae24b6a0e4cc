export { identityOf, newIdentity } from './driver/identity.ts'
export { libp2pTransport } from './driver/libp2p-transport.ts'
export { type MemoryNetwork, type MemoryTransportOptions, memoryNetwork } from './driver/memory-network.ts'
export type { Libp2pOptions, TransportLimits, TransportPorts } from './options.ts'
