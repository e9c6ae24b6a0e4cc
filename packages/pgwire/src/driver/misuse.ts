import type { WireError } from '../backend.ts'

/** A message that makes no sense as things are. */
export class Misuse extends Error {
  override readonly name = 'Misuse'
  readonly wire: WireError

  constructor(sqlstate: string, message: string) {
    super(message)
    this.wire = { sqlstate, message }
  }
}
