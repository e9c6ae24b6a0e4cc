import type { Definition } from '../syntax/ast.ts'
import { alterTable } from './alter-table.ts'
import { comment } from './comments.ts'
import { alterComposite, createComposite } from './composite.ts'
import type { DdlContext } from './context.ts'
import { createTable } from './create-table.ts'
import { createTableAs } from './create-table-as.ts'
import { drop } from './drop.ts'
import { createIndex } from './indexes.ts'
import { alterObject, changeObject, createSchema } from './rename.ts'
import { alterSequence, createSequence, needSequence } from './sequences.ts'
import { truncate } from './truncate.ts'
import { alterDomain, alterEnum, createDomain, createEnum } from './types.ts'
import { createMaterializedView, createView, refresh } from './views.ts'

/** What a statement says when it is done; `rows` where it wrote some. */
export interface Defined {
  readonly command: string
  readonly rows?: number
}

/** Runs a statement that changes the catalog. */
export async function define(context: DdlContext, statement: Definition): Promise<Defined> {
  switch (statement.kind) {
    case 'createTable':
      await createTable(context, statement)
      return { command: 'CREATE TABLE' }
    case 'createTableAs': {
      const made = await createTableAs(context, statement)
      return made === null || made.rows === null
        ? { command: 'CREATE TABLE AS' }
        : { command: 'SELECT', rows: made.rows }
    }
    case 'createIndex':
      await createIndex(context, statement)
      return { command: 'CREATE INDEX' }
    case 'createView':
      await createView(context, statement)
      return { command: 'CREATE VIEW' }
    case 'createMaterializedView': {
      const made = await createMaterializedView(context, statement)
      return made === null || made.rows === null
        ? { command: 'CREATE MATERIALIZED VIEW' }
        : { command: 'SELECT', rows: made.rows }
    }
    case 'createSequence':
      await createSequence(context, statement)
      return { command: 'CREATE SEQUENCE' }
    case 'createSchema':
      await createSchema(context, statement.name.name, statement.ifNotExists)
      return { command: 'CREATE SCHEMA' }
    case 'createEnum':
      await createEnum(context, statement)
      return { command: 'CREATE TYPE' }
    case 'createComposite':
      await createComposite(context, statement)
      return { command: 'CREATE TYPE' }
    case 'createDomain':
      await createDomain(context, statement)
      return { command: 'CREATE DOMAIN' }
    case 'alterTable':
      await alterTable(context, statement)
      return { command: 'ALTER TABLE' }
    case 'alterSequence':
      if (statement.change.kind === 'options') await alterSequence(context, statement)
      else {
        const sequence = await needSequence(context, statement.name, statement.ifExists)
        if (sequence !== null) await changeObject(context, sequence, statement.change)
      }
      return { command: 'ALTER SEQUENCE' }
    case 'alterEnum':
      await alterEnum(context, statement)
      return { command: 'ALTER TYPE' }
    case 'alterComposite':
      await alterComposite(context, statement)
      return { command: 'ALTER TYPE' }
    case 'alterDomain':
      await alterDomain(context, statement)
      return { command: 'ALTER DOMAIN' }
    case 'alterObject':
      await alterObject(context, statement)
      return { command: `ALTER ${statement.object.toUpperCase()}` }
    case 'truncate':
      await truncate(context, statement)
      return { command: 'TRUNCATE TABLE' }
    case 'refresh':
      await refresh(context, statement)
      return { command: 'REFRESH MATERIALIZED VIEW' }
    case 'drop':
      await drop(context, statement)
      return { command: `DROP ${statement.object.toUpperCase()}` }
    case 'comment':
      await comment(context, statement)
      return { command: 'COMMENT' }
  }
}
