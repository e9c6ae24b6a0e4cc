/** Buckets a doubling: values are kept to within 1/128. */
const SUB_BITS = 7
const SUB = 1 << SUB_BITS
/** Enough for half a day in microseconds. */
const BUCKETS = SUB * 34

/** Filled buckets as pairs of number and count; travels between processes. */
export type Buckets = readonly (readonly [bucket: number, count: number])[]

/**
 * How long operations took, in microseconds: every value up to 256 has a bucket of its own, above that each
 * doubling has 128. Histograms of several runs or processes can be added up.
 * @see HdrHistogram, by Gil Tene
 */
export class Histogram {
  readonly #counts = new Float64Array(BUCKETS)
  #total = 0
  #max = 0

  static of(buckets: Buckets): Histogram {
    const histogram = new Histogram()
    histogram.add(buckets)
    return histogram
  }

  get total(): number {
    return this.#total
  }

  /** Microseconds; of values that came as buckets, the bucket's upper end. */
  get max(): number {
    return this.#max
  }

  /** @param micros at least 0; fractions are dropped */
  record(micros: number): void {
    const value = Math.floor(micros)
    const bucket = bucketOf(value)
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1
    this.#total++
    if (value > this.#max) this.#max = value
  }

  add(buckets: Buckets): void {
    for (const [bucket, count] of buckets) {
      this.#counts[bucket] = (this.#counts[bucket] ?? 0) + count
      this.#total += count
      this.#max = Math.max(this.#max, highest(bucket))
    }
  }

  /**
   * The value that the given share of all values does not exceed; NaN when there are none.
   * @param share from 0 to 1
   * @returns microseconds, too high by 1/128 at most
   */
  quantile(share: number): number {
    if (this.#total === 0) return Number.NaN
    const wanted = Math.max(1, Math.ceil(this.#total * share))
    let seen = 0
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      seen += this.#counts[bucket] ?? 0
      if (seen >= wanted) return Math.min(highest(bucket), this.#max)
    }
    return this.#max
  }

  buckets(): Buckets {
    const filled: [number, number][] = []
    this.#counts.forEach((count, bucket) => {
      if (count > 0) filled.push([bucket, count])
    })
    return filled
  }
}

function bucketOf(value: number): number {
  if (value < 2 * SUB) return Math.max(0, value)
  const doubling = Math.floor(Math.log2(value)) - SUB_BITS
  return Math.min(BUCKETS - 1, doubling * SUB + Math.floor(value / 2 ** doubling))
}

/** The largest value of a bucket. */
function highest(bucket: number): number {
  if (bucket < 2 * SUB) return bucket
  const doubling = Math.floor(bucket / SUB) - 1
  return (SUB + (bucket % SUB) + 1) * 2 ** doubling - 1
}
