import type { FragmentInput } from '@cluster/core'
import type { Source } from '../executor/context.ts'
import { type GatherPlan, gatherSource } from '../executor/gather.ts'
import { cut, type Given, spreadScan } from '../fragment/cut.ts'
import type { PhysicalPlan } from '../plan/physical.ts'
import { tableCounted } from '../plan/table-statistics.ts'
import type { Frame } from './batch.ts'
import { compileScalars, type Slots } from './compile-map.ts'
import { countBound, scanRange } from './compile-scan.ts'

/** Results that are gathered are read under numbers below those of WITH tables. */
let last = 0

/** Makes sources. */
export interface Compilers {
  /** Of the plan itself, without fragments at its top. */
  here(): Source
  /** Of other plans. */
  other(plan: PhysicalPlan): Source
}

/** The source of a plan, computed where the rows are if there is something to gain. Code that is not needed is not made. */
export function compileGather(plan: PhysicalPlan, slots: Slots, { here, other }: Compilers): Source {
  const scan = spreadScan(plan)
  if (scan === null) return here()
  let own: Source | null = null
  const { relation } = scan.table
  const probe: FragmentInput = { relation, range: {}, columns: [], keys: false, from: 'spread' }
  let made: GatherPlan | null | undefined
  return gatherSource({
    probe,
    here: {
      open(context) {
        own ??= here()
        return own.open(context)
      },
    },
    plan() {
      if (made === undefined) made = gatherPlan(plan, slots, other)
      return made
    },
  })
}

function gatherPlan(
  plan: PhysicalPlan,
  slots: Slots,
  compile: (plan: PhysicalPlan) => Source,
): GatherPlan | null {
  const found = cut(plan, --last)
  if (found === null) return null
  const given = found.given.map((one) => givenValue(one, slots))
  return {
    plan: JSON.stringify(found.form),
    together: found.together,
    inputs: found.inputs.map(({ scan, ...input }) => ({ ...input, range: scanRange(scan, slots) })),
    onRead(rows) {
      for (const [i, { scan, from }] of found.inputs.entries()) {
        const count = rows[i] ?? Number.NaN
        if (from === 'spread' && scan.access.kind === 'all' && Number.isSafeInteger(count))
          tableCounted(scan.table, count)
      }
    },
    given: ({ frame }) => given.map((value) => value(frame)),
    sent: found.sent.map(compile),
    rest: found.rest === null ? null : compile(found.rest),
    gathered: found.gathered,
  }
}

function givenValue(given: Given, slots: Slots): (frame: Frame) => ReturnType<GatherPlan['given']>[number] {
  if (given.kind === 'value') {
    const value = compileScalars([given.expr], slots)
    return (frame) => value(frame)[0] ?? null
  }
  const limit = countBound(given.limit, slots, 'LIMIT')
  const offset = countBound(given.offset, slots, 'OFFSET')
  return (frame) => {
    const most = limit(frame)
    return most === null ? null : BigInt(most + (offset(frame) ?? 0))
  }
}
