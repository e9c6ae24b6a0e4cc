import { SQLSTATE } from '../errors.ts'
import type { Expression } from '../syntax/ast.ts'
import { type BindContext, errorAt } from './context.ts'

/** Functions whose arguments may be given by name, and what stands for those that are left out. */
const parameters: Readonly<Record<string, readonly (readonly [name: string, otherwise: string])[]>> = {
  make_interval: ['years', 'months', 'weeks', 'days', 'hours', 'mins', 'secs'].map((name) => [name, '0']),
}

/** The name in `name => value` or `name := value`; null for a plain argument. */
function nameOf(arg: Expression): string | null {
  if (arg.kind !== 'binary' || arg.operator !== '=>' || arg.left.kind !== 'column') return null
  return arg.left.parts.length === 1 ? (arg.left.parts[0]?.name ?? null) : null
}

/** The arguments by position. @throws 42601 for a plain argument behind a named one, 42883 for other names */
export function positional(
  context: BindContext,
  call: Expression,
  name: string,
  args: readonly Expression[],
): readonly Expression[] {
  const from = args.findIndex((arg) => nameOf(arg) !== null)
  if (from < 0) return args
  const known = parameters[name]
  const missing = () =>
    errorAt(
      context,
      call,
      SQLSTATE.undefinedFunction,
      `function ${name}(${args.map((arg) => `${nameOf(arg) === null ? '' : `${nameOf(arg)} => `}unknown`).join(', ')}) does not exist`,
      {
        hint: 'No function matches the given name and argument types. You might need to add explicit type casts.',
      },
    )
  if (known === undefined) throw missing()
  const given: (Expression | undefined)[] = args.slice(0, from)
  for (const arg of args.slice(from)) {
    const own = nameOf(arg)
    if (own === null || arg.kind !== 'binary')
      throw errorAt(context, arg, SQLSTATE.syntaxError, 'positional argument cannot follow named argument')
    const at = known.findIndex(([one]) => one === own)
    if (at < 0 || given[at] !== undefined) throw missing()
    given[at] = arg.right
  }
  return known.map(
    ([, otherwise], i): Expression => given[i] ?? { kind: 'number', text: otherwise, span: call.span },
  )
}
