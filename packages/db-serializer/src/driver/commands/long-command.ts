import { type CommandBody, type CommandPart, encodeBody } from '../../machine/commands/envelope.ts'

/** Bytes of a part; others' commands go between. */
const PART_BYTES = 256 * 1024
/** Most parts of one command, as `count` is 16 bits wide. */
const PARTS_MAX = 0xffff
/** Parts on their way at once: enough for the links not to rest, and little enough to hold nobody up. */
const AHEAD_MAX = 8

/** A command that is too long for one entry, on its way into the log part by part. */
export class LongCommand {
  readonly #body: Uint8Array
  readonly #partBytes: number
  readonly #count: number
  /** So many parts are in the log, as far as this node has applied it. */
  #there = 0
  /** So many were sent since there was last a reason to begin again behind those that are there. */
  #sent = 0
  #wasSentWhole = false

  /** @param entryBytesMax the longest command that is one entry */
  constructor(body: CommandBody, entryBytesMax: number) {
    this.#body = encodeBody(body)
    const { length } = this.#body
    this.#partBytes = Math.max(Math.min(PART_BYTES, entryBytesMax), Math.ceil(length / PARTS_MAX))
    this.#count = Math.ceil(length / this.#partBytes)
  }

  /** Every part was sent at some time, so all of them may be in some log. */
  get wasSentWhole(): boolean {
    return this.#wasSentWhole
  }

  /** Part after part is in the log here. @returns true when more can be sent now */
  gathered(parts: number): boolean {
    // Fewer than before: the log has let them go, for want of room.
    if (parts < this.#there) this.#sent = parts
    this.#there = parts
    this.#sent = Math.max(this.#sent, parts)
    return this.#sent < Math.min(this.#count, this.#there + AHEAD_MAX)
  }

  /** What was sent may be lost: goes on behind what is in the log. */
  again(): void {
    this.#sent = this.#there
  }

  /** It begins anew, in another session: whatever was sent counts no more. */
  restart(): void {
    this.#there = 0
    this.#sent = 0
    this.#wasSentWhole = false
  }

  /** The parts whose turn it is. */
  take(): CommandPart[] {
    const end = Math.min(this.#count, this.#there + AHEAD_MAX)
    const parts: CommandPart[] = []
    for (; this.#sent < end; this.#sent++) {
      const at = this.#sent * this.#partBytes
      const bytes = this.#body.subarray(at, at + this.#partBytes)
      parts.push({ position: this.#sent, count: this.#count, bytes })
    }
    if (this.#sent === this.#count) this.#wasSentWhole = true
    return parts
  }
}
