import { below, pick, relationId } from '@cluster/core'
import type { Load, Named, Told } from '../load.ts'
import { luckOf, type OpenDatabase, type Rows, transact } from './rows.ts'

export const ACCOUNTS = relationId(18)

export interface BankInput extends Named {
  /** Null looks at all accounts. */
  readonly transfer: { readonly from: string; readonly to: string; readonly amount: number } | null
}

/** All balances; null for a transfer. */
export type BankOutput = { readonly balances: Readonly<Record<string, number>> } | { readonly moved: boolean }

const ACCOUNT_NAMES = Array.from({ length: 8 }, (_, i) => `account ${i}`)
/** What is on an account that was never touched. */
const FIRST = 100
const TOTAL = ACCOUNT_NAMES.length * FIRST

async function balances(
  rows: Rows,
  names: readonly string[],
  byScan: boolean,
): Promise<Record<string, number>> {
  const found = await rows.several(ACCOUNTS, names, byScan)
  return Object.fromEntries(names.map((name) => [name, Number(found.get(name) ?? FIRST)]))
}

/** Transfers between accounts: whoever looks at all of them sees the same total, and nobody owes. */
export function bankLoad<App>(open: OpenDatabase<App>): Load<App, BankInput, BankOutput> {
  return {
    next(name, _client, random) {
      if (below(random, 10) < 4) return { name, transfer: null }
      const from = pick(random, ACCOUNT_NAMES)
      const to = pick(
        random,
        ACCOUNT_NAMES.filter((other) => other !== from),
      )
      return { name, transfer: { from, to, amount: 1 + below(random, 40) } }
    },
    last: (name) => ({ name, transfer: { from: `${name} a`, to: `${name} b`, amount: 1 } }),
    closing: (name) => [{ name, transfer: null }],
    writes: ({ transfer }) => transfer !== null,
    took: (_input, output) => !('moved' in output) || output.moved,
    perform: (app, input) =>
      transact<App, BankOutput>(open, app, input, {
        readOnly: input.transfer === null,
        async run(rows) {
          const { transfer } = input
          const byScan = luckOf(input, 'scan') % 2 === 0
          if (transfer === null)
            return { output: { balances: await balances(rows, ACCOUNT_NAMES, byScan) }, commit: false }
          const { from, to, amount } = transfer
          // Nobody has to know what is on the account that gets something.
          const adds = luckOf(input, 'add') % 2 === 0
          const held = await balances(rows, adds ? [from] : [from, to], false)
          const left = (held[from] ?? 0) - amount
          if (left < 0) return { output: { moved: false }, commit: false }
          rows.put(ACCOUNTS, from, String(left))
          if (!adds || !(await rows.add(ACCOUNTS, to, String(amount)))) {
            const before = held[to] ?? (await balances(rows, [to], false))[to] ?? 0
            rows.put(ACCOUNTS, to, String(before + amount))
          }
          return { output: { moved: true }, commit: true }
        },
      }),
    judge: judgeBank,
  }
}

export function judgeBank({ history }: Told<BankInput, BankOutput>): string | null {
  for (const { end } of history) {
    if (end === null || !('balances' in end.output)) continue
    const held = Object.values(end.output.balances)
    const total = held.reduce((sum, balance) => sum + balance, 0)
    if (total !== TOTAL)
      return `the accounts hold ${total} instead of ${TOTAL}: ${JSON.stringify(end.output.balances)}`
    if (held.some((balance) => balance < 0)) return `an account owes: ${JSON.stringify(end.output.balances)}`
  }
  return null
}
