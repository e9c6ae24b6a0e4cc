import assert from 'node:assert/strict'
import { DataTypes, Op, QueryTypes, Sequelize, Transaction } from 'sequelize'
import { check, done, refusal, url } from './harness.ts'

const sequelize = new Sequelize(url, { dialect: 'postgres', logging: false, pool: { max: 4 } })

const Owner = sequelize.define('Owner', {
  name: { type: DataTypes.STRING(60), allowNull: false, unique: true },
  level: { type: DataTypes.ENUM('low', 'high'), defaultValue: 'low' },
  data: DataTypes.JSONB,
})
const Car = sequelize.define(
  'Car',
  {
    id: { type: DataTypes.UUID, defaultValue: DataTypes.UUIDV4, primaryKey: true },
    plate: { type: DataTypes.STRING, unique: 'plates' },
    price: DataTypes.DECIMAL(10, 2),
    colours: DataTypes.ARRAY(DataTypes.STRING),
    photo: DataTypes.BLOB,
    since: DataTypes.DATEONLY,
  },
  { indexes: [{ fields: ['price'] }], paranoid: true },
)
Owner.hasMany(Car, { foreignKey: { name: 'ownerId', allowNull: false }, onDelete: 'CASCADE' })
Car.belongsTo(Owner, { foreignKey: 'ownerId' })

await check('the schema is made from models, changed, and described', async () => {
  await sequelize.authenticate()
  await sequelize.sync({ force: true })
  await sequelize.sync({ alter: true })
  const described = await sequelize.getQueryInterface().describeTable('Cars')
  assert.equal(described.price?.type, 'NUMERIC')
  assert.equal(described.id?.primaryKey, true)
  assert.equal(described.ownerId?.allowNull, false)
})

await check('migrations by the query interface', async () => {
  const schema = sequelize.getQueryInterface()
  await schema.createTable('extras', {
    id: { type: DataTypes.INTEGER, autoIncrement: true, primaryKey: true },
    label: { type: DataTypes.STRING, allowNull: false },
  })
  await schema.addColumn('extras', 'weight', { type: DataTypes.FLOAT, defaultValue: 1 })
  await schema.changeColumn('extras', 'label', { type: DataTypes.TEXT, allowNull: true })
  await schema.renameColumn('extras', 'label', 'title')
  await schema.addIndex('extras', ['title'], { unique: true, name: 'extras_title' })
  await schema.addConstraint('extras', {
    fields: ['weight'],
    type: 'check',
    name: 'extras_weight',
    where: { weight: { [Op.gt]: 0 } },
  })
  const indexes = (await schema.showIndex('extras')) as {
    name: string
    unique: boolean
    fields: { attribute: string }[]
  }[]
  assert.deepEqual(
    indexes
      .map(({ name, unique, fields }) => [name, unique, fields.map(({ attribute }) => attribute)])
      .sort(),
    [
      ['extras_pkey', true, ['id']],
      ['extras_title', true, ['title']],
    ],
  )
  assert.ok((await schema.showAllTables()).includes('extras'))
  assert.equal(await schema.tableExists('extras'), true)
  const references = await schema.getForeignKeyReferencesForTable('Cars')
  assert.equal((references as { columnName?: string }[])[0]?.columnName, 'ownerId')
  await schema.removeConstraint('extras', 'extras_weight')
  await schema.removeColumn('extras', 'weight')
  await schema.dropTable('extras')
})

await check('CRUD: create, include, upsert, bulk, increment, soft deletes', async () => {
  const ann = await Owner.create({ name: 'Ann', data: { tags: ['a'], deep: { n: 1 } } })
  await Car.bulkCreate(
    Array.from({ length: 30 }, (_, i) => ({
      plate: `P-${i}`,
      price: i * 1000,
      colours: ['red', 'blue "x"'],
      photo: Buffer.from([1, 2, 3]),
      since: '2020-02-03',
      ownerId: ann.get('id'),
    })),
  )
  await Owner.upsert({ name: 'Ann', level: 'high' })
  const found = await Owner.findOne({
    where: { name: { [Op.iLike]: 'ann' }, data: { deep: { n: 1 } } },
    include: [
      { model: Car, where: { price: { [Op.between]: [5000, 7000] } }, order: [['price', 'ASC']] } as never,
    ],
    order: [[Car, 'price', 'ASC']],
  })
  const plain = found?.get({ plain: true }) as {
    level: string
    Cars: { plate: string; price: string; colours: string[]; since: string; photo: Buffer }[]
  }
  assert.equal(plain.level, 'high')
  assert.deepEqual(
    plain.Cars.map(({ plate }) => plate),
    ['P-5', 'P-6', 'P-7'],
  )
  assert.equal(plain.Cars[0]?.price, '5000.00')
  assert.deepEqual(plain.Cars[0]?.colours, ['red', 'blue "x"'])
  assert.equal(plain.Cars[0]?.since, '2020-02-03')
  assert.deepEqual([...(plain.Cars[0]?.photo ?? [])], [1, 2, 3])
  await Car.update({ price: 1 }, { where: { plate: ['P-1', 'P-2'] } })
  await Car.increment('price', { by: 5, where: { plate: 'P-1' } })
  assert.equal((await Car.findOne({ where: { plate: 'P-1' } }))?.get('price'), '6.00')
  assert.equal(await Car.destroy({ where: { plate: 'P-9' } }), 1)
  assert.equal(await Car.count(), 29)
  const { rows, count } = await Car.findAndCountAll({
    where: { colours: { [Op.contains]: ['red'] } },
    limit: 5,
    offset: 2,
    order: ['plate'],
  })
  assert.equal(rows.length, 5)
  assert.equal(count, 29)
  // `findOrCreate` defines a function in PL/pgSQL for it.
  const [made, isNew] = await Owner.findCreateFind({ where: { name: 'Bob' }, defaults: { level: 'low' } })
  assert.equal(isNew, true)
  assert.equal(made.get('level'), 'low')
  assert.equal(await Car.sum('price', { where: { plate: ['P-1', 'P-2'] } }), 7)
})

await check('transactions: managed, rolled back, isolation levels, nested', async () => {
  await refusal(() =>
    sequelize.transaction(async (transaction) => {
      await Owner.destroy({ where: {}, transaction })
      throw new Error('given up')
    }),
  )
  await sequelize.transaction(
    { isolationLevel: Transaction.ISOLATION_LEVELS.SERIALIZABLE },
    async (transaction) => {
      const owner = await Owner.findOne({
        where: { name: 'Bob' },
        lock: transaction.LOCK.UPDATE,
        transaction,
      })
      await owner?.update({ level: 'high' }, { transaction })
      const inner = await sequelize.transaction({ transaction })
      await Owner.create({ name: 'never' }, { transaction: inner })
      await inner.rollback()
    },
  )
  const names = await Owner.findAll({
    where: { level: 'high' },
    order: ['name'],
    attributes: ['name'],
    raw: true,
  })
  assert.deepEqual(names, [{ name: 'Ann' }, { name: 'Bob' }])
})

await check('errors become Sequelize’s own', async () => {
  const twice = await refusal(() => Owner.create({ name: 'Ann' }))
  assert.equal(twice.name, 'SequelizeUniqueConstraintError')
  assert.deepEqual(twice.fields, { name: 'Ann' })
  const child = await refusal(() => Car.create({ plate: 'X', ownerId: 4711 }))
  assert.equal(child.name, 'SequelizeForeignKeyConstraintError')
})

await check('raw queries with replacements and bind', async () => {
  const rows = await sequelize.query('SELECT $1::int + :b AS sum'.replace(':b', '$2::int'), {
    bind: [1, 2],
    type: QueryTypes.SELECT,
  })
  assert.deepEqual(rows, [{ sum: 3 }])
  const named = await sequelize.query('SELECT name FROM "Owners" WHERE name IN (:names) ORDER BY 1', {
    replacements: { names: ['Ann', "O'Hara"] },
    type: QueryTypes.SELECT,
  })
  assert.deepEqual(named, [{ name: 'Ann' }])
})

await sequelize.close()
done()
