import assert from 'node:assert/strict'
import knex from 'knex'
import { check, done, refusal, url } from './harness.ts'

const db = knex({ client: 'pg', connection: url, pool: { min: 0, max: 5 } })

interface Step {
  readonly name: string
  up(on: knex.Knex): Promise<unknown>
  down(on: knex.Knex): Promise<unknown>
}

const steps: readonly Step[] = [
  {
    name: '001-accounts',
    up: (on) =>
      on.schema.createTable('accounts', (table) => {
        table.increments('id')
        table.string('owner', 80).notNullable().unique()
        table.decimal('balance', 12, 2).notNullable().defaultTo(0)
        table.enu('kind', ['private', 'business']).notNullable().defaultTo('private')
        table.jsonb('details')
        table.timestamps(true, true)
      }),
    down: (on) => on.schema.dropTable('accounts'),
  },
  {
    name: '002-entries',
    up: async (on) => {
      await on.schema.createTable('entries', (table) => {
        table.bigIncrements('id')
        table.integer('account_id').notNullable().references('accounts.id').onDelete('CASCADE').index()
        table.decimal('amount', 12, 2).notNullable()
        table.uuid('ref').defaultTo(on.fn.uuid())
        table.specificType('tags', 'text[]')
      })
      await on.schema.alterTable('accounts', (table) => {
        table.string('iban')
        table.index(['iban', 'owner'], 'accounts_iban_owner')
      })
      await on.schema.alterTable('accounts', (table) => {
        table.text('owner').notNullable().alter()
        table.renameColumn('iban', 'number')
        table.comment('who has what')
      })
    },
    down: async (on) => {
      await on.schema.alterTable('accounts', (table) => table.dropColumn('number'))
      await on.schema.dropTable('entries')
    },
  },
]

const migrationSource = {
  getMigrations: async () => [...steps],
  getMigrationName: ({ name }: Step) => name,
  getMigration: async (step: Step) => step,
}

await check('migrations: latest, rollback, latest; the schema is found', async () => {
  await db.migrate.latest({ migrationSource })
  assert.equal(await db.schema.hasTable('entries'), true)
  await db.migrate.rollback({ migrationSource })
  assert.equal(await db.schema.hasTable('entries'), false)
  await db.migrate.latest({ migrationSource })
  assert.equal(await db.schema.hasColumn('accounts', 'number'), true)
  const info = await db('accounts').columnInfo()
  assert.equal(info.balance?.type, 'numeric')
  assert.equal(info.owner?.nullable, false)
  assert.equal(await db.migrate.currentVersion({ migrationSource }), '002-entries')
})

await check('CRUD: insert, returning, merge, increment, whereIn, delete', async () => {
  const [ann] = await db('accounts')
    .insert({ owner: 'Ann', balance: 100, details: { vip: true } })
    .returning('*')
  assert.equal(ann.balance, '100.00')
  await db('accounts').insert([{ owner: 'Bob' }, { owner: 'Eve', kind: 'business' }])
  await db('accounts').insert({ owner: 'Bob', balance: 7 }).onConflict('owner').merge(['balance'])
  await db('accounts').insert({ owner: 'Bob' }).onConflict().ignore()
  await db('accounts').where({ owner: 'Bob' }).increment('balance', 3)
  const rows = await db('accounts')
    .select('owner', 'balance')
    .whereIn('owner', ['Ann', 'Bob'])
    .orderBy('owner')
  assert.deepEqual(rows, [
    { owner: 'Ann', balance: '100.00' },
    { owner: 'Bob', balance: '10.00' },
  ])
  await db.batchInsert(
    'entries',
    Array.from({ length: 500 }, (_, i) => ({ account_id: ann.id, amount: i, tags: ['a'] })),
    100,
  )
  assert.equal(await db('entries').where('amount', '>', 400).del(), 99)
  const [sums] = await db('entries').sum({ total: 'amount' })
  assert.equal(sums?.total, '80200.00')
  const [vip] = await db('accounts').whereJsonPath('details', '$.vip', '=', 'true').select('owner')
  assert.equal(vip?.owner, 'Ann')
})

await check('transactions: commit, rollback, nested, forUpdate', async () => {
  await db.transaction(async (tx) => {
    const from = await tx('accounts').where({ owner: 'Ann' }).forUpdate().first()
    await tx('accounts').where({ id: from.id }).decrement('balance', 40)
    await tx('accounts').where({ owner: 'Bob' }).increment('balance', 40)
  })
  await refusal(() =>
    db.transaction(async (tx) => {
      await tx('accounts').del()
      throw new Error('given up')
    }),
  )
  await db.transaction(async (tx) => {
    await refusal(() =>
      tx.transaction(async (inner) => {
        await inner('accounts').del()
        throw new Error('given up')
      }),
    )
    await tx('accounts').insert({ owner: 'Zoe' })
  })
  const balances = await db('accounts').orderBy('owner').pluck('balance')
  assert.deepEqual(balances, ['60.00', '50.00', '0.00', '0.00'])
})

await check('errors', async () => {
  assert.equal((await refusal(() => db('accounts').insert({ owner: 'Ann' }))).code, '23505')
  assert.equal((await refusal(() => db('accounts').insert({ owner: 'x', kind: 'other' }))).code, '23514')
  assert.equal((await refusal(() => db('nowhere').select())).code, '42P01')
})

await check('the structure in one breath: rename, drop, views, raw', async () => {
  await db.schema.renameTable('entries', 'bookings')
  await db.schema.createView('rich', (view) => {
    view.columns(['owner'])
    view.as(db('accounts').select('owner').where('balance', '>', 55))
  })
  assert.deepEqual(await db('rich').select(), [{ owner: 'Ann' }])
  await db.schema.dropView('rich')
  await db.schema.dropTableIfExists('bookings')
  const { rows } = await db.raw('SELECT ?::int + ? AS sum, ?? FROM accounts LIMIT 1', [1, 2, 'owner'])
  assert.equal(rows[0].sum, 3)
})

await db.destroy()
done()
