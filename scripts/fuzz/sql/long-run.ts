import { fileURLToPath } from 'node:url'
import { type RunIdentity, readProgress, sourceDigest, writeProgress } from '../../progress-file.ts'
import { Totals, type TotalsState } from './totals.ts'

interface FuzzIdentity extends RunIdentity {
  readonly seed: number
  readonly size: number
}

interface FuzzProgress extends FuzzIdentity {
  /** The seed that comes next. */
  readonly next: number
  readonly totals: TotalsState
}

/** What was done is written to the file so often at most. */
const WRITE_EVERY_MS = 5_000

const root = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '')

/** What a run has done, kept in a file when there is one, so that the next goes on from it. */
export class LongRun {
  readonly #file: string | null
  readonly #identity: FuzzIdentity
  readonly totals: Totals
  next: number
  #writtenAt = performance.now()

  /**
   * @param file null: nothing is kept
   * @throws Error when the file is of another source, or of other seeds
   */
  constructor(file: string | null, { seed, size }: { readonly seed: number; readonly size: number }) {
    this.#file = file
    this.#identity = { source: file === null ? '' : sourceDigest(root, ['scripts/fuzz']), seed, size }
    const before = file === null ? null : readProgress<FuzzProgress, FuzzIdentity>(file, this.#identity)
    this.totals = new Totals(before?.totals)
    this.next = before?.next ?? seed
  }

  /** Now and then, so that a run that is killed loses little; always with `last`. */
  write({ last }: { readonly last: boolean }): void {
    if (this.#file === null || (!last && performance.now() - this.#writtenAt < WRITE_EVERY_MS)) return
    this.#writtenAt = performance.now()
    const progress: FuzzProgress = { ...this.#identity, next: this.next, totals: this.totals.state() }
    writeProgress(this.#file, progress)
  }
}
