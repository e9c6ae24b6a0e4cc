import type { Expr } from './expression.ts'
import type { Frame, FrameEdge, GroupingSets, Output, SortKey, WindowCall } from './logical.ts'

// What plans of both kinds print alike.

type Print = (expr: Expr) => string

export function keysText(keys: readonly SortKey[], print: Print): string {
  return keys
    .map(({ expr, descending, nulls }) => {
      const usual = descending ? 'first' : 'last'
      return `${print(expr)}${descending ? ' desc' : ''}${nulls === usual ? '' : ` nulls ${nulls}`}`
    })
    .join(', ')
}

/** What a query groups by. */
export function setsText(
  groups: readonly Output[],
  sets: GroupingSets | null,
  list: (exprs: readonly Expr[]) => string,
): string {
  const exprs = groups.map(({ expr }) => expr)
  if (sets === null) return list(exprs)
  return sets.sets.map((set) => `(${list(set.map((position) => exprs[position] as Expr))})`).join(', ')
}

interface Window {
  readonly partitionBy: readonly Expr[]
  readonly orderBy: readonly SortKey[]
  readonly calls: readonly WindowCall[]
}

export function windowText({ partitionBy, orderBy, calls }: Window, print: Print): string {
  const parts = [
    partitionBy.length === 0 ? '' : `partition by ${partitionBy.map(print).join(', ')}`,
    orderBy.length === 0 ? '' : `order by ${keysText(orderBy, print)}`,
  ].filter((part) => part !== '')
  return `${calls.map((call) => callText(call, print)).join(', ')} over (${parts.join(' ')})`
}

function callText({ fn, args, filter, frame }: WindowCall, print: Print): string {
  const name = fn.kind === 'aggregate' ? fn.aggregate.name : fn.name
  const list = fn.kind === 'aggregate' && args.length === 0 ? '*' : args.map(print).join(', ')
  return `${name}(${list})${filter === null ? '' : ` filter ${print(filter)}`}${frameText(frame, print)}`
}

/** Nothing for the usual frame. */
function frameText({ mode, start, end, exclude }: Frame, print: Print): string {
  const edge = (one: FrameEdge): string => ('offset' in one ? `${print(one.offset)} ${one.kind}` : one.kind)
  const usual = mode === 'range' && start.kind === 'unbounded preceding' && end.kind === 'current row'
  const bounds = usual ? '' : ` ${mode} ${edge(start)} to ${edge(end)}`
  return `${bounds}${exclude === 'no others' ? '' : ` without ${exclude}`}`
}
