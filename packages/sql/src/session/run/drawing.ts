import type { Database, Transaction } from '@cluster/core'
import type { Catalog } from '../../catalog/catalog.ts'
import type { SequenceSchema } from '../../catalog/schema.ts'
import type { Batch } from '../../compile/batch.ts'
import type { ExecutionContext, Source } from '../../executor/context.ts'
import { applySets, SequenceDryError, type SequencePools, StatementSequences } from '../sequences.ts'
import type { KeyChecks } from './key-checks.ts'
import { SEQUENCE_ROWS } from './run-parts.ts'

export interface DrawingPorts {
  readonly database: Database
  readonly catalog: Catalog
  readonly sequences: SequencePools
  readonly keyChecks: KeyChecks
}

/** Runs what takes values of sequences: they are put by before, since operators cannot wait for them. */
export class Drawing {
  readonly #ports: DrawingPorts

  constructor(ports: DrawingPorts) {
    this.#ports = ports
  }

  /** Runs what writes; again with more values when those put by of a sequence were too few. */
  async run<T>(context: ExecutionContext, work: () => Promise<T>): Promise<T> {
    const { transaction } = context
    const mark = transaction.mark()
    for (let rows = SEQUENCE_ROWS; ; rows *= 2)
      try {
        const result = await work()
        await this.finish(context)
        return result
      } catch (error) {
        context.keyWork.written.length = 0
        if (!(error instanceof SequenceDryError)) throw error
        transaction.rollbackTo(mark)
        await this.prepare([error.sequence], rows * 2, transaction)
      }
  }

  /** The rows of a query that takes values of sequences. */
  async *rows(
    source: Source,
    sequences: readonly SequenceSchema[],
    context: ExecutionContext,
  ): AsyncGenerator<Batch> {
    const { transaction } = context
    let given = false
    for (let rows = SEQUENCE_ROWS, done = false; !done; rows *= 2)
      try {
        for await (const batch of source.open(context)) {
          given = true
          yield batch
          await this.prepare(sequences, rows, transaction)
        }
        done = true
      } catch (error) {
        if (!(error instanceof SequenceDryError) || given) throw error
        await this.prepare([error.sequence], rows * 2, transaction)
      }
    await this.finish(context)
  }

  /** What is done when all rows of a statement were written: keys are looked at, and what `setval` said takes effect. */
  async finish(context: ExecutionContext): Promise<void> {
    await this.#ports.keyChecks.afterStatement(context)
    const { sequences } = context.frame.functions
    if (sequences instanceof StatementSequences && sequences.pending.length > 0)
      await applySets(sequences.pending.splice(0), this.#ports, context.transaction)
  }

  /** Puts values of sequences by for a statement that may take so many of each. */
  async prepare(sequences: Iterable<SequenceSchema>, rows: number, transaction: Transaction): Promise<void> {
    for (const sequence of sequences) {
      const wait = this.#ports.sequences.ensure(sequence, rows, transaction)
      if (wait !== null) await wait
    }
  }
}
