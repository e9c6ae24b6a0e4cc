import { hash32 } from '@cluster/core'
import { BOOTSTRAP_OID } from '../../access/roles.ts'
import type { CatalogImage } from '../image.ts'
import { aclArray, guardedAs } from '../image-access.ts'
import { DATABASE_OID } from '../known-oids.ts'
import type { VirtualTable } from '../virtual-table.ts'
import { type Row, table } from './make.ts'
import { databaseOwner } from './privileges.ts'

/** Numbers of other databases are made of their names, and are above those of anything in this one. */
const OTHERS_FROM = 2 ** 31

/** `pg_database`. @param others the databases of the cluster, by name; this one may be among them */
export const databaseTable = (others: () => readonly string[]): VirtualTable =>
  table(
    'pg_catalog.pg_database',
    `oid oid, datname, datdba oid, encoding int4, datlocprovider, datistemplate bool, datallowconn bool,
     datconnlimit int4, datfrozenxid int8, dattablespace oid, datcollate, datctype, daticulocale, datcollversion,
     datacl text[]`,
    ({ catalog }) => [
      mine(catalog),
      ...others()
        .filter((name) => name !== catalog.database)
        .map((name) => row(name, { oid: OTHERS_FROM + (hash32(name) % OTHERS_FROM), datdba: BOOTSTRAP_OID })),
    ],
  )

function mine(catalog: CatalogImage): Row {
  const datacl = aclArray(catalog, catalog.access.aclOf(guardedAs(DATABASE_OID, 'database')))
  return row(catalog.database, { oid: DATABASE_OID, datdba: databaseOwner(catalog), datacl })
}

const row = (datname: string, rest: Row): Row => ({
  ...rest,
  datname,
  encoding: 6,
  datlocprovider: 'c',
  datistemplate: false,
  datallowconn: true,
  datconnlimit: -1,
  dattablespace: 1663,
  datcollate: 'C',
  datctype: 'C',
})
