import { assert, relationId } from '@cluster/core'
import { arrayOf, type SqlType, TYPES } from '../types/type.ts'
import type {
  CatalogEntry,
  CheckConstraint,
  ColumnSchema,
  IndexSchema,
  KeyConstraint,
  TableSchema,
} from './schema.ts'

/**
 * The definition of an entry as it stands in its catalog row. Version 1 is a JSON object with the fields of
 * `CatalogEntry` and `format: 1`; a reader refuses any other format.
 */
export function encodeEntry(entry: CatalogEntry): string {
  return JSON.stringify({ format: 1, ...entry })
}

/** @throws InvariantError when the text is not what `encodeEntry` writes: the catalog is damaged */
export function decodeEntry(text: string): CatalogEntry {
  const json = object(JSON.parse(text))
  assert(json['format'] === 1, `catalog row of format ${String(json['format'])}; this program reads format 1`)
  const name = string(json['name'])
  const version = number(json['version'])
  switch (json['kind']) {
    case 'table':
      return decodeTable(json, name, version)
    case 'view':
      return {
        kind: 'view',
        name,
        version,
        text: string(json['text']),
        columns: list(json['columns']).map(string),
        uses: list(json['uses']).map(string),
      }
    case 'index':
      return { kind: 'index', name, version, table: string(json['table']) }
    default:
      throw new TypeError(`catalog row of unknown kind ${String(json['kind'])}`)
  }
}

function decodeTable(json: Json, name: string, version: number): TableSchema {
  const primaryKey = json['primaryKey']
  return {
    kind: 'table',
    name,
    version,
    relation: relationId(number(json['relation'])),
    columns: list(json['columns']).map(decodeColumn),
    primaryKey: primaryKey === null ? null : decodeKey(primaryKey),
    indexes: list(json['indexes']).map(decodeIndex),
    checks: list(json['checks']).map(decodeCheck),
    placement: json['placement'] === 'everywhere' ? 'everywhere' : 'hashed',
  }
}

function decodeColumn(value: unknown): ColumnSchema {
  const json = object(value)
  return {
    name: string(json['name']),
    type: decodeType(json['type']),
    notNull: json['notNull'] === true,
    defaultText: json['defaultText'] === null ? null : string(json['defaultText']),
  }
}

function decodeType(value: unknown): SqlType {
  const json = object(value)
  const type = Object.values(TYPES).find(({ id }) => id === json['id'])
  assert(type !== undefined, `catalog row with unknown type ${String(json['id'])}`)
  if (json['element'] !== undefined) return arrayOf(decodeType(json['element']))
  const modifier = (field: string): number | null => (json[field] === null ? null : number(json[field]))
  return {
    id: type.id,
    length: modifier('length'),
    precision: modifier('precision'),
    scale: modifier('scale'),
  }
}

function decodeKey(value: unknown): KeyConstraint {
  const json = object(value)
  return { name: string(json['name']), columns: list(json['columns']).map(number) }
}

function decodeIndex(value: unknown): IndexSchema {
  const json = object(value)
  return {
    ...decodeKey(json),
    relation: relationId(number(json['relation'])),
    unique: json['unique'] === true,
    constraint: json['constraint'] === true,
  }
}

function decodeCheck(value: unknown): CheckConstraint {
  const json = object(value)
  return { name: string(json['name']), text: string(json['text']) }
}

type Json = Readonly<Record<string, unknown>>

function object(value: unknown): Json {
  assert(
    typeof value === 'object' && value !== null && !Array.isArray(value),
    'catalog row without an object',
  )
  return value as Json
}

function list(value: unknown): readonly unknown[] {
  assert(Array.isArray(value), 'catalog row without a list')
  return value
}

function string(value: unknown): string {
  assert(typeof value === 'string', 'catalog row without a text')
  return value
}

function number(value: unknown): number {
  assert(typeof value === 'number', 'catalog row without a number')
  return value
}
