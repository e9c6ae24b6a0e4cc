/**
 * The keywords and what else each may be, as PostgreSQL 15 has it (`pg_get_keywords()`). Words that it lists as
 * unreserved and that no rule of the grammar names are plain identifiers here.
 *
 * - reserved: only a label behind AS;
 * - typeOrFunction: reserved except in places where types and functions stand;
 * - column: a column or table, not a function;
 * - unreserved: any name.
 */
export type KeywordClass = 'reserved' | 'typeOrFunction' | 'column' | 'unreserved'

const words = (text: string): readonly string[] => text.trim().split(/\s+/)

const reserved = words(`
  all analyse analyze and any array as asc asymmetric both case cast check collate column constraint create
  current_catalog current_date current_role current_time current_timestamp current_user default deferrable desc
  distinct do else end except false fetch for foreign from grant group having in initially intersect into lateral
  leading limit localtime localtimestamp not null offset on only or order placing primary references returning
  select session_user some symmetric table then to trailing true union unique user using variadic when where window
  with`)

const typeOrFunction = words(`
  authorization binary collation concurrently cross current_schema freeze full ilike inner is isnull join left like
  natural notnull outer overlaps right similar tablesample verbose`)

const column = words(`
  between char character coalesce exists extract greatest grouping interval least nullif position precision row substring
  time timestamp trim values`)

const unreserved = words(`
  abort absolute action add after alter always asensitive at attribute backward before begin breadth by cache cascade cascaded
  chain characteristics close comment commit committed conflict constraints continue copy csv current cursor cycle data
  database day deallocate declare deferred delete depth delimiter delimiters distributed domain double drop encoding enum
  escape exclude excluding execute explain expression filter first following force forward generated groups header
  hold hour identity if immediate include including increment index inherit inherits insensitive insert isolation key language last
  level local lock locked match matched materialized maxvalue merge minute minvalue mode month move next no nothing nowait
  nulls of option ordinality others over overriding owned owner partial partition preceding prepare preserve prior
  program quote range read recursive refresh relative release rename repeatable replace reset restart restrict
  rollback rows savepoint schema scroll search second sequence serializable session set sets share show simple skip start
  statistics stdin stdout storage stored system temp temporary ties transaction truncate type unbounded uncommitted
  unknown unlogged update vacuum valid validate value varying view within without work write year zone`)

/** These cannot be a label without AS. */
const notBare = new Set(
  words(`
  array as char character create day except fetch filter for from grant group having hour intersect into isnull
  limit minute month notnull offset on order over overlaps precision returning second to union varying where window
  with within without year`),
)

export interface Keyword {
  /** Lower case. */
  readonly word: string
  readonly class: KeywordClass
  /** May be a column's label without AS. */
  readonly bareLabel: boolean
}

const listed = (list: readonly string[], kind: KeywordClass): Keyword[] =>
  list.map((word) => ({ word, class: kind, bareLabel: !notBare.has(word) }))

export const KEYWORDS: readonly Keyword[] = [
  ...listed(reserved, 'reserved'),
  ...listed(typeOrFunction, 'typeOrFunction'),
  ...listed(column, 'column'),
  ...listed(unreserved, 'unreserved'),
]

/** Words that PostgreSQL itself would quote when it prints them as a name. */
const quoted = new Set([
  ...reserved,
  ...typeOrFunction,
  ...column,
  ...words(`
    bigint bit boolean dec decimal float inout int integer national nchar none normalize numeric out overlay
    real setof smallint treat varchar xmlattributes xmlconcat xmlelement xmlexists xmlforest xmlnamespaces xmlparse
    xmlpi xmlroot xmlserialize xmltable`),
])

/** The name as it must be written: in quotes unless it is a plain lower-case word that is no keyword. */
export function quoteIdentifier(name: string): string {
  if (/^[a-z_][a-z0-9_$]*$/.test(name) && !quoted.has(name)) return name
  return `"${name.replaceAll('"', '""')}"`
}

/** The text as a string literal. */
export function quoteLiteral(text: string): string {
  const escaped = text.replaceAll("'", "''")
  return text.includes('\\') ? `E'${escaped.replaceAll('\\', '\\\\')}'` : `'${escaped}'`
}
