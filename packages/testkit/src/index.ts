export { type ModelDatabases, type ModelDatabasesOptions, modelDatabases } from './model/model-database.ts'
export { type ModelEntry, type ModelLog, type ModelLogOptions, modelLog } from './model/model-log.ts'
