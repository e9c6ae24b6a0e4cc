import { SQLSTATE } from '../../errors.ts'
import type { Expression } from '../../syntax/ast.ts'
import { type BindContext, errorAt } from '../context.ts'

/** What stands for an argument that is left out; `required`: nothing does. */
type Otherwise = number | boolean | string | 'required'
type Parameter = readonly [name: string, otherwise: Otherwise]

const required = (names: string): readonly Parameter[] =>
  names.split(' ').map((name) => [name, 'required'] as const)

const pathParameters: readonly Parameter[] = [...required('target path'), ['vars', '{}'], ['silent', false]]
const pathFunctions = ['exists', 'match', 'query', 'query_array', 'query_first'].flatMap((name) => [
  [`jsonb_path_${name}`, pathParameters] as const,
  [`jsonb_path_${name}_tz`, pathParameters] as const,
])

/** Functions whose arguments may be given by name, as PostgreSQL calls them. */
const parameters: ReadonlyMap<string, readonly Parameter[]> = new Map<string, readonly Parameter[]>([
  [
    'make_interval',
    ['years', 'months', 'weeks', 'days', 'hours', 'mins', 'secs'].map((name) => [name, 0] as const),
  ],
  ['make_date', required('year month day')],
  ['make_time', required('hour min sec')],
  ['make_timestamp', required('year month mday hour min sec')],
  ['make_timestamptz', required('year month mday hour min sec timezone')],
  ['parse_ident', [...required('str'), ['strict', true]]],
  ['jsonb_set', [...required('jsonb_in path replacement'), ['create_if_missing', true]]],
  [
    'jsonb_set_lax',
    [
      ...required('jsonb_in path replacement'),
      ['create_if_missing', true],
      ['null_value_treatment', 'use_json_null'],
    ],
  ],
  ['jsonb_insert', [...required('jsonb_in path replacement'), ['insert_after', false]]],
  ...pathFunctions,
])

/** The name in `name => value` or `name := value`; null for a plain argument. */
function nameOf(arg: Expression): string | null {
  if (arg.kind !== 'binary' || arg.operator !== '=>' || arg.left.kind !== 'column') return null
  return arg.left.parts.length === 1 ? (arg.left.parts[0]?.name ?? null) : null
}

function literal(value: Otherwise, { span }: Expression): Expression {
  if (typeof value === 'number') return { kind: 'number', text: String(value), span }
  return typeof value === 'boolean' ? { kind: 'boolean', value, span } : { kind: 'string', value, span }
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
  const known = parameters.get(name)
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
  // What is left out at the end is left out for good: another overload takes what there is.
  return known.slice(0, given.length).map(([, otherwise], i): Expression => {
    const own = given[i]
    if (own === undefined && otherwise === 'required') throw missing()
    return own ?? literal(otherwise, call)
  })
}
