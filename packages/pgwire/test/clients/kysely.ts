import assert from 'node:assert/strict'
import { type ColumnType, type Generated, Kysely, PostgresAdapter, PostgresDialect, sql } from 'kysely'
import { jsonArrayFrom } from 'kysely/helpers/postgres'
import { type Migration, Migrator } from 'kysely/migration'
import pg from 'pg'
import Cursor from 'pg-cursor'
import { check, done, refusal, url } from './harness.ts'

interface Database {
  person: { id: Generated<number>; name: string; age: number | null; added: ColumnType<Date, never, never> }
  pet: { id: Generated<number>; owner_id: number; name: string; species: 'cat' | 'dog' }
}

const pool = new pg.Pool({ connectionString: url, max: 4 })
const db = new Kysely<Database>({ dialect: new PostgresDialect({ pool, cursor: Cursor }) })

/** Without its lock, which is a case of its own: two that migrate at once are told apart by who commits first. */
class Lockless extends PostgresDialect {
  override createAdapter(): PostgresAdapter {
    return Object.assign(new PostgresAdapter(), {
      acquireMigrationLock: async () => {},
      releaseMigrationLock: async () => {},
    })
  }
}

await check('the lock that its migrator takes (pg_advisory_lock)', async () => {
  await sql`select pg_advisory_lock(3853314791062309107)`.execute(db)
  await sql`select pg_advisory_unlock(3853314791062309107)`.execute(db)
})

const migrations: Record<string, Migration> = {
  '001-people': {
    async up(schema) {
      await schema.schema
        .createTable('person')
        .addColumn('id', 'serial', (column) => column.primaryKey())
        .addColumn('name', 'varchar(100)', (column) => column.notNull().unique())
        .addColumn('age', 'integer', (column) => column.check(sql`age >= 0`))
        .addColumn('added', 'timestamptz', (column) => column.notNull().defaultTo(sql`now()`))
        .execute()
    },
    async down(schema) {
      await schema.schema.dropTable('person').execute()
    },
  },
  '002-pets': {
    async up(schema) {
      await schema.schema.createType('species').asEnum(['cat', 'dog']).execute()
      await schema.schema
        .createTable('pet')
        .addColumn('id', 'integer', (column) => column.primaryKey().generatedAlwaysAsIdentity())
        .addColumn('owner_id', 'integer', (column) =>
          column.notNull().references('person.id').onDelete('cascade'),
        )
        .addColumn('name', 'text', (column) => column.notNull())
        .addColumn('species', sql`species`, (column) => column.notNull())
        .execute()
      await schema.schema.createIndex('pet_owner').on('pet').column('owner_id').execute()
    },
    async down(schema) {
      await schema.schema.dropTable('pet').execute()
      await schema.schema.dropType('species').execute()
    },
  },
}

const migrator = new Migrator({
  db: new Kysely<Database>({ dialect: new Lockless({ pool }) }),
  provider: { getMigrations: async () => migrations },
})

await check('migrations: up, down, up again; tables are found by introspection', async () => {
  for (const step of ['migrateToLatest', 'migrateDown', 'migrateToLatest'] as const) {
    const { error, results } = await migrator[step]()
    if (error !== undefined) throw error
    assert.ok(results?.every(({ status }) => status === 'Success'))
  }
  const tables = await db.introspection.getTables()
  const pet = tables.find(({ name }) => name === 'pet')
  assert.deepEqual(
    pet?.columns.map(({ name, dataType, isNullable, isAutoIncrementing }) => [
      name,
      dataType,
      isNullable,
      isAutoIncrementing,
    ]),
    [
      ['id', 'int4', false, true],
      ['owner_id', 'int4', false, false],
      ['name', 'text', false, false],
      ['species', 'species', false, false],
    ],
  )
  assert.ok(
    tables.find(({ name }) => name === 'person')?.columns.find(({ name }) => name === 'id')
      ?.isAutoIncrementing,
  )
})

await check('CRUD: insert, returning, upsert, update from, delete using', async () => {
  const ann = await db
    .insertInto('person')
    .values({ name: 'Ann', age: 30 })
    .returningAll()
    .executeTakeFirstOrThrow()
  assert.ok(ann.added instanceof Date)
  await db
    .insertInto('pet')
    .values([
      { owner_id: ann.id, name: 'Tom', species: 'cat' },
      { owner_id: ann.id, name: 'Rex', species: 'dog' },
    ])
    .execute()
  await db
    .insertInto('person')
    .values({ name: 'Ann', age: 31 })
    .onConflict((conflict) => conflict.column('name').doUpdateSet((eb) => ({ age: eb.ref('excluded.age') })))
    .execute()
  const changed = await db
    .updateTable('pet')
    .from('person')
    .whereRef('pet.owner_id', '=', 'person.id')
    .where('person.age', '=', 31)
    .set({ name: sql<string>`upper(pet.name)` })
    .executeTakeFirst()
  assert.equal(changed.numUpdatedRows, 2n)
  const gone = await db
    .deleteFrom('pet')
    .using('person')
    .whereRef('pet.owner_id', '=', 'person.id')
    .where('species', '=', 'dog')
    .executeTakeFirst()
  assert.equal(gone.numDeletedRows, 1n)
})

await check('queries: nested JSON, common tables, windows', async () => {
  const [person] = await db
    .selectFrom('person')
    .select((eb) => [
      'name',
      jsonArrayFrom(
        eb
          .selectFrom('pet')
          .select(['pet.name', 'species'])
          .whereRef('owner_id', '=', 'person.id')
          .orderBy('pet.id'),
      ).as('pets'),
    ])
    .execute()
  assert.deepEqual(person, { name: 'Ann', pets: [{ name: 'TOM', species: 'cat' }] })
  const ranked = await db
    .with('all_names', (q) =>
      q.selectFrom('person').select('name').unionAll(q.selectFrom('pet').select('name')),
    )
    .selectFrom('all_names')
    .select([
      'name',
      (eb) =>
        eb.fn
          .agg<string>('row_number')
          .over((over) => over.orderBy('name'))
          .as('rank'),
    ])
    .execute()
  assert.deepEqual(ranked, [
    { name: 'Ann', rank: '1' },
    { name: 'TOM', rank: '2' },
  ])
})

await check('transactions: commit, rollback, controlled with savepoints', async () => {
  await refusal(() =>
    db.transaction().execute(async (tx) => {
      await tx.deleteFrom('person').execute()
      throw new Error('given up')
    }),
  )
  const tx = await db.startTransaction().setIsolationLevel('repeatable read').execute()
  await tx.insertInto('person').values({ name: 'kept' }).execute()
  const point = await tx.savepoint('s').execute()
  await point.insertInto('person').values({ name: 'dropped' }).execute()
  await (await point.rollbackToSavepoint('s').execute()).releaseSavepoint('s').execute()
  await tx.commit().execute()
  const names = await db.selectFrom('person').select('name').orderBy('id').execute()
  assert.deepEqual(names, [{ name: 'Ann' }, { name: 'kept' }])
})

await check('errors', async () => {
  assert.equal((await refusal(() => db.insertInto('person').values({ name: 'Ann' }).execute())).code, '23505')
  assert.equal(
    (await refusal(() => db.insertInto('person').values({ name: 'x', age: -1 }).execute())).code,
    '23514',
  )
})

await check('streams rows', async () => {
  let sum = 0
  const numbers = db
    .selectFrom(sql<{ n: number }>`generate_series(1, 3000)`.as<'g'>(sql`g(n)`))
    .select('n')
    .stream(100)
  for await (const { n } of numbers) sum += n
  assert.equal(sum, 4_501_500)
})

await db.destroy()
done()
