import type { Value } from '@cluster/core'
import { quoteIdentifier, quoteLiteral } from '../syntax/keywords.ts'
import { formatValue } from '../types/format.ts'
import { formatType, type SqlType, typeName, unmodified } from '../types/type.ts'
import type { CallExpr, Expr, InListExpr } from './expression.ts'

/** Functions that are written without parentheses, in capitals. */
const BARE = new Set(
  `current_catalog current_date current_role current_schema current_time current_timestamp current_user localtime
   localtimestamp session_user`.split(/\s+/),
)
/** Functions that the grammar knows by a word of its own. */
const WORDS: Readonly<Record<string, string>> = {
  greatest: 'GREATEST',
  least: 'LEAST',
  nullif: 'NULLIF',
}
/** How PostgreSQL calls operators that are written as words or in two ways. */
const OPERATORS: Readonly<Record<string, string>> = {
  '!=': '<>',
  LIKE: '~~',
  'NOT LIKE': '!~~',
  ILIKE: '~~*',
  'NOT ILIKE': '!~~*',
}

/**
 * A bound expression as PostgreSQL shows those that it keeps: every literal with its type, casts that were not written among
 * them, parentheses around each operator. Reading it again gives the same expression.
 * @returns null for what is not written there like this, such as subqueries
 */
export function deparse(expr: Expr): string | null {
  try {
    return shown(expr)
  } catch (error) {
    if (error instanceof Untold) return null
    throw error
  }
}

/** Something that has no such text. */
class Untold extends Error {}

function shown(expr: Expr): string {
  switch (expr.kind) {
    case 'constant':
      return constantText(expr.value, expr.type)
    case 'column':
      return retyped(quoteIdentifier(expr.column.name), expr.column.type, expr.type)
    case 'call':
      return callText(expr)
    case 'and':
    case 'or':
      return `(${expr.operands.map(shown).join(` ${expr.kind.toUpperCase()} `)})`
    case 'not':
      return `(NOT ${shown(expr.operand)})`
    case 'is':
      return `(${shown(expr.operand)} IS ${expr.negated ? 'NOT ' : ''}${expr.test.toUpperCase()})`
    case 'distinctFrom': {
      const not = expr.negated ? 'NOT ' : ''
      return `(${shown(expr.left)} IS ${not}DISTINCT FROM ${shown(expr.right)})`
    }
    case 'case': {
      const branches = expr.branches.map(
        ({ when, result }) => `    WHEN ${shown(when)} THEN ${shown(result)}\n`,
      )
      return `\nCASE\n${branches.join('')}    ELSE ${shown(expr.otherwise)}\nEND`
    }
    case 'coalesce':
      return `COALESCE(${expr.args.map(shown).join(', ')})`
    case 'inList':
      return listText(expr)
    default:
      throw new Untold()
  }
}

function listText({ operand, list, equal, negated }: InListExpr): string {
  const [only, ...more] = list
  const left = shown(operand)
  if (only === undefined || equal.fn.name !== '=') throw new Untold()
  if (more.length === 0) return `(${left} ${negated ? '<>' : '='} ${shown(only)})`
  return `(${left} ${negated ? '<> ALL' : '= ANY'} (ARRAY[${list.map(shown).join(', ')}]))`
}

function callText(call: CallExpr): string {
  const { fn, form, args, type } = call
  const [first, second] = args
  if (form === 'cast' && first !== undefined) {
    const inner = shown(first)
    if (isNamed(type)) throw new Untold()
    return `${isWhole(first, inner) ? inner : `(${inner})`}::${formatType(type)}`
  }
  const text = (): string => {
    const name = OPERATORS[fn.name] ?? fn.name
    if (form === 'infix' && first !== undefined && second !== undefined)
      return `(${shown(first)} ${name} ${shown(second)})`
    if (form === 'prefix' && first !== undefined) return `(${name} ${shown(first)})`
    if (fn.name === 'array' && type.element !== undefined)
      return args.length === 0 ? `ARRAY[]::${typeName(type)}` : `ARRAY[${args.map(shown).join(', ')}]`
    // Parts of the language that are functions here have no name that could be read again.
    if (!/^[a-z_][a-z0-9_]*$/.test(fn.name)) throw new Untold()
    if (BARE.has(fn.name))
      return args.length === 0 ? fn.name.toUpperCase() : `${fn.name.toUpperCase()}(${args.map(shown)})`
    return `${WORDS[fn.name] ?? quoteIdentifier(fn.name)}(${args.map(shown).join(', ')})`
  }
  return retyped(text(), fn.returns, type)
}

/** Types that somebody has made: they may be renamed, and a text that names one would be wrong then. */
const isNamed = ({ enum: labels, record, element }: SqlType): boolean =>
  labels !== undefined || record !== undefined || (element !== undefined && isNamed(element))

/** An expression that is told to be of another type without being computed anew. */
function retyped(text: string, from: SqlType, to: SqlType): string {
  return typeName(from) === typeName(to) ? text : `(${text})::${typeName(to)}`
}

/** True for what needs no parentheses before a cast. */
const isWhole = (expr: Expr, text: string): boolean =>
  text.startsWith('(') && text.endsWith(')') && expr.kind === 'call' && expr.form === 'infix'

function constantText(value: Value, type: SqlType): string {
  if (isNamed(type)) throw new Untold()
  const name = type.id === 'char' && type.element === undefined ? 'bpchar' : typeName(unmodified(type))
  if (value === null) return type.id === 'unknown' ? 'NULL' : `NULL::${name}`
  if (typeof value === 'boolean' && type.id === 'boolean') return String(value)
  const text = formatValue(type, value)
  if (type.id === 'integer' && !text.startsWith('-')) return text
  if (type.id === 'numeric' && /^\d+\.\d+$/.test(text)) return text
  const literal = text.includes('\\') ? `'${text.replaceAll("'", "''")}'` : quoteLiteral(text)
  return type.id === 'unknown' ? literal : `${literal}::${name}`
}
