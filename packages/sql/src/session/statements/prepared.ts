import { SQLSTATE, sqlError } from '../../errors.ts'
import type {
  Execute,
  Expression,
  Prepare,
  Query,
  Statement,
  TypeName,
  WriteStatement,
} from '../../syntax/ast.ts'
import { parseStatement } from '../../syntax/parse.ts'
import { formatValue } from '../../types/format.ts'
import { formatType, type SqlType } from '../../types/type.ts'
import type { SqlResult } from '../types.ts'

/** A statement that PREPARE keeps under a name. */
interface Prepared {
  readonly statement: Query | WriteStatement
  /** The text that its offsets point into. */
  readonly source: string
  /** Keeps its plan. */
  readonly planKey: string
  readonly types: readonly SqlType[]
}

/** A statement with the text that it comes from. */
export interface SourcedStatement {
  readonly statement: Statement
  readonly source: string
  readonly planKey: string | null
}

/** What the session does for them. */
export interface PreparedPorts {
  describe(statement: Query | WriteStatement): Promise<{ readonly parameterTypes: readonly SqlType[] }>
  run(statement: Query): Promise<Pick<SqlResult, 'columns' | 'rows'>>
}

/** What a statement about prepared ones comes to: it is done, or another one is to be run. */
export type Meant =
  | { readonly command: string }
  | { readonly item: SourcedStatement; readonly values: readonly (string | null)[] }

/** PREPARE, EXECUTE, DEALLOCATE and EXPLAIN EXECUTE. */
export const isNamed = (statement: Statement): boolean =>
  ['prepare', 'execute', 'deallocate', 'createTableExecute'].includes(statement.kind) ||
  (statement.kind === 'explain' && statement.statement.kind === 'execute')

/** The statements that a session has prepared. They outlive its transactions, as in PostgreSQL. */
export class PreparedStatements {
  readonly #byName = new Map<string, Prepared>()

  /** @throws 42P05, 26000, 42601, and what binding the statement throws */
  async meant({ statement, source }: SourcedStatement, ports: PreparedPorts): Promise<Meant> {
    switch (statement.kind) {
      case 'prepare':
        await this.#prepare(statement, source, ports)
        return { command: 'PREPARE' }
      case 'deallocate':
        this.#remove(statement.name?.name ?? null)
        return { command: statement.name === null ? 'DEALLOCATE ALL' : 'DEALLOCATE' }
      case 'execute': {
        const found = this.#find(statement)
        return { item: { ...found }, values: await valuesOf(found, statement, ports) }
      }
      case 'createTableExecute': {
        const { create, execute } = statement
        const found = this.#find(execute)
        const query = withValues(found, await valuesOf(found, execute, ports))
        return { item: { statement: { ...create, query }, source: found.source, planKey: null }, values: [] }
      }
      case 'explain': {
        const { statement: inner } = statement
        if (inner.kind !== 'execute') break
        const found = this.#find(inner)
        const explained = { ...statement, statement: found.statement }
        const item = { statement: explained, source: found.source, planKey: null }
        return { item, values: await valuesOf(found, inner, ports) }
      }
    }
    throw new TypeError(`${statement.kind} is not about prepared statements`)
  }

  /** The statement is bound now, so that what is wrong with it is said now. */
  async #prepare(prepare: Prepare, source: string, ports: PreparedPorts): Promise<void> {
    const { name } = prepare.name
    if (this.#byName.has(name))
      throw sqlError(SQLSTATE.duplicatePreparedStatement, `prepared statement "${name}" already exists`)
    const statement = typedStatement(prepare)
    const { parameterTypes } = await ports.describe(statement)
    const planKey = `${prepare.span.start}\u0000${source}`
    this.#byName.set(name, { statement, source, planKey, types: parameterTypes })
  }

  #find({ name, args }: Execute): Prepared {
    const found = this.#byName.get(name.name)
    if (found === undefined) throw missing(name.name)
    // PostgreSQL does not look at what it is given for a statement without parameters.
    if (found.types.length === 0) return found
    if (args.length === found.types.length) return found
    throw sqlError(SQLSTATE.syntaxError, `wrong number of parameters for prepared statement "${name.name}"`, {
      detail: `Expected ${found.types.length} parameters but got ${args.length}.`,
    })
  }

  #remove(name: string | null): void {
    if (name === null) this.#byName.clear()
    else if (!this.#byName.delete(name)) throw missing(name)
  }
}

/** The values of EXECUTE, as text. */
async function valuesOf(
  { types }: Prepared,
  execute: Execute,
  ports: PreparedPorts,
): Promise<readonly (string | null)[]> {
  if (types.length === 0) return []
  const { columns, rows } = await ports.run(valuesQuery(execute))
  return columns.map(({ type }, i) => {
    const value = rows[0]?.[i] ?? null
    return value === null ? null : formatValue(type, value)
  })
}

/** The query with the values in the places of its parameters. @throws 42809 for what is no query */
function withValues({ statement, types }: Prepared, values: readonly (string | null)[]): Query {
  if (statement.kind !== 'query')
    throw sqlError(SQLSTATE.wrongObjectType, 'prepared statement is not a SELECT')
  const literals = types.map((type, i) => literal(values[i] ?? null, type))
  return withLiterals(statement, literals) as Query
}

function withLiterals(part: unknown, literals: readonly Expression[]): unknown {
  if (Array.isArray(part)) return part.map((item) => withLiterals(item, literals))
  if (typeof part !== 'object' || part === null) return part
  const { kind, index } = part as { readonly kind?: unknown; readonly index?: number }
  const value = kind === 'parameter' ? literals[(index ?? 0) - 1] : undefined
  if (value !== undefined) return value
  return Object.fromEntries(Object.entries(part).map(([name, item]) => [name, withLiterals(item, literals)]))
}

function literal(value: string | null, type: SqlType): Expression {
  const text = value === null ? 'NULL' : `'${value.replaceAll("'", "''")}'`
  const made = parseStatement(`SELECT CAST(${text} AS ${formatType(type)})`)
  const [item] = made.kind === 'query' && made.body.kind === 'select' ? made.body.items : []
  if (item?.kind !== 'item' || item.expression.kind !== 'cast')
    throw new TypeError(`${formatType(type)} cannot be written as a type`)
  return { ...item.expression, implied: true }
}

const missing = (name: string) =>
  sqlError(SQLSTATE.invalidSqlStatementName, `prepared statement "${name}" does not exist`)

/** The statement with its parameters of the types that PREPARE declares. */
function typedStatement({ statement, types }: Prepare): Query | WriteStatement {
  if (types.length === 0) return statement
  return withTypes(statement, types) as Query | WriteStatement
}

function withTypes(part: unknown, types: readonly TypeName[]): unknown {
  if (Array.isArray(part)) return part.map((item) => withTypes(item, types))
  if (typeof part !== 'object' || part === null) return part
  const node = part as { readonly kind?: unknown; readonly index?: number }
  const type = node.kind === 'parameter' ? types[(node.index ?? 0) - 1] : undefined
  if (type !== undefined && type.name !== 'unknown')
    return { kind: 'cast', operand: node, type, implied: true, span: type.span }
  return Object.fromEntries(Object.entries(part).map(([name, value]) => [name, withTypes(value, types)]))
}

/** A query that computes the values of EXECUTE. @throws 0A000 for subqueries in them */
function valuesQuery({ args, span }: Execute): Query {
  for (const arg of args) refuseSubqueries(arg)
  return {
    kind: 'query',
    with: [],
    recursive: false,
    body: { kind: 'values', rows: [args], span },
    orderBy: [],
    limit: null,
    offset: null,
    withTies: false,
    locking: [],
    span,
  }
}

function refuseSubqueries(part: unknown): void {
  if (Array.isArray(part)) {
    for (const item of part) refuseSubqueries(item)
    return
  }
  if (typeof part !== 'object' || part === null) return
  if ((part as Partial<Expression>).kind === ('query' as never))
    throw sqlError(SQLSTATE.featureNotSupported, 'cannot use subquery in EXECUTE parameter')
  for (const value of Object.values(part)) refuseSubqueries(value)
}
