import type { VirtualTable } from '../virtual-table.ts'
import { LOCK_COLUMNS } from './locks.ts'
import { empty } from './make.ts'

/** What there is nothing of here, for clients that ask all the same. */
export const absentTables: readonly VirtualTable[] = [
  empty(
    'pg_catalog.pg_trigger',
    `oid oid, tgrelid oid, tgparentid oid, tgname, tgfoid oid, tgtype int2, tgenabled, tgisinternal bool, tgconstrrelid oid,
     tgconstrindid oid, tgconstraint oid, tgdeferrable bool, tginitdeferred bool, tgnargs int2, tgattr int2[], tgargs,
     tgqual, tgoldtable, tgnewtable, tableoid oid`,
  ),
  empty(
    'pg_catalog.pg_policy',
    'oid oid, polname, polrelid oid, polcmd, polpermissive bool, polroles oid[], polqual, polwithcheck, tableoid oid',
  ),
  empty('pg_catalog.pg_inherits', 'inhrelid oid, inhparent oid, inhseqno int4, inhdetachpending bool'),
  empty(
    'pg_catalog.pg_partitioned_table',
    'partrelid oid, partstrat, partnatts int2, partdefid oid, partattrs int2vector, partclass oidvector, partcollation oidvector, partexprs',
  ),
  empty(
    'pg_catalog.pg_rewrite',
    'oid oid, rulename, ev_class oid, ev_type, ev_enabled, is_instead bool, ev_qual, ev_action, tableoid oid',
  ),
  empty(
    'pg_catalog.pg_statistic_ext',
    `oid oid, stxrelid oid, stxname, stxnamespace oid, stxowner oid, stxstattarget int4, stxkeys int2[],
     stxkind text[], stxexprs, tableoid oid`,
  ),
  empty(
    'pg_catalog.pg_publication',
    `oid oid, pubname, pubowner oid, puballtables bool, pubinsert bool, pubupdate bool, pubdelete bool, pubtruncate bool,
     pubviaroot bool, tableoid oid`,
  ),
  empty(
    'pg_catalog.pg_publication_rel',
    'oid oid, prpubid oid, prrelid oid, prqual, prattrs int2[], tableoid oid',
  ),
  empty('pg_catalog.pg_publication_namespace', 'oid oid, pnpubid oid, pnnspid oid, tableoid oid'),
  empty('pg_catalog.pg_publication_tables', 'pubname, schemaname, tablename, attnames text[], rowfilter'),
  empty(
    'pg_catalog.pg_subscription',
    'oid oid, subdbid oid, subname, subowner oid, subenabled bool, subpublications text[], subconninfo, subslotname, subsynccommit, subbinary bool, substream bool, subtwophasestate, subdisableonerr bool, subskiplsn, tableoid oid',
  ),
  empty(
    'pg_catalog.pg_cast',
    'oid oid, castsource oid, casttarget oid, castfunc oid, castcontext, castmethod, tableoid oid',
  ),
  empty(
    'pg_catalog.pg_opclass',
    `oid oid, opcmethod oid, opcname, opcnamespace oid, opcowner oid, opcfamily oid, opcintype oid, opcdefault bool,
     opckeytype oid, tableoid oid`,
  ),
  empty(
    'pg_catalog.pg_opfamily',
    'oid oid, opfmethod oid, opfname, opfnamespace oid, opfowner oid, tableoid oid',
  ),
  empty(
    'pg_catalog.pg_operator',
    `oid oid, oprname, oprnamespace oid, oprowner oid, oprkind, oprcanmerge bool, oprcanhash bool, oprleft oid,
     oprright oid, oprresult oid, oprcom oid, oprnegate oid, oprcode oid, tableoid oid`,
  ),
  empty('pg_catalog.pg_aggregate', 'aggfnoid oid, aggkind, aggnumdirectargs int2, aggtransfn, aggfinalfn'),
  empty(
    'pg_catalog.pg_extension',
    'oid oid, extname, extowner oid, extnamespace oid, extrelocatable bool, extversion, extconfig oid[], extcondition text[], tableoid oid',
  ),
  empty('pg_catalog.pg_available_extensions', 'name, default_version, installed_version, comment'),
  empty('pg_catalog.pg_foreign_table', 'ftrelid oid, ftserver oid, ftoptions text[]'),
  empty(
    'pg_catalog.pg_foreign_server',
    'oid oid, srvname, srvowner oid, srvfdw oid, srvtype, srvversion, srvacl text[], srvoptions text[], tableoid oid',
  ),
  empty(
    'pg_catalog.pg_foreign_data_wrapper',
    'oid oid, fdwname, fdwowner oid, fdwhandler oid, fdwvalidator oid, fdwacl text[], fdwoptions text[], tableoid oid',
  ),
  empty(
    'pg_catalog.pg_event_trigger',
    'oid oid, evtname, evtevent, evtowner oid, evtfoid oid, evtenabled, evttags text[], tableoid oid',
  ),
  empty('pg_catalog.pg_user_mappings', 'umid oid, srvid oid, srvname, umuser oid, usename, umoptions text[]'),
  empty('pg_catalog.pg_seclabel', 'objoid oid, classoid oid, objsubid int4, provider, label'),
  empty(
    'pg_catalog.pg_conversion',
    'oid oid, conname, connamespace oid, conowner oid, conforencoding int4, contoencoding int4, conproc, condefault bool, tableoid oid',
  ),
  empty(
    'pg_catalog.pg_ts_config',
    'oid oid, cfgname, cfgnamespace oid, cfgowner oid, cfgparser oid, tableoid oid',
  ),
  empty(
    'pg_catalog.pg_ts_dict',
    'oid oid, dictname, dictnamespace oid, dictowner oid, dicttemplate oid, dictinitoption, tableoid oid',
  ),
  empty('pg_catalog.pg_locks', LOCK_COLUMNS),
  empty('pg_catalog.pg_prepared_xacts', 'transaction int8, gid, prepared time, owner, database'),
  empty('pg_catalog.pg_rules', 'schemaname, tablename, rulename, definition'),
  empty(
    'pg_catalog.pg_policies',
    'schemaname, tablename, policyname, permissive, roles text[], cmd, qual, with_check',
  ),
  empty(
    'pg_catalog.pg_stat_user_tables',
    `relid oid, schemaname, relname, seq_scan int8, seq_tup_read int8, idx_scan int8, idx_tup_fetch int8, n_tup_ins int8,
     n_tup_upd int8, n_tup_del int8, n_live_tup int8, n_dead_tup int8, last_vacuum time, last_analyze time`,
  ),
  empty(
    'pg_catalog.pg_seclabels',
    'objoid oid, classoid oid, objsubid int4, objtype, objnamespace oid, objname, provider, label',
  ),
  empty(
    'pg_catalog.pg_transform',
    'oid oid, trftype oid, trflang oid, trffromsql oid, trftosql oid, tableoid oid',
  ),
  empty(
    'pg_catalog.pg_ts_parser',
    `oid oid, prsname, prsnamespace oid, prsstart oid, prstoken oid, prsend oid, prsheadline oid,
     prslextype oid, tableoid oid`,
  ),
  empty(
    'pg_catalog.pg_ts_template',
    'oid oid, tmplname, tmplnamespace oid, tmplinit oid, tmpllexize oid, tableoid oid',
  ),
  empty('pg_catalog.pg_largeobject_metadata', 'oid oid, lomowner oid, lomacl text[], tableoid oid'),
  empty(
    'pg_catalog.pg_amop',
    `oid oid, amopfamily oid, amoplefttype oid, amoprighttype oid, amopstrategy int2, amoppurpose, amopopr oid,
     amopmethod oid, amopsortfamily oid`,
  ),
  empty(
    'pg_catalog.pg_amproc',
    'oid oid, amprocfamily oid, amproclefttype oid, amprocrighttype oid, amprocnum int2, amproc oid',
  ),
]
