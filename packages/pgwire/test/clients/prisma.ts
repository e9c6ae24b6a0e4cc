import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { PrismaPg } from '@prisma/adapter-pg'
import pg from 'pg'
import { check, done, refusal, url } from './harness.ts'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/**
 * Generates the client. That needs none of Prisma's engines, but its program wants to download the one for migrations
 * whatever it is asked to do; naming any program in its place keeps it from that.
 */
async function generate(): Promise<void> {
  const env = { ...process.env, CHECKPOINT_DISABLE: '1', PRISMA_SCHEMA_ENGINE_BINARY: process.execPath }
  await promisify(execFile)(
    process.execPath,
    [here('node_modules/prisma/build/index.js'), 'generate', '--schema', here('prisma/schema.prisma')],
    { env },
  )
}

await generate()
// What the generated client stands on.
await import('@prisma/client/runtime/client')
const { PrismaClient, Prisma } = await import('./.cache/prisma/client.ts')
const prisma = new PrismaClient({ adapter: new PrismaPg({ connectionString: url }) })

await check('migrations: what its engine would write, by pg', async () => {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(`
    CREATE TABLE "prisma_author" ("id" SERIAL NOT NULL, "name" TEXT NOT NULL, CONSTRAINT "prisma_author_pkey" PRIMARY KEY ("id"));
    CREATE TABLE "prisma_book" (
      "id" SERIAL NOT NULL,
      "title" TEXT NOT NULL,
      "price" DECIMAL(65,30) NOT NULL DEFAULT 0,
      "tags" TEXT[],
      "details" JSONB,
      "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
      "authorId" INTEGER NOT NULL,
      CONSTRAINT "prisma_book_pkey" PRIMARY KEY ("id")
    );
    CREATE UNIQUE INDEX "prisma_author_name_key" ON "prisma_author"("name");
    ALTER TABLE "prisma_book" ADD CONSTRAINT "prisma_book_authorId_fkey" FOREIGN KEY ("authorId") REFERENCES "prisma_author"("id") ON DELETE CASCADE ON UPDATE CASCADE;
  `)
  await client.end()
})

await check('CRUD: nested writes, relations, upsert, many, filters', async () => {
  const ann = await prisma.author.create({
    data: {
      name: 'Ann',
      books: {
        create: [
          { title: 'One', price: '12.50', tags: ['a', 'b'], details: { pages: 3 } },
          { title: 'Two', price: 7 },
        ],
      },
    },
    include: { books: { orderBy: { id: 'asc' } } },
  })
  assert.deepEqual(
    ann.books.map(({ title, price, tags }) => [title, price.toString(), tags]),
    [
      ['One', '12.5', ['a', 'b']],
      ['Two', '7', []],
    ],
  )
  assert.ok(ann.books[0]?.createdAt instanceof Date)
  await prisma.author.upsert({ where: { name: 'Bob' }, create: { name: 'Bob' }, update: {} })
  await prisma.author.upsert({ where: { name: 'Bob' }, create: { name: 'Bob' }, update: { name: 'Robert' } })
  const { count } = await prisma.book.createMany({
    data: Array.from({ length: 40 }, (_, i) => ({ title: `b${i}`, authorId: ann.id, tags: [`t${i % 2}`] })),
  })
  assert.equal(count, 40)
  assert.equal(
    await prisma.book.count({
      where: { tags: { has: 't1' }, title: { startsWith: 'b', mode: 'insensitive' } },
    }),
    20,
  )
  const page = await prisma.book.findMany({
    where: { author: { name: { in: ['Ann', 'nobody'] } }, OR: [{ price: { gt: 5 } }, { title: 'b7' }] },
    orderBy: [{ price: 'desc' }, { title: 'asc' }],
    select: { title: true },
    take: 2,
    skip: 1,
  })
  assert.deepEqual(page, [{ title: 'Two' }, { title: 'b7' }])
  const [group] = await prisma.book.groupBy({ by: ['authorId'], _count: true, _max: { price: true } })
  assert.equal(group?._count, 42)
  assert.equal(
    (await prisma.book.updateMany({ where: { title: 'b3' }, data: { price: { increment: 2 } } })).count,
    1,
  )
  assert.equal((await prisma.book.deleteMany({ where: { title: { startsWith: 'b' } } })).count, 40)
  const json = await prisma.book.findFirst({ where: { details: { path: ['pages'], equals: 3 } } })
  assert.equal(json?.title, 'One')
})

await check('transactions: batches, interactive, rolled back', async () => {
  await prisma.$transaction([
    prisma.author.create({ data: { name: 'one' } }),
    prisma.author.create({ data: { name: 'two' } }),
  ])
  await refusal(() =>
    prisma.$transaction(
      async (tx) => {
        await tx.author.deleteMany()
        throw new Error('given up')
      },
      { isolationLevel: Prisma.TransactionIsolationLevel.Serializable },
    ),
  )
  assert.equal(await prisma.author.count(), 4)
})

await check('errors have Prisma’s codes', async () => {
  assert.equal((await refusal(() => prisma.author.create({ data: { name: 'Ann' } }))).code, 'P2002')
  assert.equal(
    (await refusal(() => prisma.book.create({ data: { title: 'x', authorId: 999 } }))).code,
    'P2003',
  )
  assert.equal((await refusal(() => prisma.author.delete({ where: { id: 12345 } }))).code, 'P2025')
})

await check('raw queries, and a large result in pages', async () => {
  const rows = await prisma.$queryRaw<{ n: number }[]>`SELECT ${1}::int + ${2}::int AS n`
  assert.deepEqual(rows, [{ n: 3 }])
  await prisma.book.createMany({
    data: Array.from({ length: 1000 }, (_, i) => ({ title: `p${i}`, authorId: 1 })),
  })
  let seen = 0
  for (let cursor = 0; ; ) {
    const page = await prisma.book.findMany({
      where: { id: { gt: cursor } },
      orderBy: { id: 'asc' },
      take: 300,
    })
    if (page.length === 0) break
    seen += page.length
    cursor = page.at(-1)?.id ?? 0
  }
  assert.equal(seen, 1002)
})

await prisma.$disconnect()
done()
