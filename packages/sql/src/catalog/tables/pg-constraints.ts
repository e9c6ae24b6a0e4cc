import { smallints } from '../../types/array-text.ts'
import type { CatalogImage, ImageConstraint } from '../image.ts'
import { indexOid } from '../image.ts'
import type { KeyAction, TableSchema } from '../schema.ts'
import type { VirtualTable } from '../virtual-table.ts'
import { type Row, table } from './make.ts'

const actions: Readonly<Record<KeyAction, string>> = {
  'no action': 'a',
  restrict: 'r',
  cascade: 'c',
  'set null': 'n',
  'set default': 'd',
}

/** Constraints of tables and domains. */
export const constraintTables: readonly VirtualTable[] = [
  table(
    'pg_catalog.pg_constraint',
    `oid oid, conname, connamespace oid, contype, condeferrable bool, condeferred bool, convalidated bool,
     conrelid oid, contypid oid, conindid oid, conparentid oid, confrelid oid, confupdtype, confdeltype,
     confmatchtype, conislocal bool, coninhcount int4, connoinherit bool, conkey int2[], confkey int2[],
     conpfeqop oid[], conppeqop oid[], conffeqop oid[], confdelsetcols int2[], conexclop oid[], conbin, tableoid oid`,
    ({ catalog }) => catalog.constraints.map((constraint) => constraintRow(catalog, constraint)),
  ),
]

function constraintRow(catalog: CatalogImage, constraint: ImageConstraint): Row {
  const owner = constraint.kind === 'd' ? constraint.domain : constraint.table
  return {
    oid: constraint.oid,
    conname: constraint.name,
    connamespace: catalog.schemaOid(owner.schema),
    contype: constraint.kind === 'd' ? 'c' : constraint.kind,
    condeferrable: false,
    condeferred: false,
    convalidated: true,
    conrelid: constraint.kind === 'd' ? 0 : owner.oid,
    contypid: constraint.kind === 'd' ? owner.oid : 0,
    conindid: 0,
    conparentid: 0,
    confrelid: 0,
    confupdtype: ' ',
    confdeltype: ' ',
    confmatchtype: ' ',
    conislocal: true,
    coninhcount: 0,
    connoinherit: constraint.kind !== 'c',
    tableoid: 2606,
    ...ownPart(catalog, constraint),
  }
}

const numbersOf = ({ columns }: TableSchema, positions: readonly number[]): string =>
  smallints(positions.map((position) => (columns[position]?.slot ?? -1) + 1))

function ownPart(catalog: CatalogImage, constraint: ImageConstraint): Row {
  switch (constraint.kind) {
    case 'p':
    case 'u': {
      const { table: owner, index } = constraint
      const key = index ?? owner.primaryKey
      return {
        conindid: indexOid(constraint.oid),
        conkey: numbersOf(owner, key?.columns ?? []),
        condeferrable: index === null ? owner.primaryKey?.deferrable === true : index.deferral !== undefined,
        condeferred: index?.deferral?.initiallyDeferred === true,
      }
    }
    case 'c':
    case 'd': {
      const { text, validated } = constraint.check
      return { convalidated: validated, conbin: text }
    }
    case 'f': {
      const { key } = constraint
      const parent = catalog.byKey(key.table)
      const target =
        parent?.kind === 'table'
          ? [parent.primaryKey, ...parent.indexes].find((one) => one?.name === key.target)
          : null
      return {
        condeferrable: key.deferrable,
        condeferred: key.initiallyDeferred,
        convalidated: key.validated,
        conindid: target == null ? 0 : indexOid(target.oid),
        confrelid: parent?.oid ?? 0,
        confupdtype: actions[key.onUpdate],
        confdeltype: actions[key.onDelete],
        confmatchtype: key.match === 'full' ? 'f' : 's',
        conkey: smallints(key.columns.map((slot) => slot + 1)),
        confkey: smallints(key.referenced.map((slot) => slot + 1)),
        confdelsetcols:
          key.onDeleteColumns.length === 0 ? null : smallints(key.onDeleteColumns.map((slot) => slot + 1)),
      }
    }
  }
}
