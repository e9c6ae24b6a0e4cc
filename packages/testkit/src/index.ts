export { type ModelDatabases, type ModelDatabasesOptions, modelDatabases } from './model/model-database.ts'
export { type ModelEntry, type ModelLog, type ModelLogOptions, modelLog } from './model/model-log.ts'
export type { SuiteAsyncExpectation, SuiteExpectation, SuiteRunner } from './suites/runner.ts'
export { type StorageFixture, storageSuite } from './suites/storage-suite.ts'
