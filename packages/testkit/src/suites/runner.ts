/** What a suite asks of the test runner; Jest's and Vitest's globals fit. */
export interface SuiteRunner {
  readonly describe: (name: string, body: () => void) => void
  readonly test: (name: string, body: () => Promise<void> | void) => void
  readonly expect: (actual: unknown) => SuiteExpectation
}

/** The assertions that suites use. */
export interface SuiteExpectation {
  readonly not: SuiteExpectation
  readonly resolves: SuiteAsyncExpectation
  readonly rejects: SuiteAsyncExpectation
  toBe(expected: unknown): void
  toEqual(expected: unknown): void
  toMatchObject(expected: object): void
  toContain(expected: unknown): void
  toBeNull(): void
  toBeGreaterThan(expected: number | bigint): void
  toBeGreaterThanOrEqual(expected: number | bigint): void
  toBeLessThan(expected: number | bigint): void
  toBeLessThanOrEqual(expected: number | bigint): void
  toThrow(expected?: unknown): void
}

/** The assertions on a promise. */
export interface SuiteAsyncExpectation {
  toBe(expected: unknown): Promise<void>
  toEqual(expected: unknown): Promise<void>
  toMatchObject(expected: object): Promise<void>
  toThrow(expected?: unknown): Promise<void>
}
