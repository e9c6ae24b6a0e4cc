import { vectorText } from '../../types/array-text.ts'
import { typeOid } from '../../types/type.ts'
import { OWNER } from '../image.ts'
import type { VirtualTable } from '../virtual-table.ts'
import { table } from './make.ts'

/** Functions. */
export const routineTables: readonly VirtualTable[] = [
  table(
    'pg_catalog.pg_proc',
    `oid oid, proname, pronamespace oid, proowner oid, prolang oid, procost float4, prorows float4, provariadic oid,
     prosupport, prokind, prosecdef bool, proleakproof bool, proisstrict bool, proretset bool, provolatile, proparallel,
     pronargs int2, pronargdefaults int2, prorettype oid, proargtypes oidvector, proallargtypes oid[], proargmodes text[],
     proargnames text[], proargdefaults, protrftypes oid[], prosrc, probin, prosqlbody, proconfig text[], proacl text[],
     tableoid oid`,
    ({ catalog }) =>
      catalog.routines.map(({ oid, name, kind, args, returns, strict, volatility }) => ({
        oid,
        proname: name,
        pronamespace: 11,
        proowner: OWNER,
        prolang: 12,
        procost: 1,
        prorows: 0,
        provariadic: 0,
        prokind: kind === 'aggregate' ? 'a' : 'f',
        prosecdef: false,
        proleakproof: false,
        proisstrict: strict,
        proretset: false,
        provolatile: volatility[0] ?? 'v',
        proparallel: 's',
        pronargs: args.length,
        pronargdefaults: 0,
        prorettype: typeOid(returns),
        proargtypes: vectorText(args.map(typeOid)),
        prosrc: name,
        tableoid: 1255,
      })),
  ),
]
