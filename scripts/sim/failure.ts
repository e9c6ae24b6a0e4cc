export interface Failure {
  readonly suite: string
  readonly seed: number
  readonly problem: string
  /** Plays the same again. */
  readonly command: string
  readonly tail: readonly string[]
}
