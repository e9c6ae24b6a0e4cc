export { type ModelDatabases, type ModelDatabasesOptions, modelDatabases } from './model/model-database.ts'
