/**
 * What programs of one release have in common: formats of commands and rules of applying them. A cluster has a
 * version too, which is raised once every member runs a program that supports it, and never goes back. Nobody submits what
 * the version of the cluster does not know, so nodes can be upgraded one after another while the others go on.
 *
 * | version | brought |
 * | --- | --- |
 * | 1 | commands of one state machine, members that hold data |
 * | 2 | bundles, witnesses; programs and turns of databases |
 * | 3 | containers; locks; commits of databases in bundles |
 * | 4 | commands in parts; databases can be dropped; maps on the partitions of databases; owners of locks |
 * | 5 | additions in commits of databases |
 * | 6 | entries of distributed maps that end by themselves; queues that delay messages and set them aside |
 */
export type ClusterVersion = number

/** The newest version that this program supports. */
export const CLUSTER_VERSION: ClusterVersion = 6

/** The version of the cluster that each of these needs. */
export const VERSION_OF = {
  bundles: 2,
  witness: 2,
  programs: 2,
  turns: 2,
  containers: 3,
  locks: 3,
  parts: 4,
  dropping: 4,
  distributedMaps: 4,
  lockOwners: 4,
  additions: 5,
  mapSpans: 6,
  queueDelays: 6,
} as const
