import type { NodeId, RelationId } from '../ids.ts'
import type { Key, KeyRange, Value } from '../values/value.ts'

/** Rows as columns, without keys: what a fragment reads and gives. */
export interface ColumnBatch {
  readonly length: number
  /** One list of at least `length` values for each column. */
  readonly columns: readonly (readonly Value[])[]
}

/** Rows that a fragment reads. It can read no others, so these ranges are all that has to be certified. */
export interface FragmentInput {
  readonly relation: RelationId
  readonly range: KeyRange
  /** Column positions, in this order. */
  readonly columns: readonly number[]
  /** The row's key comes as one more column, behind the others. */
  readonly keys: boolean
  /** `spread`: each holder reads its share of the hash partitions; `everywhere`: each reads all of that partition. */
  readonly from: 'spread' | 'everywhere'
}

/** Part of a query, to be computed where its rows are. */
export interface FragmentRequest {
  readonly inputs: readonly FragmentInput[]
  /** What is computed, as data, in a form that only the evaluators know. */
  readonly program: Uint8Array
  /**
   * True: what a holder computes from all of its partitions in one is wanted, such as sums. It then counts once all of it
   * has come. False: results of each partition for itself, as they come.
   */
  readonly together: boolean
  /** Told at the end how many rows each of the inputs had, in all partitions together; NaN: not all of them were read. */
  readonly onRead?: (rows: readonly number[]) => void
}

/** Opens the rows of one input, in key order within a partition. */
export type OpenInput = () => AsyncIterable<ColumnBatch>

/**
 * Computes fragments. The same program over the same rows gives the same results in the same order on every node that
 * evaluates it at all.
 */
export interface FragmentEvaluator {
  /**
   * @param inputs those of the request, in order
   * @throws when it does not know the program or fails in it; whoever asked then computes it itself
   */
  evaluate(program: Uint8Array, inputs: readonly OpenInput[], signal: AbortSignal): AsyncIterable<ColumnBatch>
}

/** What came from other nodes: rows, or what a fragment made of them, and bytes of messages. */
export interface Traffic {
  rows: number
  bytes: number
}

/** Reads of a transaction that are computed where the rows are. */
export interface FragmentReads {
  /** What this transaction has got from other nodes, by whatever kind of read. */
  readonly received: Readonly<Traffic>
  /** True when some of the rows are on other nodes only, and none of them was written here: then `compute` spares messages. */
  isSpread(inputs: readonly FragmentInput[]): boolean
  /** Who would compute, each for so many hash partitions, sorted; a null node is this one. */
  places(): readonly { readonly node: NodeId | null; readonly partitions: number }[]
  /**
   * Computes a fragment on holders of its rows; what they do not compute, this node does, from rows that it reads. The
   * ranges join the read set.
   * @returns null when the transaction has written such rows itself: they are nowhere else
   */
  compute(request: FragmentRequest): AsyncIterable<ColumnBatch> | null
}

/** The columns of an input as the evaluator gets them: with the keys behind, where they are wanted. */
export function inputColumns(
  { keys: wanted }: Pick<FragmentInput, 'keys'>,
  { length, keys, columns }: ColumnBatch & { readonly keys: readonly Key[] },
): ColumnBatch {
  return { length, columns: wanted ? [...columns, keys] : columns }
}
