import {
  assert,
  ClusterError,
  type DiskErrorDetail,
  type Key,
  type RelationId,
  type Version,
} from '@cluster/core'
import { settle } from '../machine/settle.ts'
import type { RowVersion, WriteLayer } from '../machine/write-layer.ts'
import type { Files } from './files.ts'
import type { JournalPart } from './journal.ts'
import { type StoreHead, writeHead } from './store-head.ts'

/** Bounds of one step: a few milliseconds of work. */
const STEP_KEYS = 2048
const STEP_BLOCKS = 96

/**
 * Writes one layer to the files, a bounded step at a time; each step is a transaction. A layer that fits one step is
 * written whole or not at all. Else each step but the last notes in the journal what it changes, so that a restart in
 * between can take it back. What is read meanwhile is right after every step: a row that is in the files already is
 * in the layer, too, with the same versions.
 */
export class Flush {
  readonly layer: WriteLayer
  /** The version of the layer's end: what the files hold afterwards. */
  readonly target: Version
  /** The head as the last step wrote it; null before. */
  finished: StoreHead | null = null
  /** Part of the layer done, 0 … 1. */
  progress = 0
  readonly #files: Files
  readonly #oldest: () => Version
  readonly #relations: readonly RelationId[]
  readonly #whole: boolean
  /** Where the next step begins. */
  #relation = 0
  #from: Key = ''
  #done = 0
  /** Records of the journal that the steps since the last beginning wrote. */
  #journalFrom = 0
  #journalTo = 0

  /** @param oldest the version that nobody reads below */
  constructor(files: Files, layer: WriteLayer, target: Version, oldest: () => Version) {
    this.#files = files
    this.layer = layer
    this.target = target
    this.#oldest = oldest
    this.#relations = layer.relations()
    this.#whole = layer.keys <= STEP_BLOCKS
    for (const relation of this.#relations) files.unsettled.add(relation)
  }

  /** Begins anew after a step failed. What was written is found and left as it is. */
  restart(): void {
    this.finished = null
    this.progress = 0
    this.#relation = 0
    this.#from = ''
    this.#done = 0
    this.#journalFrom = this.#journalTo
  }

  /** The next step; belongs inside a transaction. @throws DISK_DAMAGED and what LMDB throws; then `restart` is due */
  step(): void {
    assert(this.finished === null, 'a finished flush has no steps')
    let keysLeft = STEP_KEYS
    let blocksLeft = STEP_BLOCKS
    const parts: JournalPart[] = []
    while (this.#relation < this.#relations.length && keysLeft > 0 && blocksLeft > 0) {
      const relation = this.#relations[this.#relation] as RelationId
      const { keys, done, blocks, more } = this.#some(relation, keysLeft, blocksLeft)
      parts.push({ relation, keys: keys.slice(0, done) })
      keysLeft -= done
      blocksLeft -= blocks
      this.#done += done
      if (done < keys.length) this.#from = keys[done] as Key
      else if (more) this.#from = `${keys[done - 1] as Key}\x00`
      else {
        this.#relation++
        this.#from = ''
      }
    }
    this.progress = this.layer.keys === 0 ? 1 : this.#done / this.layer.keys
    if (this.#relation === this.#relations.length) this.#finish()
    else this.#note(parts)
  }

  /** Settles some rows of a relation, from where the last step ended. */
  #some(
    relation: RelationId,
    keysMax: number,
    blocksMax: number,
  ): {
    readonly keys: readonly Key[]
    readonly done: number
    readonly blocks: number
    readonly more: boolean
  } {
    const { layer } = this
    const { writer, history, head } = this.#files
    const keys: Key[] = []
    const entries: RowVersion[] = []
    layer.ascend(relation, this.#from, (key, newest) => {
      keys.push(key)
      entries.push(newest)
      return keys.length < keysMax
    })
    const oldest = this.#oldest()
    const undoable = !this.#whole && head.version > 0
    let blocks = 0
    let done = 0
    while (done < keys.length && blocks < blocksMax) {
      done = writer.rewrite(relation, keys, done, oldest, (i, stored) => {
        const key = keys[i] as Key
        const newest = entries[i] as RowVersion
        const settled = settle(stored, newest, oldest, undoable)
        if (settled === null) return stored
        layer.learn(relation, key, stored !== null && stored.row !== null)
        const { undo, covered } = settled
        if (undo !== null) history.add(relation, key, [undo.state], undo.until, false)
        if (covered.length > 0) history.add(relation, key, covered, newest.version, newest.row === null)
        return settled.newest
      })
      blocks++
    }
    return { keys, done, blocks, more: keys.length === keysMax }
  }

  /** A store without a finished checkpoint is thrown away after a crash, so there is nothing to take back. */
  #note(parts: readonly JournalPart[]): void {
    const position = this.#journalTo++
    this.#files.journal.write(position, this.#files.head.version > 0 ? parts : [])
  }

  #finish(): void {
    const { env, journal, head, blocks } = this.#files
    // Steps are committed in order, but each commit may fail on its own, and is known to have failed only later.
    if (!journal.hasAll(this.#journalFrom, this.#journalTo)) throw stepLost(env.path)
    if (this.#journalTo > 0) journal.clear()
    const counts = new Map(head.counts)
    for (const relation of this.#relations) {
      const count = (counts.get(relation) ?? 0) + this.layer.growth(relation)
      if (count > 0 || blocks.has(relation)) counts.set(relation, count)
      else counts.delete(relation)
    }
    const finished: StoreHead = { version: this.target, counts }
    writeHead(env, finished)
    this.finished = finished
  }
}

function stepLost(path: string): ClusterError<DiskErrorDetail> {
  return new ClusterError<DiskErrorDetail>(
    { code: 'DISK_FAILED', outcome: 'rejected', path },
    `a step of the checkpoint was not written to ${path}; the checkpoint begins anew the next time`,
  )
}
