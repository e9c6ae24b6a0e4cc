/** @type {import('jest').Config} */
export default {
  testEnvironment: 'node',
  testEnvironmentOptions: { customExportConditions: ['source', 'node', 'node-addons'] },
  testMatch: [
    '<rootDir>/packages/*/test/**/*.test.ts',
    '<rootDir>/examples/*/test/**/*.test.ts',
    '<rootDir>/scripts/test/**/*.test.ts',
  ],
  modulePathIgnorePatterns: ['/dist/', '<rootDir>/.cache/', '<rootDir>/packages/pgwire/test/clients/'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        sourceMaps: 'inline',
        module: { type: 'es6' },
        jsc: {
          target: 'esnext',
          parser: { syntax: 'typescript', decorators: false },
          transform: { verbatimModuleSyntax: true },
        },
      },
    ],
  },
  // Generous, for busy machines: a test waits for events, never for time.
  testTimeout: 60_000,
  maxWorkers: 2,
  cacheDirectory: '<rootDir>/.cache/jest',
}
