import type { TemporaryFile, TemporaryFiles } from '../../src/index.ts'

/** Temporary files that are lists of pieces in memory, and that break when they are told to. */
export class MemoryFiles implements TemporaryFiles {
  /** Files that are there at present, and that were ever made. */
  open = 0
  made = 0
  /** What was ever written, and the most that was there at once. */
  writtenBytes = 0
  bytes = 0
  peakBytes = 0
  /** Called before every operation; it may throw. */
  before: (operation: 'create' | 'append' | 'read' | 'remove') => void = () => {}

  async create(): Promise<TemporaryFile> {
    this.before('create')
    this.open++
    this.made++
    const pieces = new Map<number, Uint8Array>()
    let size = 0
    let removed = false
    return {
      append: async (bytes) => {
        this.before('append')
        if (removed) throw new Error('the file was removed')
        const offset = size
        pieces.set(offset, bytes.slice())
        size += bytes.length
        this.writtenBytes += bytes.length
        this.bytes += bytes.length
        this.peakBytes = Math.max(this.peakBytes, this.bytes)
        return offset
      },
      read: async (offset, length) => {
        this.before('read')
        const piece = removed ? undefined : pieces.get(offset)
        if (piece === undefined || piece.length !== length) throw new Error('nothing was written like that')
        return piece.slice()
      },
      remove: async () => {
        if (removed) return
        this.before('remove')
        removed = true
        this.open--
        this.bytes -= size
      },
    }
  }
}
