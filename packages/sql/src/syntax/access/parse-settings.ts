import type { AlterSettings, RoleName } from '../ast.ts'
import type { Cursor } from './cursor.ts'

/** The rest of ALTER ROLE name, or ALL; null when it is about something else. */
export function roleSettings(cursor: Cursor, role: RoleName | null): AlterSettings | null {
  if (!cursor.sees('in', 'database')) return change(cursor, role, null)
  cursor.need('in', 'database')
  const changed = change(cursor, role, cursor.name())
  if (changed === null) throw cursor.unexpected()
  return changed
}

/** The whole of ALTER DATABASE name SET and RESET; null for every other change. */
export function databaseSettings(cursor: Cursor): AlterSettings | null {
  if (!cursor.seesBehind(3, 'set') && !cursor.seesBehind(3, 'reset')) return null
  if (!cursor.skip('alter', 'database')) return null
  return change(cursor, null, cursor.name())
}

/** SET name = value, SET TIME ZONE value, SET name FROM CURRENT, RESET name, RESET ALL. */
function change(
  cursor: Cursor,
  role: RoleName | null,
  database: AlterSettings['database'],
): AlterSettings | null {
  const altered = (name: string | null, values: AlterSettings['values']): AlterSettings => ({
    kind: 'alterSettings',
    role,
    database,
    name,
    values,
    span: cursor.span,
  })
  if (cursor.skip('reset')) return altered(cursor.skip('all') ? null : settingName(cursor), null)
  if (!cursor.skip('set')) return null
  const zone = cursor.skip('time', 'zone')
  const name = zone ? 'timezone' : settingName(cursor)
  if (cursor.skip('from', 'current')) return altered(name, 'current')
  if (!zone && !cursor.sign('=')) cursor.need('to')
  if (cursor.skip('default') || (zone && cursor.skip('local'))) return altered(name, null)
  return altered(
    name,
    cursor.list(() => cursor.settingValue()),
  )
}

const settingName = (cursor: Cursor): string =>
  cursor
    .qualifiedName()
    .parts.map(({ name }) => name.toLowerCase())
    .join('.')
