/** What a suite asks of the test runner; Jest's and Vitest's globals fit. */
export interface SuiteRunner {
  readonly describe: (name: string, body: () => void) => void
  readonly test: (name: string, body: () => Promise<void> | void) => void
  readonly expect: (actual: unknown) => SuiteExpectation
}

/** The assertions that suites use. */
export interface SuiteExpectation extends SuiteAssertions<void> {
  readonly not: SuiteAssertions<void>
  readonly resolves: SuiteAssertions<Promise<void>>
  readonly rejects: SuiteAssertions<Promise<void>>
}

/** The assertions on a value, or on what a promise gives. */
export interface SuiteAssertions<Result> {
  toBe(expected: unknown): Result
  toEqual(expected: unknown): Result
  toMatchObject(expected: object): Result
  toContain(expected: unknown): Result
  toContainEqual(expected: unknown): Result
  toBeNull(): Result
  toBeGreaterThan(expected: number | bigint): Result
  toBeGreaterThanOrEqual(expected: number | bigint): Result
  toBeLessThan(expected: number | bigint): Result
  toBeLessThanOrEqual(expected: number | bigint): Result
  toThrow(expected?: unknown): Result
}
