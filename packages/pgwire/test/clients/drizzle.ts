import assert from 'node:assert/strict'
import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { and, asc, count, desc, eq, gt, inArray, relations, sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/node-postgres'
import { migrate } from 'drizzle-orm/node-postgres/migrator'
import {
  integer,
  jsonb,
  numeric,
  pgEnum,
  pgTable,
  serial,
  text,
  timestamp,
  uuid,
  varchar,
} from 'drizzle-orm/pg-core'
import { drizzle as overPostgres } from 'drizzle-orm/postgres-js'
import pg from 'pg'
import postgres from 'postgres'
import { check, done, refusal, url } from './harness.ts'

const mood = pgEnum('mood', ['calm', 'busy', 'gone'])
const users = pgTable('users', {
  id: serial().primaryKey(),
  name: varchar({ length: 100 }).notNull(),
  email: varchar({ length: 256 }).unique(),
  mood: mood().notNull().default('calm'),
  createdAt: timestamp('created_at', { withTimezone: true }).notNull().defaultNow(),
  score: numeric({ precision: 8, scale: 2 }).notNull().default('0'),
})
const posts = pgTable('posts', {
  id: uuid().primaryKey().defaultRandom(),
  userId: integer('user_id')
    .notNull()
    .references(() => users.id, { onDelete: 'cascade' }),
  body: text().notNull(),
  meta: jsonb().notNull().default({}),
})
const usersRelations = relations(users, ({ many }) => ({ posts: many(posts) }))
const postsRelations = relations(posts, ({ one }) => ({
  user: one(users, { fields: [posts.userId], references: [users.id] }),
}))
const schema = { users, posts, usersRelations, postsRelations }
const pool = new pg.Pool({ connectionString: url })
const db = drizzle(pool, { schema })
/** The migrations with the journal that Drizzle's own tool would have written beside them. */
async function folderOfMigrations(): Promise<string> {
  const from = fileURLToPath(new URL('drizzle', import.meta.url))
  const to = await mkdtemp(join(tmpdir(), 'cluster-drizzle-'))
  await cp(from, to, { recursive: true })
  const files = (await readdir(from)).sort()
  const entries = files.map((file, idx) => ({
    idx,
    version: '7',
    when: 1_700_000_000_000 + idx,
    tag: file.replace(/\.sql$/, ''),
    breakpoints: true,
  }))
  await mkdir(join(to, 'meta'))
  await writeFile(
    join(to, 'meta', '_journal.json'),
    JSON.stringify({ version: '7', dialect: 'postgresql', entries }),
  )
  return to
}

await check('migrations: a folder of them, twice', async () => {
  const migrationsFolder = await folderOfMigrations()
  try {
    await migrate(db, { migrationsFolder })
    await migrate(db, { migrationsFolder })
  } finally {
    await rm(migrationsFolder, { recursive: true })
  }
  const { rows } = await pool.query('SELECT count(*)::int AS n FROM drizzle.__drizzle_migrations')
  assert.deepEqual(rows, [{ n: 2 }])
})

await check('CRUD: insert many, returning, upsert, update, delete', async () => {
  const [ann, bob] = await db
    .insert(users)
    .values([
      { name: 'Ann', email: 'ann@example.org', mood: 'gone' },
      { name: 'Bob', email: 'bob@example.org', score: '3.50' },
    ])
    .returning()
  assert.equal(ann?.mood, 'gone')
  assert.equal(bob?.score, '3.50')
  assert.ok(bob?.createdAt instanceof Date)
  await db
    .insert(posts)
    .values(Array.from({ length: 5 }, (_, i) => ({ userId: ann?.id ?? 0, body: `post ${i}`, meta: { i } })))
  await db
    .insert(users)
    .values({ name: 'Bob again', email: 'bob@example.org' })
    .onConflictDoUpdate({ target: users.email, set: { name: sql`excluded.name` } })
  const all = await db.select({ name: users.name }).from(users).orderBy(asc(users.id))
  assert.deepEqual(all, [{ name: 'Ann' }, { name: 'Bob again' }])
  await db
    .update(users)
    .set({ score: sql`${users.score} + 1` })
    .where(eq(users.name, 'Ann'))
  const gone = await db.delete(posts).where(eq(posts.body, 'post 4')).returning({ meta: posts.meta })
  assert.deepEqual(gone, [{ meta: { i: 4 } }])
})

await check('queries: joins, aggregates, relations (lateral joins with JSON)', async () => {
  const joined = await db
    .select({ name: users.name, posts: count(posts.id) })
    .from(users)
    .leftJoin(posts, eq(posts.userId, users.id))
    .where(and(inArray(users.name, ['Ann', 'Bob again']), gt(users.score, '0')))
    .groupBy(users.id, users.name)
    .orderBy(desc(count(posts.id)))
  assert.deepEqual(joined, [
    { name: 'Ann', posts: 4 },
    { name: 'Bob again', posts: 0 },
  ])
  const nested = await db.query.users.findMany({
    columns: { name: true },
    with: { posts: { columns: { body: true }, orderBy: asc(posts.body), limit: 2 } },
    orderBy: asc(users.id),
  })
  assert.deepEqual(nested, [
    { name: 'Ann', posts: [{ body: 'post 0' }, { body: 'post 1' }] },
    { name: 'Bob again', posts: [] },
  ])
  const one = await db.query.posts.findFirst({ with: { user: true }, orderBy: asc(posts.body) })
  assert.equal(one?.user.name, 'Ann')
  assert.ok(one?.user.createdAt instanceof Date)
})

await check('transactions: commit, rollback, nested', async () => {
  await db.transaction(async (tx) => {
    await tx.insert(users).values({ name: 'kept' })
    await refusal(() =>
      tx.transaction(async (inner) => {
        await inner.insert(users).values({ name: 'dropped' })
        inner.rollback()
      }),
    )
  })
  await refusal(() =>
    db.transaction(
      async (tx) => {
        await tx.delete(users)
        tx.rollback()
      },
      { isolationLevel: 'serializable', accessMode: 'read write' },
    ),
  )
  assert.equal(await db.$count(users), 3)
})

await check('errors', async () => {
  const twice = await refusal(() => db.insert(users).values({ name: 'x', email: 'ann@example.org' }))
  const cause = twice.cause as { code?: string; constraint?: string }
  assert.equal(cause.code, '23505')
  assert.equal(cause.constraint, 'users_email_unique')
})

await check('over postgres.js: prepared statements and iteration', async () => {
  const client = postgres(url, { max: 2, onnotice: () => {} })
  const over = overPostgres(client, { schema })
  const byName = over
    .select()
    .from(users)
    .where(eq(users.name, sql.placeholder('name')))
    .prepare('by_name')
  assert.equal((await byName.execute({ name: 'Ann' })).length, 1)
  assert.equal((await byName.execute({ name: 'nobody' })).length, 0)
  let seen = 0
  for await (const rows of client`SELECT * FROM posts`.cursor(2)) seen += rows.length
  assert.equal(seen, 4)
  await client.end()
})

await pool.end()
done()
