import assert from 'node:assert/strict'
import {
  DataSource,
  EntitySchema,
  In,
  type MigrationInterface,
  MoreThan,
  type QueryRunner,
  Table,
  TableColumn,
  TableIndex,
} from 'typeorm'
import { check, done, parts, refusal } from './harness.ts'

interface Category {
  id: number
  name: string
  articles: Article[]
}
interface Article {
  id: string
  title: string
  views: number
  price: string | null
  status: 'draft' | 'public'
  labels: string[]
  extra: unknown
  created: Date
  changed: Date
  version: number
  category: Category | null
}

const CategorySchema = new EntitySchema<Category>({
  name: 'Category',
  tableName: 'category',
  columns: {
    id: { type: Number, primary: true, generated: 'increment' },
    name: { type: String, length: 80, unique: true },
  },
  relations: { articles: { type: 'one-to-many', target: 'Article', inverseSide: 'category' } },
})
const ArticleSchema = new EntitySchema<Article>({
  name: 'Article',
  tableName: 'article',
  columns: {
    id: { type: 'uuid', primary: true, generated: 'uuid' },
    title: { type: 'text' },
    views: { type: 'int', default: 0 },
    price: { type: 'numeric', precision: 8, scale: 2, nullable: true },
    status: { type: 'enum', enum: ['draft', 'public'], default: 'draft' },
    labels: { type: 'text', array: true, default: '{}' },
    extra: { type: 'jsonb', nullable: true },
    created: { type: 'timestamptz', createDate: true },
    changed: { type: 'timestamptz', updateDate: true },
    version: { type: 'int', version: true },
  },
  relations: {
    category: {
      type: 'many-to-one',
      target: 'Category',
      inverseSide: 'articles',
      onDelete: 'CASCADE',
      nullable: true,
    },
  },
  indices: [{ columns: ['title'] }],
})

class AddNotes1700000000000 implements MigrationInterface {
  name = 'AddNotes1700000000000'
  async up(runner: QueryRunner): Promise<void> {
    await runner.createTable(
      new Table({
        name: 'note',
        columns: [
          { name: 'id', type: 'serial', isPrimary: true },
          { name: 'body', type: 'varchar', length: '200' },
          { name: 'article_id', type: 'uuid', isNullable: true },
        ],
        foreignKeys: [
          { columnNames: ['article_id'], referencedTableName: 'article', referencedColumnNames: ['id'] },
        ],
      }),
      true,
    )
    await runner.addColumn('note', new TableColumn({ name: 'stars', type: 'int', default: '1' }))
    await runner.createIndex('note', new TableIndex({ columnNames: ['stars'] }))
    await runner.renameColumn('note', 'stars', 'points')
    await runner.changeColumn(
      'note',
      'points',
      new TableColumn({ name: 'points', type: 'int', default: '2', isNullable: true }),
    )
  }
  async down(runner: QueryRunner): Promise<void> {
    await runner.dropTable('note')
  }
}

const source = new DataSource({
  type: 'postgres',
  host: parts.host,
  port: parts.port,
  username: parts.user,
  database: parts.database,
  entities: [CategorySchema, ArticleSchema],
  migrations: [AddNotes1700000000000],
  installExtensions: false,
  uuidExtension: 'pgcrypto',
})

await check('the schema is made from entities, and a second look finds nothing to change', async () => {
  await source.initialize()
  await source.synchronize()
  const { upQueries } = await source.driver.createSchemaBuilder().log()
  assert.deepEqual(
    upQueries.map(({ query }) => query),
    [],
  )
})

await check('migrations: run, show, undo, run', async () => {
  assert.equal((await source.runMigrations()).length, 1)
  assert.equal(await source.showMigrations(), false)
  const runner = source.createQueryRunner()
  const table = await runner.getTable('note')
  assert.deepEqual(
    table?.columns.map(({ name, type, isNullable, isGenerated, default: value }) => [
      name,
      type,
      isNullable,
      isGenerated,
      value,
    ]),
    [
      ['id', 'integer', false, true, undefined],
      ['body', 'character varying', false, false, undefined],
      ['article_id', 'uuid', true, false, undefined],
      ['points', 'integer', true, false, "'2'"],
    ],
  )
  assert.equal(table?.foreignKeys.length, 1)
  assert.equal(table?.indices.length, 1)
  await runner.release()
  await source.undoLastMigration()
  assert.equal((await source.runMigrations()).length, 1)
})

const articles = () => source.getRepository<Article>('Article')

await check('CRUD: save with relations, find, update, upsert, remove', async () => {
  const news = await source.getRepository<Category>('Category').save({ name: 'News' } as Category)
  const saved = await articles().save(
    Array.from({ length: 20 }, (_, i) => ({
      title: `article ${i}`,
      price: '9.90',
      labels: ['x', `l${i}`],
      extra: { i },
      category: news,
    })) as unknown as Article[],
  )
  assert.equal(saved.length, 20)
  assert.ok(saved[0]?.created instanceof Date)
  const [first] = await articles().find({ where: { title: 'article 3' }, relations: { category: true } })
  assert.equal(first?.category?.name, 'News')
  assert.equal(first?.price, '9.90')
  assert.deepEqual(first?.extra, { i: 3 })
  if (!first) return
  first.status = 'public'
  first.views = 5
  assert.equal((await articles().save(first)).version, 2)
  await articles().increment({ id: first.id }, 'views', 2)
  assert.equal(await articles().countBy({ views: MoreThan(6) }), 1)
  await articles().delete({ title: In(['article 18', 'article 19']) })
  const [page, total] = await articles().findAndCount({
    order: { title: 'ASC' },
    skip: 2,
    take: 3,
    relations: { category: true },
  })
  assert.equal(total, 18)
  assert.deepEqual(
    page.map(({ title }) => title),
    ['article 10', 'article 11', 'article 12'],
  )
  await source.getRepository<Category>('Category').upsert({ name: 'News' }, ['name'])
})

await check('the query builder: joins, groups, subqueries', async () => {
  const rows = await articles()
    .createQueryBuilder('a')
    .leftJoin('a.category', 'c')
    .select('c.name', 'category')
    .addSelect('COUNT(*)', 'n')
    .where(
      (query) =>
        `a.id IN ${query.subQuery().select('b.id').from('Article', 'b').where('b.views < :views', { views: 100 }).getQuery()}`,
    )
    .setParameter('views', 100)
    .groupBy('c.name')
    .getRawMany()
  assert.deepEqual(rows, [{ category: 'News', n: '18' }])
})

await check('transactions: commit, rollback, nested, locks', async () => {
  await refusal(() =>
    source.transaction(async (manager) => {
      await manager.delete('Article', {})
      throw new Error('given up')
    }),
  )
  await source.transaction('SERIALIZABLE', async (manager) => {
    const locked = await manager.findOne<Article>('Article', {
      where: { title: 'article 1' },
      lock: { mode: 'pessimistic_write' },
    })
    assert.equal(locked?.title, 'article 1')
    await refusal(() =>
      manager.transaction(async (inner) => {
        await inner.update('Article', { title: 'article 1' }, { views: 77 })
        throw new Error('given up')
      }),
    )
    await manager.update('Article', { title: 'article 2' }, { views: 99 })
  })
  assert.equal(await articles().countBy({ views: 77 }), 0)
  assert.equal(await articles().countBy({ views: 99 }), 1)
})

await check('errors', async () => {
  const twice = await refusal(() => source.getRepository<Category>('Category').insert({ name: 'News' }))
  assert.equal(twice.code, '23505')
  assert.equal(
    (await refusal(() => articles().insert({ title: 'x', status: 'other' as 'draft' }))).code,
    '22P02',
  )
})

await check('a new column by synchronize', async () => {
  const later = new DataSource({
    ...source.options,
    entities: [
      new EntitySchema({
        name: 'Category',
        tableName: 'category',
        columns: {
          id: { type: Number, primary: true, generated: 'increment' },
          name: { type: String, length: 80, unique: true },
          rank: { type: 'float', default: 0.5 },
        },
      }),
    ],
  })
  await later.initialize()
  await later.synchronize()
  const [row] = await later.query('SELECT rank FROM category')
  assert.equal(row.rank, 0.5)
  await later.destroy()
})

await source.destroy()
done()
