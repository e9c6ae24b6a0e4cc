import { containers } from '@cluster/container'
import { modelWorld } from '@cluster/testkit'

const SETTLE_MS = 240_000

/** Nodes with containers over the model of a log, in virtual time. */
export const modelCluster = () => modelWorld('containers', (ports) => containers()(ports), SETTLE_MS)
