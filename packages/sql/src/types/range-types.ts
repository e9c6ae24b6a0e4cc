/** A range type of PostgreSQL, with the multirange of its ranges. */
export interface RangeNames<Range = string, Multirange = string, Subtype = string> {
  readonly range: Range
  readonly multirange: Multirange
  /** What its bounds are. */
  readonly subtype: Subtype
  /** Of the range, arrays of it, the multirange, and arrays of that. */
  readonly oids: readonly [range: number, ranges: number, multirange: number, multiranges: number]
}

const named = <const Range, const Multirange, const Subtype>(
  range: Range,
  multirange: Multirange,
  subtype: Subtype,
  oids: RangeNames['oids'],
): RangeNames<Range, Multirange, Subtype> => ({ range, multirange, subtype, oids })

/** All there are; their names are those of their types. */
export const RANGE_TYPES = [
  named('int4range', 'int4multirange', 'integer', [3904, 3905, 4451, 6150]),
  named('int8range', 'int8multirange', 'bigint', [3926, 3927, 4536, 6157]),
  named('numrange', 'nummultirange', 'numeric', [3906, 3907, 4532, 6151]),
  named('tsrange', 'tsmultirange', 'timestamp', [3908, 3909, 4533, 6152]),
  named('tstzrange', 'tstzmultirange', 'timestamptz', [3910, 3911, 4534, 6153]),
  named('daterange', 'datemultirange', 'date', [3912, 3913, 4535, 6155]),
] as const

type Names = (typeof RANGE_TYPES)[number]
export type RangeId = Names['range']
export type MultirangeId = Names['multirange']
export type AnyRangeId = RangeId | MultirangeId
export type RangeSubtype = Names['subtype']

/** Something for each range and each multirange, by its name. */
export const forRangeTypes = <T>(
  make: (id: AnyRangeId, names: Names) => T,
): Readonly<Record<AnyRangeId, T>> =>
  Object.fromEntries(
    RANGE_TYPES.flatMap((names) => [
      [names.range, make(names.range, names)],
      [names.multirange, make(names.multirange, names)],
    ]),
  ) as Record<AnyRangeId, T>

const subtypes: Readonly<Partial<Record<string, RangeSubtype>>> = forRangeTypes((_, { subtype }) => subtype)

/** What the bounds of a range or of a multirange are; of any other type the type itself. */
export const boundId = <Id extends string>(id: Id): Id | RangeSubtype => subtypes[id] ?? id

/** True for the ranges and the multiranges. */
export const isRangeId = (id: string): id is AnyRangeId => subtypes[id] !== undefined
