import { assert, relationId } from '@cluster/core'
import { enumType } from '../types/enum.ts'
import { isIntervalSpan } from '../types/interval-fields.ts'
import { arrayOf, type EnumType, type RecordField, recordOf, type SqlType, TYPES } from '../types/type.ts'
import {
  decodeValue,
  encodeValue,
  type Json,
  list,
  number,
  object,
  string,
  stringOrNull,
  word,
} from './json.ts'
import type {
  CatalogEntry,
  CatalogObject,
  CheckConstraint,
  ColumnSchema,
  ForeignKey,
  IndexKey,
  IndexSchema,
  KeyConstraint,
  PrimaryKey,
  StoredQuery,
  TableSchema,
} from './schema.ts'

const ACTIONS = ['no action', 'restrict', 'cascade', 'set null', 'set default'] as const

/**
 * The definition of an entry as it stands in its catalog row. Version 1 is a JSON object with the fields of
 * `CatalogEntry` and `format: 1`; a reader refuses any other format.
 */
export function encodeEntry(entry: CatalogEntry): string {
  return JSON.stringify({ format: 1, ...entry }, (key, value: unknown) =>
    key === 'missing' ? encodeValue(value as ColumnSchema['missing']) : value,
  )
}

/** @throws InvariantError when the text is not what `encodeEntry` writes: the catalog is damaged */
export function decodeEntry(text: string): CatalogEntry {
  const json = object(JSON.parse(text))
  assert(json['format'] === 1, `catalog row of format ${String(json['format'])}; this program reads format 1`)
  const common: CatalogObject = {
    schema: string(json['schema']),
    name: string(json['name']),
    oid: number(json['oid']),
    version: number(json['version']),
    comment: stringOrNull(json['comment']),
  }
  switch (json['kind']) {
    case 'table':
      return decodeTable(json, common)
    case 'view':
      return {
        kind: 'view',
        ...common,
        ...decodeQuery(json),
        result: list(json['result']).map((value) => {
          const column = object(value)
          return { name: string(column['name']), type: decodeType(column['type']) }
        }),
        checkOption:
          json['checkOption'] === null ? null : word(json['checkOption'], ['local', 'cascaded'] as const),
      }
    case 'index':
      return { kind: 'index', ...common, table: string(json['table']) }
    case 'schema':
      return { kind: 'schema', ...common }
    case 'sequence': {
      const owner = json['ownedBy'] === null ? null : object(json['ownedBy'])
      return {
        kind: 'sequence',
        ...common,
        type: word(json['type'], ['smallint', 'integer', 'bigint'] as const),
        start: string(json['start']),
        increment: string(json['increment']),
        min: string(json['min']),
        max: string(json['max']),
        cache: number(json['cache']),
        cycle: json['cycle'] === true,
        ownedBy: owner === null ? null : { table: string(owner['table']), slot: number(owner['slot']) },
        temporary: json['temporary'] === true,
      }
    }
    case 'enum':
      return { kind: 'enum', ...common, labels: list(json['labels']).map(decodeLabel) }
    case 'composite':
      return { kind: 'composite', ...common, fields: list(json['fields']).map(decodeField) }
    case 'domain':
      return {
        kind: 'domain',
        ...common,
        ...(typeof json['base'] === 'string' ? { base: json['base'] } : {}),
        type: decodeType(json['type']),
        notNull: json['notNull'] === true,
        defaultText: stringOrNull(json['defaultText']),
        checks: list(json['checks']).map(decodeCheck),
      }
    default:
      throw new TypeError(`catalog row of unknown kind ${String(json['kind'])}`)
  }
}

function decodeTable(json: Json, common: CatalogObject): TableSchema {
  const { primaryKey, materialized } = json
  return {
    kind: 'table',
    ...common,
    relation: relationId(number(json['relation'])),
    columns: list(json['columns']).map(decodeColumn),
    slots: number(json['slots']),
    primaryKey: primaryKey === null ? null : decodePrimaryKey(primaryKey),
    indexes: list(json['indexes']).map(decodeIndex),
    checks: list(json['checks']).map(decodeCheck),
    foreignKeys: list(json['foreignKeys']).map(decodeForeignKey),
    referencedBy: list(json['referencedBy']).map((value) => {
      const key = object(value)
      return { table: string(key['table']), name: string(key['name']) }
    }),
    placement: word(json['placement'], ['hashed', 'everywhere'] as const),
    temporary:
      json['temporary'] === null
        ? null
        : word(json['temporary'], ['preserve rows', 'delete rows', 'drop'] as const),
    materialized:
      materialized === null
        ? null
        : {
            ...decodeQuery(object(materialized)),
            populated: object(materialized)['populated'] === true,
          },
  }
}

function decodeQuery(json: Json): StoredQuery {
  return {
    text: string(json['text']),
    columns: list(json['columns']).map(string),
    uses: list(json['uses']).map((value) => {
      const used = object(value)
      const columns = used['columns']
      return {
        written: string(used['written']),
        key: string(used['key']),
        columns:
          columns === null
            ? null
            : list(columns).map((one) => {
                const column = object(one)
                return { name: string(column['name']), slot: number(column['slot']) }
              }),
      }
    }),
  }
}

function decodeColumn(value: unknown): ColumnSchema {
  const json = object(value)
  return {
    name: string(json['name']),
    type: decodeType(json['type']),
    notNull: json['notNull'] === true,
    defaultText: stringOrNull(json['defaultText']),
    slot: number(json['slot']),
    missing: decodeValue(json['missing']),
    generated: stringOrNull(json['generated']),
    identity: json['identity'] === null ? null : word(json['identity'], ['always', 'by default'] as const),
    sequence: stringOrNull(json['sequence']),
    domain: stringOrNull(json['domain']),
    comment: stringOrNull(json['comment']),
  }
}

function decodeType(value: unknown): SqlType {
  const json = object(value)
  const type = Object.values(TYPES).find(({ id }) => id === json['id'])
  assert(type !== undefined, `catalog row with unknown type ${String(json['id'])}`)
  if (json['element'] !== undefined) return arrayOf(decodeType(json['element']))
  if (json['record'] !== undefined) return decodeRecord(object(json['record']))
  if (json['enum'] !== undefined) return enumType(decodeEnum(object(json['enum'])))
  const { span } = json
  const modifier = (field: string): number | null => (json[field] === null ? null : number(json[field]))
  return {
    id: type.id,
    length: modifier('length'),
    precision: modifier('precision'),
    scale: modifier('scale'),
    ...(typeof span === 'string' && isIntervalSpan(span) ? { span } : {}),
    ...(json['catalogName'] === true ? { catalogName: true } : {}),
  }
}

function decodeField(value: unknown): RecordField {
  const json = object(value)
  return { name: string(json['name']), type: decodeType(json['type']) }
}

function decodeRecord(json: Json): SqlType {
  const named = json['named'] === null ? null : object(json['named'])
  return recordOf(
    list(json['fields']).map(decodeField),
    named === null
      ? null
      : { oid: number(named['oid']), schema: string(named['schema']), name: string(named['name']) },
  )
}

const decodeEnum = (json: Json): EnumType => ({
  oid: number(json['oid']),
  schema: string(json['schema']),
  name: string(json['name']),
  labels: list(json['labels']).map(decodeLabel),
})

function decodeLabel(value: unknown) {
  const json = object(value)
  return { label: string(json['label']), place: number(json['place']) }
}

function decodeKey(json: Json): KeyConstraint {
  return { name: string(json['name']), columns: list(json['columns']).map(number) }
}

function decodePrimaryKey(value: unknown): PrimaryKey {
  const json = object(value)
  return {
    ...decodeKey(json),
    ...(json['deferrable'] === true ? { deferrable: true } : {}),
    oid: number(json['oid']),
    comment: stringOrNull(json['comment']),
  }
}

function decodeIndex(value: unknown): IndexSchema {
  const json = object(value)
  const { keys } = json
  return {
    ...decodeKey(json),
    oid: number(json['oid']),
    relation: relationId(number(json['relation'])),
    unique: json['unique'] === true,
    ...(json['nullsNotDistinct'] === true ? { nullsNotDistinct: true } : {}),
    ...(json['deferral'] === undefined
      ? {}
      : { deferral: { initiallyDeferred: object(json['deferral'])['initiallyDeferred'] === true } }),
    constraint: json['constraint'] === true,
    keys: keys === null ? null : list(keys).map(decodeIndexKey),
    where: stringOrNull(json['where']),
    ready: json['ready'] === true,
    comment: stringOrNull(json['comment']),
  }
}

function decodeIndexKey(value: unknown): IndexKey {
  const json = object(value)
  return {
    text: stringOrNull(json['text']),
    type: decodeType(json['type']),
    descending: json['descending'] === true,
    nullsFirst: json['nullsFirst'] === true,
  }
}

function decodeCheck(value: unknown): CheckConstraint {
  const json = object(value)
  return {
    name: string(json['name']),
    text: string(json['text']),
    oid: number(json['oid']),
    validated: json['validated'] === true,
    comment: stringOrNull(json['comment']),
  }
}

function decodeForeignKey(value: unknown): ForeignKey {
  const json = object(value)
  return {
    ...decodeKey(json),
    oid: number(json['oid']),
    table: string(json['table']),
    referenced: list(json['referenced']).map(number),
    target: string(json['target']),
    match: word(json['match'], ['simple', 'full'] as const),
    onDelete: word(json['onDelete'], ACTIONS),
    onUpdate: word(json['onUpdate'], ACTIONS),
    onDeleteColumns: list(json['onDeleteColumns']).map(number),
    deferrable: json['deferrable'] === true,
    initiallyDeferred: json['initiallyDeferred'] === true,
    validated: json['validated'] === true,
    comment: stringOrNull(json['comment']),
  }
}
