import { KeyWriter, type Value } from '@cluster/core'
import { trimBlanks } from './compare.ts'
import { intervalSpan, toInterval } from './interval.ts'
import type { SqlType } from './type.ts'

/** Adds a value, or NULL, to an order-preserving key. Equal values give equal keys. */
export function writeKeyValue(writer: KeyWriter, type: SqlType, value: Value): void {
  if (value === null) {
    writer.null()
    return
  }
  switch (type.id) {
    case 'boolean':
      writer.boolean(value as boolean)
      return
    case 'smallint':
    case 'integer':
    case 'real':
    case 'double':
    case 'date':
      writer.double(value as number)
      return
    case 'bigint':
    case 'timestamp':
      writer.int64(value as bigint)
      return
    case 'numeric':
      writer.decimal(value as string)
      return
    case 'interval':
      writer.decimal(intervalSpan(toInterval(value as string)).toString())
      return
    case 'char':
      writer.text(trimBlanks(value as string))
      return
    case 'bytea':
      writer.bytes(value as Uint8Array)
      return
    default:
      writer.text(value as string)
  }
}

/**
 * A value that `Map` and `===` find equal exactly when SQL does, for grouping and DISTINCT; NULL gives null.
 * Most values are their own key.
 */
export function hashKey(type: SqlType, value: Value): string | number | bigint | boolean | null {
  if (value === null) return null
  switch (type.id) {
    case 'numeric':
    case 'interval':
    case 'bytea': {
      const writer = new KeyWriter()
      writeKeyValue(writer, type, value)
      return writer.finish()
    }
    case 'char':
      return trimBlanks(value as string)
    default:
      return value as string | number | bigint | boolean
  }
}
