import type { AlterDomain, AlterObject, AlterTable, StorageOption, TableChange } from '../ast.ts'
import type { Cursor } from './cursor.ts'

type Altered = AlterTable | AlterObject | AlterDomain

/**
 * Reads changes of tables, views, indexes and domains that name no expression and no type: most of them are about how PostgreSQL
 * stores things, and change nothing here.
 * @returns null for any other statement
 * @throws 42601
 */
export function alteration(cursor: Cursor): Altered | null {
  if (!cursor.skip('alter')) return null
  if (cursor.skip('domain')) return alterDomain(cursor)
  const object = cursor.skip('materialized', 'view')
    ? 'materialized view'
    : (['table', 'view', 'index'] as const).find((word) => cursor.skip(word))
  if (object === undefined) return null
  const ifExists = cursor.skip('if', 'exists')
  if (object === 'table') cursor.skip('only')
  const name = cursor.seesName ? cursor.qualifiedName() : null
  if (name === null) return null
  if (object === 'table') cursor.sign('*')
  if (object === 'table') {
    const change = tableChange(cursor)
    const { span } = cursor
    if (change === null || !cursor.done) return null
    return { kind: 'alterTable', table: name, ifExists, changes: [{ ...change, span }], span }
  }
  const change = objectChange(cursor, object)
  if (change === null || !cursor.done) return null
  return { kind: 'alterObject', object, name, ifExists, change, span: cursor.span }
}

type Adopted = Omit<TableChange & { readonly kind: 'adoptIndex' }, 'span'>

/** ADD CONSTRAINT … USING INDEX, and what is only about how PostgreSQL stores or fires things. */
function tableChange(cursor: Cursor): { readonly kind: 'unchanged' } | Adopted | null {
  const unchanged = { kind: 'unchanged' } as const
  if (cursor.skip('add')) {
    const name = cursor.skip('constraint') && cursor.seesName ? cursor.name() : null
    const primary = cursor.skip('primary', 'key')
    if ((!primary && !cursor.skip('unique')) || !cursor.skip('using', 'index')) return null
    return { kind: 'adoptIndex', name, primary, index: cursor.name() }
  }
  for (const words of ['logged', 'unlogged', 'without oids', 'without cluster'])
    if (cursor.skip('set', ...words.split(' '))) return unchanged
  if (cursor.skip('set', 'tablespace') || cursor.skip('set', 'access', 'method')) {
    cursor.name()
    return unchanged
  }
  if (cursor.skip('reset')) {
    cursor.skipParentheses()
    return unchanged
  }
  if (cursor.skip('replica', 'identity')) {
    if (cursor.skip('using', 'index')) cursor.name()
    else cursor.oneOf('default', 'full', 'nothing')
    return unchanged
  }
  // There are no triggers and no rules, so that all of them are as enabled as can be.
  for (const verb of ['enable', 'disable']) {
    if (cursor.skip(verb, 'trigger', 'all') || cursor.skip(verb, 'trigger', 'user')) return unchanged
  }
  return null
}

type ObjectChange = AlterObject['change']

function objectChange(cursor: Cursor, object: AlterObject['object']): ObjectChange | null {
  if (object !== 'index' && cursor.skip('rename')) {
    if (!cursor.skip('column') && cursor.sees('to')) return null
    const from = cursor.name()
    cursor.need('to')
    return { kind: 'renameColumn', from, to: cursor.name() }
  }
  const reset = cursor.skip('reset')
  if (reset || cursor.skip('set')) {
    const options = optionsOf(cursor)
    if (options === null) return cursor.skip('tablespace') ? unchangedBy(cursor) : null
    return object === 'view' ? { kind: 'viewOptions', options, reset } : { kind: 'unchanged' }
  }
  return null
}

function unchangedBy(cursor: Cursor): { readonly kind: 'unchanged' } {
  cursor.name()
  return { kind: 'unchanged' }
}

/** `(name = value, …)`; null: it is something else. */
function optionsOf(cursor: Cursor): readonly StorageOption[] | null {
  if (!cursor.sign('(')) return null
  const options = cursor.list((): StorageOption => {
    const name = cursor.anyName()
    const value = cursor.sign('=') ? cursor.settingValue() : null
    return { name, value, span: name.span }
  })
  cursor.needSign(')')
  return options
}

function alterDomain(cursor: Cursor): AlterDomain | null {
  const name = cursor.seesName ? cursor.qualifiedName() : null
  if (name === null) return null
  const change = domainChange(cursor)
  return change === null || !cursor.done ? null : { kind: 'alterDomain', name, change, span: cursor.span }
}

function domainChange(cursor: Cursor): AlterDomain['change'] | null {
  if (cursor.skip('validate', 'constraint')) return { kind: 'validateConstraint', name: cursor.name() }
  if (!cursor.skip('rename', 'constraint')) return null
  const from = cursor.name()
  cursor.need('to')
  return { kind: 'renameConstraint', from, to: cursor.name() }
}
