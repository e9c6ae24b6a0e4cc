import type { GrantObject } from '../syntax/ast.ts'

/** Privileges as PostgreSQL 15 has them, by the letters of its access lists. */
export type Letter = 'a' | 'r' | 'w' | 'd' | 'D' | 'x' | 't' | 'X' | 'U' | 'C' | 'T' | 'c'

/** What privileges are given on. A view or a materialized view counts as a table. */
export type AccessKind = GrantObject

/** In the order in which access lists have them. */
export const LETTERS: readonly Letter[] = ['a', 'r', 'w', 'd', 'D', 'x', 't', 'X', 'U', 'C', 'T', 'c']

const NAMES: Readonly<Record<Letter, string>> = {
  a: 'INSERT',
  r: 'SELECT',
  w: 'UPDATE',
  d: 'DELETE',
  D: 'TRUNCATE',
  x: 'REFERENCES',
  t: 'TRIGGER',
  X: 'EXECUTE',
  U: 'USAGE',
  C: 'CREATE',
  T: 'TEMPORARY',
  c: 'CONNECT',
}

export const privilegeName = (letter: Letter): string => NAMES[letter]

/** The letter of a privilege by its name in upper case; null when there is none of the name. */
export function letterOf(name: string): Letter | null {
  if (name === 'TEMP') return 'T'
  return LETTERS.find((letter) => NAMES[letter] === name) ?? null
}

const OF_KIND: Readonly<Record<AccessKind, string>> = {
  table: 'arwdDxt',
  sequence: 'rwU',
  schema: 'UC',
  database: 'CTc',
  type: 'U',
  function: 'X',
  language: 'U',
  tablespace: 'C',
}

/** The privileges that there are on an object of a kind, as letters. */
export const lettersOf = (kind: AccessKind): string => OF_KIND[kind]

/** The privileges that there are on a column. */
export const COLUMN_LETTERS = 'arwx'

/** What everybody may do with an object on which nobody has given or taken anything. */
const OF_EVERYBODY: Readonly<Record<AccessKind, string>> = {
  table: '',
  sequence: '',
  schema: '',
  database: 'Tc',
  type: 'U',
  function: 'X',
  language: 'U',
  tablespace: '',
}

/** Stands for PUBLIC among grantees. */
export const EVERYBODY = 0

/** What one role was given by another. `grantable` is a part of `letters`. Roles by number. */
export interface AclItem {
  readonly grantee: number
  readonly grantor: number
  readonly letters: string
  readonly grantable: string
}

export type Acl = readonly AclItem[]

export const inOrder = (letters: Iterable<string>): string => {
  const all = new Set(letters)
  return LETTERS.filter((letter) => all.has(letter)).join('')
}

/** The access list of an object on which nobody has given or taken anything. */
export function defaultAcl(kind: AccessKind, owner: number): Acl {
  const everybody = OF_EVERYBODY[kind]
  const own = { grantee: owner, grantor: owner, letters: lettersOf(kind), grantable: '' }
  if (everybody === '') return [own]
  return [{ grantee: EVERYBODY, grantor: owner, letters: everybody, grantable: '' }, own]
}

/** The list with letters given to a role. @param grantable with the right to give them on */
export function withGranted(acl: Acl, item: AclItem): Acl {
  const at = acl.findIndex(({ grantee, grantor }) => grantee === item.grantee && grantor === item.grantor)
  const before = acl[at]
  if (before === undefined) return [...acl, { ...item, letters: inOrder(item.letters) }]
  const merged = {
    ...before,
    letters: inOrder(before.letters + item.letters),
    grantable: inOrder(before.grantable + item.grantable),
  }
  return acl.map((one, i) => (i === at ? merged : one))
}

/** The list without these letters of a role. @param optionOnly it keeps them, but may not give them on */
export function withRevoked(acl: Acl, { grantee, letters }: AclItem, optionOnly: boolean): Acl {
  const gone = new Set(letters)
  const left = (text: string): string => [...text].filter((letter) => !gone.has(letter)).join('')
  return acl.flatMap((one): AclItem[] => {
    if (one.grantee !== grantee) return [one]
    const kept = {
      ...one,
      letters: optionOnly ? one.letters : left(one.letters),
      grantable: left(one.grantable),
    }
    return kept.letters === '' ? [] : [kept]
  })
}

/** An item in PostgreSQL's form: `reader=r*w/owner`. */
export function aclText(
  { grantee, grantor, letters, grantable }: AclItem,
  nameOf: (oid: number) => string,
): string {
  const marked = [...letters].map((letter) => (grantable.includes(letter) ? `${letter}*` : letter)).join('')
  const to = grantee === EVERYBODY ? '' : quoted(nameOf(grantee))
  return `${to}=${marked}/${quoted(nameOf(grantor))}`
}

/** An item that `aclText` wrote, with roles by whatever they are called there; null for another text. */
export function parseAclText(text: string): {
  readonly grantee: string
  readonly grantor: string
  readonly letters: string
  readonly grantable: string
} | null {
  const name = '(\\w*|"(?:[^"]|"")*")'
  const [, grantee, marked = '', grantor] =
    new RegExp(`^${name}=((?:[a-zA-Z]\\*?)*)/${name}$`).exec(text) ?? []
  if (grantee === undefined || grantor === undefined) return null
  const plain = (given: string): string =>
    given.startsWith('"') ? given.slice(1, -1).replaceAll('""', '"') : given
  return {
    grantee: plain(grantee),
    grantor: plain(grantor),
    letters: marked.replaceAll('*', ''),
    grantable: Array.from(marked.matchAll(/(.)\*/g), ([, letter]) => letter).join(''),
  }
}

const quoted = (name: string): string => (/^\w+$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`)
