import { Sequence } from './random.ts'
import {
  ADJECTIVES,
  ADVERBS,
  AUXILIARIES,
  COLOURS,
  CONTAINERS,
  INSTRUCTIONS,
  MODES,
  NATIONS,
  NOUNS,
  PREPOSITIONS,
  PRIORITIES,
  REGIONS,
  SEGMENTS,
  TERMINATORS,
  TYPES,
  VERBS,
} from './words.ts'

export type TpchTable =
  | 'region'
  | 'nation'
  | 'supplier'
  | 'part'
  | 'partsupp'
  | 'customer'
  | 'orders'
  | 'lineitem'

/** Numerics and dates as text. */
export type TpchRow = readonly (number | string)[]

const DAY_MS = 86_400_000
const FIRST_DAY = Date.UTC(1992, 0, 1) / DAY_MS
/** 151 days before the end of 1998, so that what is ordered then arrives in that year. */
const LAST_ORDER_DAY = Date.UTC(1998, 11, 31) / DAY_MS - 151
const TODAY = Date.UTC(1995, 5, 17) / DAY_MS

const dateText = (day: number): string => new Date(day * DAY_MS).toISOString().slice(0, 10)

/** `1234` cents are `12.34`. */
function money(cents: number): string {
  const size = Math.abs(cents)
  return `${cents < 0 ? '-' : ''}${Math.floor(size / 100)}.${String(size % 100).padStart(2, '0')}`
}

const numbered = (name: string, key: number): string => `${name}#${String(key).padStart(9, '0')}`

/** How many rows the tables have that grow with the scale. */
function sizesAt(scale: number) {
  const of = (rows: number): number => Math.max(1, Math.round(rows * scale))
  return {
    suppliers: Math.max(4, of(10_000)),
    parts: of(200_000),
    customers: Math.max(3, of(150_000)),
    orders: of(1_500_000),
    clerks: of(1_000),
    complaints: of(5),
  }
}

/**
 * Rows of one table by the rules of the TPC-H specification, chapter 4. They are the same for the same scale, on every
 * machine; not those of the specification's own program, whose random numbers are others.
 * @param scale 1 is about 1 GB
 */
export function tpchRows(table: TpchTable, scale: number): Iterable<TpchRow> {
  switch (table) {
    case 'region':
      return regions()
    case 'nation':
      return nations()
    case 'supplier':
      return suppliers(scale)
    case 'part':
      return parts(scale)
    case 'partsupp':
      return partSuppliers(scale)
    case 'customer':
      return customers(scale)
    case 'orders':
      return ordersWithItems(scale, 'orders')
    case 'lineitem':
      return ordersWithItems(scale, 'lineitem')
  }
}

function* regions(): Generator<TpchRow> {
  const random = new Sequence(11)
  for (const [key, name] of REGIONS.entries()) yield [key, name, text(random, 31, 115)]
}

function* nations(): Generator<TpchRow> {
  const random = new Sequence(12)
  for (const [key, [name, region]] of NATIONS.entries()) yield [key, name, region, text(random, 31, 114)]
}

function* suppliers(scale: number): Generator<TpchRow> {
  const random = new Sequence(13)
  const { suppliers: count, complaints } = sizesAt(scale)
  // Some suppliers have customers' words in their comments, spread over all of them.
  const step = Math.max(1, Math.floor(count / (complaints * 2)))
  for (let key = 1; key <= count; key++) {
    const nation = random.between(0, 24)
    const marked = key % step === 0 && key / step <= complaints * 2
    const word = (key / step) % 2 === 0 ? 'Recommends' : 'Complaints'
    const comment = text(random, 25, 100)
    yield [
      key,
      numbered('Supplier', key),
      address(random),
      nation,
      phone(random, nation),
      money(random.between(-99_999, 999_999)),
      marked ? `${comment.slice(0, 20)}Customer ${comment.slice(20, 40)}${word}`.slice(0, 101) : comment,
    ]
  }
}

/** Cents. */
const retailPrice = (part: number): number => 90_000 + (Math.floor(part / 10) % 20_001) + 100 * (part % 1_000)

function* parts(scale: number): Generator<TpchRow> {
  const random = new Sequence(14)
  for (let key = 1; key <= sizesAt(scale).parts; key++) {
    const names = new Set<string>()
    while (names.size < 5) names.add(random.pick(COLOURS))
    const maker = random.between(1, 5)
    yield [
      key,
      [...names].join(' '),
      `Manufacturer#${maker}`,
      `Brand#${maker}${random.between(1, 5)}`,
      TYPES.map((syllables) => random.pick(syllables)).join(' '),
      random.between(1, 50),
      CONTAINERS.map((syllables) => random.pick(syllables)).join(' '),
      money(retailPrice(key)),
      text(random, 5, 22),
    ]
  }
}

/** The `i`th of the four suppliers of a part. */
const supplierOf = (part: number, i: number, count: number): number =>
  ((part + i * (Math.floor(count / 4) + Math.floor((part - 1) / count))) % count) + 1

function* partSuppliers(scale: number): Generator<TpchRow> {
  const random = new Sequence(15)
  const sizes = sizesAt(scale)
  for (let part = 1; part <= sizes.parts; part++) {
    const seen = new Set<number>()
    for (let i = 0; i < 4; i++) {
      const supplier = supplierOf(part, i, sizes.suppliers)
      const row: TpchRow = [
        part,
        supplier,
        random.between(1, 9_999),
        money(random.between(100, 100_000)),
        text(random, 49, 198),
      ]
      // At tiny scales two of the four may be the same one.
      if (!seen.has(supplier)) yield row
      seen.add(supplier)
    }
  }
}

function* customers(scale: number): Generator<TpchRow> {
  const random = new Sequence(16)
  for (let key = 1; key <= sizesAt(scale).customers; key++) {
    const nation = random.between(0, 24)
    yield [
      key,
      numbered('Customer', key),
      address(random),
      nation,
      phone(random, nation),
      money(random.between(-99_999, 999_999)),
      random.pick(SEGMENTS),
      text(random, 29, 116),
    ]
  }
}

function* ordersWithItems(scale: number, wanted: 'orders' | 'lineitem'): Generator<TpchRow> {
  const random = new Sequence(17)
  const sizes = sizesAt(scale)
  for (let i = 0; i < sizes.orders; i++) {
    // Of 32 keys the first 8 are used.
    const key = Math.floor(i / 8) * 32 + (i % 8) + 1
    const customer = customerOf(random, sizes.customers)
    const ordered = random.between(FIRST_DAY, LAST_ORDER_DAY)
    const lines = random.between(1, 7)
    let total = 0
    let open = 0
    for (let line = 1; line <= lines; line++) {
      const item = lineItem(random, key, line, ordered, sizes)
      total += item.total
      if (item.open) open++
      if (wanted === 'lineitem') yield item.row
    }
    const row: TpchRow = [
      key,
      customer,
      open === 0 ? 'F' : open === lines ? 'O' : 'P',
      money(total),
      dateText(ordered),
      random.pick(PRIORITIES),
      numbered('Clerk', random.between(1, sizes.clerks)),
      0,
      text(random, 19, 78),
    ]
    if (wanted === 'orders') yield row
  }
}

/** A third of the customers orders nothing. */
function customerOf(random: Sequence, count: number): number {
  for (;;) {
    const key = random.between(1, count)
    if (key % 3 !== 0) return key
  }
}

function lineItem(
  random: Sequence,
  order: number,
  line: number,
  ordered: number,
  sizes: ReturnType<typeof sizesAt>,
): { readonly row: TpchRow; readonly total: number; readonly open: boolean } {
  const part = random.between(1, sizes.parts)
  const supplier = supplierOf(part, random.between(0, 3), sizes.suppliers)
  const quantity = random.between(1, 50)
  const price = quantity * retailPrice(part)
  const discount = random.between(0, 10)
  const tax = random.between(0, 8)
  const shipped = ordered + random.between(1, 121)
  const committed = ordered + random.between(30, 90)
  const received = shipped + random.between(1, 30)
  const open = shipped > TODAY
  const row: TpchRow = [
    order,
    part,
    supplier,
    line,
    money(quantity * 100),
    money(price),
    money(discount),
    money(tax),
    received <= TODAY ? random.pick(['R', 'A']) : 'N',
    open ? 'O' : 'F',
    dateText(shipped),
    dateText(committed),
    dateText(received),
    random.pick(INSTRUCTIONS),
    random.pick(MODES),
    text(random, 10, 43),
  ]
  const total = Math.round((price * (100 + tax) * (100 - discount)) / 10_000)
  return { row, total, open }
}

const LETTERS = '0123456789abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ,'

function address(random: Sequence): string {
  const length = random.between(10, 40)
  let made = ''
  while (made.length < length) made += LETTERS[random.between(0, LETTERS.length - 1)]
  return made
}

function phone(random: Sequence, nation: number): string {
  return `${nation + 10}-${random.between(100, 999)}-${random.between(100, 999)}-${random.between(1_000, 9_999)}`
}

const nounPhrase = (random: Sequence): string => {
  const noun = random.pick(NOUNS)
  switch (random.between(0, 3)) {
    case 0:
      return noun
    case 1:
      return `${random.pick(ADJECTIVES)} ${noun}`
    case 2:
      return `${random.pick(ADJECTIVES)}, ${random.pick(ADJECTIVES)} ${noun}`
    default:
      return `${random.pick(ADVERBS)} ${random.pick(ADJECTIVES)} ${noun}`
  }
}

const verbPhrase = (random: Sequence): string => {
  const verb = random.pick(VERBS)
  switch (random.between(0, 3)) {
    case 0:
      return verb
    case 1:
      return `${random.pick(AUXILIARIES)} ${verb}`
    case 2:
      return `${verb} ${random.pick(ADVERBS)}`
    default:
      return `${random.pick(AUXILIARIES)} ${verb} ${random.pick(ADVERBS)}`
  }
}

const aside = (random: Sequence): string => `${random.pick(PREPOSITIONS)} the ${nounPhrase(random)}`

function sentence(random: Sequence): string {
  const parts = [nounPhrase(random)]
  const form = random.between(0, 4)
  if (form === 2 || form === 4) parts.push(aside(random))
  parts.push(verbPhrase(random))
  if (form === 1 || form === 4) parts.push(aside(random))
  if (form === 3) parts.push(nounPhrase(random))
  return `${parts.join(' ')}${random.pick(TERMINATORS)}`
}

/** Sentences by the specification's grammar, cut to a length between the two. */
function text(random: Sequence, shortest: number, longest: number): string {
  const length = random.between(shortest, longest)
  let made = ''
  while (made.length < length) made += `${made === '' ? '' : ' '}${sentence(random)}`
  // No blank at the end, so that the text is the same as char and varchar.
  return made.slice(0, length).replace(/ $/, '.')
}
