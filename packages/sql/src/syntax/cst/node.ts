import type { CstNodeLocation } from 'chevrotain'

/** A node of chevrotain's concrete tree; `Children` has the tokens and nodes of each name, in order of source. */
export interface Cst<Children> {
  readonly name: string
  readonly children: Children
  readonly location?: CstNodeLocation
}
