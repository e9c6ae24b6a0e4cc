import type { NodeId } from '@cluster/core'
import type { ByteReader, ByteWriter } from './bytes.ts'

/** What placement knows of a node besides that it is there. */
export interface NodeTraits {
  /** Nodes of one zone fail together: copies of one partition are put into different ones where there are enough. */
  readonly zone: string | null
  /** Share of the partitions, relative to others; hundredths, so that all nodes compute alike. */
  readonly capacity: number
}

export type TraitsOf = ReadonlyMap<NodeId, NodeTraits>

export const PLAIN: NodeTraits = { zone: null, capacity: 100 }
export const NO_TRAITS: TraitsOf = new Map()

export const capacityOf = (traits: TraitsOf, node: NodeId): number =>
  traits.get(node)?.capacity ?? PLAIN.capacity

/** A node without a label is a zone of its own. */
export const zoneOf = (traits: TraitsOf, node: NodeId): string => {
  const zone = traits.get(node)?.zone ?? null
  return zone === null ? `node ${node}` : `zone ${zone}`
}

export function writeTraits(writer: ByteWriter, { zone, capacity }: NodeTraits): void {
  writer.text(zone ?? '').varint(capacity)
}

export function readTraits(reader: ByteReader): NodeTraits {
  const zone = reader.text()
  return { zone: zone === '' ? null : zone, capacity: Math.max(1, reader.varint()) }
}
