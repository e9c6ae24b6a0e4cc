import type { Expression, TypeName } from '../../syntax/ast.ts'

/** A name, and whether it stands against that of a cast or CASE around it. */
interface Found {
  readonly name: string
  readonly strong: boolean
}

const NONE: Found = { name: '?column?', strong: false }
const strong = (name: string | undefined): Found => (name === undefined ? NONE : { name, strong: true })
const weak = (name: string): Found => ({ name, strong: false })

/** The name that PostgreSQL gives to a column without an alias. */
export const nameOf = (expression: Expression): string => find(expression).name

function find(expression: Expression): Found {
  switch (expression.kind) {
    case 'column':
      return strong(expression.parts.at(-1)?.name)
    case 'call':
      return strong(expression.name.parts.at(-1)?.name)
    case 'field':
      return strong(expression.field.name)
    case 'cast': {
      const { operand, type, span } = expression
      if (expression.implied === true) return find(operand)
      // A literal that is a cast by itself, as of bits, has no name.
      if (operand.span.start === span.start && operand.span.end === span.end) return NONE
      const inner = find(operand)
      return inner.strong ? inner : weak(shortName(type))
    }
    case 'case': {
      const inner = expression.otherwise === null ? NONE : find(expression.otherwise)
      return inner.strong ? inner : weak('case')
    }
    case 'binary':
      // OVERLAPS is a function in the guise of an operator.
      return expression.operator === 'overlaps' ? strong('overlaps') : NONE
    case 'coalesce':
    case 'nullif':
    case 'greatest':
    case 'least':
    case 'exists':
    case 'row':
      return strong(expression.kind)
    case 'array':
    case 'arrayQuery':
      return strong('array')
    case 'subscript':
      return find(expression.operand)
    case 'subquery': {
      const { body } = expression.query
      if (body.kind === 'values') return strong('column1')
      const [item] = body.kind === 'select' ? body.items : []
      if (item?.kind !== 'item') return NONE
      return item.alias === null ? find(item.expression) : strong(item.alias.name)
    }
    default:
      return NONE
  }
}

const shortTypeNames: Readonly<Record<string, string>> = {
  integer: 'int4',
  smallint: 'int2',
  bigint: 'int8',
  boolean: 'bool',
  'double precision': 'float8',
  real: 'float4',
  'character varying': 'varchar',
  character: 'bpchar',
  'bit varying': 'varbit',
  'timestamp without time zone': 'timestamp',
  'timestamp with time zone': 'timestamptz',
  'time without time zone': 'time',
  'time with time zone': 'timetz',
}

/** Without a schema. */
const shortName = ({ name }: TypeName): string =>
  name.startsWith('interval ') ? 'interval' : (shortTypeNames[name] ?? name.slice(name.lastIndexOf('.') + 1))
