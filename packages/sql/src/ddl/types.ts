import { errorAt } from '../binder/context.ts'
import { declaredType } from '../binder/expression/declared-type.ts'
import {
  type CheckConstraint,
  type CompositeSchema,
  type DomainSchema,
  type EnumLabel,
  type EnumSchema,
  isTypeEntry,
} from '../catalog/schema.ts'
import { isSqlError, SQLSTATE, sqlError } from '../errors.ts'
import type {
  AlterDomain,
  AlterEnum,
  CreateDomain,
  CreateEnum,
  Expression,
  QualifiedName,
} from '../syntax/ast.ts'
import {
  change,
  type DdlContext,
  drawOid,
  hintNear,
  keyOf,
  lookUp,
  newName,
  newObject,
  shown,
  takenBy,
} from './context.ts'
import { checkedDefault, definedCondition, keptText, tableScope } from './expressions.ts'
import { changeObject } from './rename.ts'
import { rowsOf } from './rows.ts'
import { checkAllRows, checkNotNull, rowChecker } from './validate.ts'

/** Bytes that a label may have. */
const LABEL_MAX = 63

const typeExists = (name: string) => sqlError(SQLSTATE.duplicateObject, `type "${name}" already exists`)

/** @throws 42710, 22P02 */
export async function createEnum(context: DdlContext, { name, labels }: CreateEnum): Promise<void> {
  const named = await newName(context, name)
  if ((await takenBy(context, named)) !== null) throw typeExists(named.name)
  labels.forEach((label, i) => {
    checkLabel(label)
    if (labels.indexOf(label) !== i)
      throw sqlError('23505', 'duplicate key value violates unique constraint "pg_enum_typid_label_index"', {
        detail: `Key (enumlabel)=(${label}) already exists.`,
      })
  })
  const entry: EnumSchema = {
    kind: 'enum',
    ...(await newObject(context, named)),
    labels: labels.map((label, i) => ({ label, place: i + 1 })),
  }
  context.catalog.put(context.transaction, entry)
}

function checkLabel(label: string): void {
  if (label !== '' && new TextEncoder().encode(label).length <= LABEL_MAX) return
  throw sqlError('42602', `invalid enum label "${label}"`, {
    detail: `Labels must be 63 bytes or less.`,
  })
}

async function needType(
  context: DdlContext,
  name: QualifiedName,
): Promise<EnumSchema | DomainSchema | CompositeSchema> {
  const entry = await lookUp(context, name)
  if (isTypeEntry(entry)) return entry
  throw errorAt(
    context.bind,
    name,
    SQLSTATE.undefinedObject,
    `type "${shown(name)}" does not exist`,
    await hintNear(context, shown(name)),
  )
}

/** @throws 42704, 42710, 22023, 42809 */
export async function alterEnum(context: DdlContext, statement: AlterEnum): Promise<void> {
  const { change: what } = statement
  const type = await needType(context, statement.name)
  if (what.kind === 'rename' || what.kind === 'setSchema' || what.kind === 'owner')
    return changeObject(context, type, what)
  if (type.kind !== 'enum') throw sqlError(SQLSTATE.wrongObjectType, `"${type.name}" is not an enum`)
  const labels = what.kind === 'addValue' ? withLabel(type, what) : renamedLabel(type, what)
  if (labels === null) return
  if (what.kind === 'renameValue') await refuseStored(context, type, what.from)
  await relabel(context, await change(context, { ...type, labels }))
}

/** @returns null when it is there and IF NOT EXISTS was said */
function withLabel(
  type: EnumSchema,
  { value, ifNotExists, place }: AlterEnum['change'] & { kind: 'addValue' },
): readonly EnumLabel[] | null {
  checkLabel(value)
  const { labels } = type
  if (labels.some(({ label }) => label === value)) {
    if (ifNotExists) return null
    throw sqlError(SQLSTATE.duplicateObject, `enum label "${value}" already exists`)
  }
  const at = place === null ? labels.length - 1 : labels.findIndex(({ label }) => label === place.neighbour)
  if (place !== null && at < 0)
    throw sqlError(SQLSTATE.invalidParameterValue, `"${place.neighbour}" is not an existing enum label`)
  const next = place?.side === 'before' ? at : at + 1
  const [before, after] = [labels[next - 1]?.place, labels[next]?.place]
  const middle =
    before === undefined ? (after ?? 2) - 1 : after === undefined ? before + 1 : (before + after) / 2
  return [...labels.slice(0, next), { label: value, place: middle }, ...labels.slice(next)]
}

function renamedLabel(
  type: EnumSchema,
  { from, to }: AlterEnum['change'] & { kind: 'renameValue' },
): readonly EnumLabel[] {
  checkLabel(to)
  if (!type.labels.some(({ label }) => label === from))
    throw sqlError(SQLSTATE.invalidParameterValue, `"${from}" is not an existing enum label`)
  if (type.labels.some(({ label }) => label === to))
    throw sqlError(SQLSTATE.duplicateObject, `enum label "${to}" already exists`)
  return type.labels.map((one) => (one.label === from ? { ...one, label: to } : one))
}

/** Rows hold labels, so one that is in use keeps its name. */
async function refuseStored(context: DdlContext, type: EnumSchema, label: string): Promise<void> {
  const { catalog, transaction } = context
  for (const table of await catalog.entries(transaction)) {
    if (table.kind !== 'table') continue
    const positions = table.columns.flatMap((column, at) =>
      (column.type.element ?? column.type).enum?.oid === type.oid ? [at] : [],
    )
    if (positions.length === 0) continue
    for await (const rows of rowsOf(table, transaction))
      for (const { row } of rows)
        for (const at of positions)
          if (
            row[at] === label ||
            (table.columns[at]?.type.element !== undefined && String(row[at]).includes(label))
          )
            throw sqlError(
              SQLSTATE.featureNotSupported,
              `enum label "${label}" is in use, and cannot be renamed`,
              {
                detail: `Column ${table.columns[at]?.name} of table ${table.name} has it.`,
                hint: 'Add the new label, change the rows, and leave the old one unused.',
              },
            )
  }
}

/** Columns know the labels of their types. */
async function relabel(context: DdlContext, type: EnumSchema): Promise<void> {
  const { catalog, transaction } = context
  const { oid, schema, name, labels } = type
  const own = { oid, schema, name, labels }
  for (const entry of await catalog.entries(transaction)) {
    if (entry.kind === 'domain' && entry.type.enum?.oid === oid)
      await change(context, { ...entry, type: { ...entry.type, enum: own } })
    if (entry.kind !== 'table') continue
    let touched = false
    const columns = entry.columns.map((column) => {
      const { type: old } = column
      if (old.enum?.oid === oid) {
        touched = true
        return { ...column, type: { ...old, enum: own } }
      }
      if (old.element?.enum?.oid !== oid) return column
      touched = true
      return { ...column, type: { ...old, element: { ...old.element, enum: own } } }
    })
    if (touched) await change(context, { ...entry, columns })
  }
}

/** The condition of a domain is over VALUE. */
function makeDomainCheck(
  context: DdlContext,
  domain: Pick<DomainSchema, 'name' | 'type' | 'checks'>,
  name: string | null,
  expression: Expression,
  oid: number,
  validated: boolean,
): CheckConstraint {
  const scope = tableScope(context, domain.name, [{ name: 'value', type: domain.type }])
  const bound = definedCondition(context, scope, expression, {
    place: 'check constraints',
    word: 'CHECK',
    what: 'check constraint',
  })
  const taken = new Set(domain.checks.map((check) => check.name))
  let made = name ?? `${domain.name}_check`
  for (let n = 1; taken.has(made); n++) {
    if (name !== null)
      throw sqlError(
        SQLSTATE.duplicateObject,
        `constraint "${name}" for domain "${domain.name}" already exists`,
      )
    made = `${domain.name}_check${n}`
  }
  const text = keptText(context, scope.scope, expression, bound).replace(/\bvalue\b/g, 'VALUE')
  return { name: made, text, oid, validated, comment: null }
}

/** @throws 42710, 42704, 42601 */
export async function createDomain(context: DdlContext, statement: CreateDomain): Promise<void> {
  const { bind } = context
  const named = await newName(context, statement.name)
  if ((await takenBy(context, named)) !== null) throw typeExists(named.name)
  const { type, domain: base } = declaredType(bind, statement.type)
  const below = base === null ? null : bind.names.byKey(base)
  let domain: DomainSchema = {
    kind: 'domain',
    ...(await newObject(context, named)),
    type,
    ...(base === null ? {} : { base }),
    notNull: false,
    defaultText: below?.kind === 'domain' ? below.defaultText : null,
    checks: [],
  }
  for (const constraint of statement.constraints)
    switch (constraint.kind) {
      case 'notNull':
        domain = { ...domain, notNull: true }
        break
      case 'nullable':
        if (domain.notNull)
          throw errorAt(bind, constraint, SQLSTATE.syntaxError, 'conflicting NULL/NOT NULL constraints')
        break
      case 'default':
        if (statement.constraints.find(({ kind }) => kind === 'default') !== constraint)
          throw errorAt(bind, constraint, SQLSTATE.syntaxError, 'multiple default expressions')
        domain = { ...domain, defaultText: domainDefault(context, domain, constraint.expression) }
        break
      case 'check': {
        const name = constraint.name?.name ?? null
        const check = makeDomainCheck(
          context,
          domain,
          name,
          constraint.expression,
          await drawOid(context, ''),
          true,
        )
        domain = { ...domain, checks: [...domain.checks, check] }
        break
      }
      default:
        throw errorAt(
          bind,
          constraint,
          SQLSTATE.syntaxError,
          `${constraint.kind === 'references' ? 'foreign key' : constraint.kind === 'primaryKey' ? 'primary key' : constraint.kind} constraints not possible for domains`,
        )
    }
  context.catalog.put(context.transaction, domain)
}

const domainDefault = (context: DdlContext, { name, type, base }: DomainSchema, node: Expression) =>
  checkedDefault(context, node, name, { type, domain: base ?? null })

/** @throws 42704, 42809, 23514, 23502 */
export async function alterDomain(context: DdlContext, statement: AlterDomain): Promise<void> {
  const { change: what } = statement
  const domain = await needType(context, statement.name)
  if (domain.kind !== 'domain') throw sqlError(SQLSTATE.wrongObjectType, `"${domain.name}" is not a domain`)
  switch (what.kind) {
    case 'setDefault':
      await change(context, { ...domain, defaultText: domainDefault(context, domain, what.expression) })
      return
    case 'dropDefault':
      await change(context, { ...domain, defaultText: null })
      return
    case 'setNotNull':
      await checkColumns(context, domain, null)
      await change(context, { ...domain, notNull: true })
      return
    case 'dropNotNull':
      await change(context, { ...domain, notNull: false })
      return
    case 'addConstraint': {
      const { constraint } = what
      if (constraint.kind !== 'check')
        throw errorAt(context.bind, constraint, SQLSTATE.syntaxError, 'a domain has only check constraints')
      const name = constraint.name?.name ?? null
      const validated = !constraint.notValid
      const check = makeDomainCheck(
        context,
        domain,
        name,
        constraint.expression,
        await drawOid(context, ''),
        validated,
      )
      if (validated) await checkColumns(context, domain, check)
      await change(context, { ...domain, checks: [...domain.checks, check] })
      return
    }
    case 'dropConstraint': {
      const { name } = what.name
      if (!domain.checks.some((check) => check.name === name)) {
        if (what.ifExists) return
        throw sqlError(
          SQLSTATE.undefinedObject,
          `constraint "${name}" of domain "${domain.name}" does not exist`,
        )
      }
      await change(context, { ...domain, checks: domain.checks.filter((check) => check.name !== name) })
      return
    }
    case 'validateConstraint': {
      const check = needCheck(domain, what.name.name)
      await checkColumns(context, domain, check)
      await change(context, withCheck(domain, check, { validated: true }))
      return
    }
    case 'renameConstraint': {
      const { name: to } = what.to
      const check = needCheck(domain, what.from.name)
      if (domain.checks.some(({ name }) => name === to))
        throw sqlError(
          SQLSTATE.duplicateObject,
          `constraint "${to}" for domain "${domain.name}" already exists`,
        )
      await change(context, withCheck(domain, check, { name: to }))
      return
    }
    default:
      await changeObject(context, domain, what)
  }
}

/** @throws 42704 */
function needCheck({ name: domain, checks }: DomainSchema, name: string): CheckConstraint {
  const found = checks.find((check) => check.name === name)
  if (found !== undefined) return found
  throw sqlError(SQLSTATE.undefinedObject, `constraint "${name}" of domain "${domain}" does not exist`)
}

const withCheck = (
  domain: DomainSchema,
  check: CheckConstraint,
  next: Partial<CheckConstraint>,
): DomainSchema => ({
  ...domain,
  checks: domain.checks.map((one) => (one === check ? { ...check, ...next } : one)),
})

/** Looks at all columns of the domain. @param check null: NOT NULL */
async function checkColumns(
  context: DdlContext,
  domain: DomainSchema,
  check: CheckConstraint | null,
): Promise<void> {
  const entries = await context.catalog.entries(context.transaction)
  const keys = new Set([keyOf(context, domain)])
  // Domains over it, which may stand anywhere in the list.
  for (let size = 0; size < keys.size; ) {
    size = keys.size
    for (const entry of entries)
      if (entry.kind === 'domain' && entry.base !== undefined && keys.has(entry.base))
        keys.add(keyOf(context, entry))
  }
  for (const table of entries) {
    if (table.kind !== 'table') continue
    for (const [position, column] of table.columns.entries()) {
      if (column.domain === null || !keys.has(column.domain)) continue
      if (check === null) await checkNotNull(context, table, [position])
      else {
        // The column goes by the name that the condition has for it.
        const columns = table.columns.map((one, at) => ({
          ...one,
          name: at === position ? 'value' : `\u0000${at}`,
        }))
        const own = { ...table, columns }
        try {
          await checkAllRows(context, own, rowChecker(context, own, [check]))
        } catch (error) {
          if (!isSqlError(error) || error.detail.sqlstate !== SQLSTATE.checkViolation) throw error
          throw sqlError(
            SQLSTATE.checkViolation,
            `column "${column.name}" of table "${table.name}" contains values that violate the new constraint`,
          )
        }
      }
    }
  }
}
