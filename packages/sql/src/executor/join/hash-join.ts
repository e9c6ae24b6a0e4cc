import type { Source } from '../context.ts'
import { SpillFiles } from '../spill/spill-file.ts'
import { joinedParts } from '../spill/spill-join.ts'
import { JoinSide } from '../spill/spilled-sides.ts'
import { type JoinOptions, JoinRun } from './join.ts'

/** A join whose right side may be too large for memory. */
export interface LargeJoinOptions extends JoinOptions {
  /** The node of the plan, by which EXPLAIN ANALYZE knows it. */
  readonly node: object
}

/**
 * Reads the right side into memory, by key when there is one, and streams the left side past it. When the right side is too large,
 * both go to disk in parts.
 */
export function joinSource(left: Source, right: Source, options: LargeJoinOptions): Source {
  const { type, node } = options
  return {
    async *open(context) {
      const files = new SpillFiles(context, node)
      const join = new JoinRun(context, options)
      let spilled: JoinSide | null = null
      try {
        for await (const batch of right.open(context)) {
          if (spilled !== null) await spilled.add(batch)
          else {
            join.build(batch)
            if (join.account.over) {
              spilled = await JoinSide.make(files, options, 'right', 0)
              await join.moveTo(spilled)
            }
          }
          const pause = context.work(batch.length)
          if (pause !== null) await pause
        }
        files.kept(join.account)
        if (spilled !== null) {
          const other = await JoinSide.make(files, options, 'left', 0)
          for await (const batch of left.open(context)) {
            await other.add(batch)
            const pause = context.work(batch.length)
            if (pause !== null) await pause
          }
          files.batches = 1
          yield* joinedParts(other, spilled, options, files, 1)
          return
        }
        await join.built()
        if (join.isEmpty && (type === 'inner' || type === 'semi')) return
        const { once } = join
        for await (const batch of left.open(context)) {
          if (!once) {
            yield* join.probe(batch)
            continue
          }
          const pause = context.work(batch.length)
          if (pause !== null) await pause
          const output = join.probeOnce(batch)
          if (output !== null) yield output
        }
        yield* join.unmatchedRight()
      } finally {
        join.close()
        if (files.used) await files.close('hash')
      }
    },
  }
}
