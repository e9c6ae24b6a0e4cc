import type { Begin, Explain, IsolationLevel, Prepare, SetStatement, Statement } from '../ast.ts'
import type {
  BeginCst,
  ChainingCst,
  ExplainCst,
  PrepareCst,
  RollbackCst,
  ScriptCst,
  SettingCst,
  SettingWordCst,
  StatementCst,
  TransactionModesCst,
  ZoneIntervalCst,
} from '../cst/statement.ts'
import type { DataStatementCst } from '../cst/write.ts'
import { CopyBuilder } from './copy-builder.ts'
import { doBlock, lockTable, maintain } from './maintenance-builder.ts'
import { has, identifier, only, qualifiedName, scanned, spanOf } from './tree.ts'

/** Every statement. */
export class StatementBuilder extends CopyBuilder {
  script(node: ScriptCst): Statement[] {
    return (node.children.statement ?? []).map((statement) => this.#statement(statement))
  }

  #statement(node: StatementCst): Statement {
    const { children } = node
    const span = spanOf(node)
    if (children.dataStatement !== undefined) return this.#dataOrInto(only(children.dataStatement))
    if (children.prepare !== undefined) return this.#prepare(only(children.prepare))
    if (children.execute !== undefined) return this.execute(only(children.execute))
    if (children.deallocate !== undefined) {
      const name = only(children.deallocate).children.ColumnId?.[0]
      return { kind: 'deallocate', name: name === undefined ? null : identifier(name), span }
    }
    const copyOrCursor = this.copyOrCursor(node)
    if (copyOrCursor !== null) return copyOrCursor
    if (children.create !== undefined) return this.create(only(children.create))
    if (children.drop !== undefined) return this.drop(only(children.drop))
    if (children.truncate !== undefined) return this.truncate(only(children.truncate))
    if (children.alter !== undefined) return this.alter(only(children.alter))
    if (children.comment !== undefined) return this.comment(only(children.comment))
    if (children.refresh !== undefined) {
      const { qualifiedName: name, withData } = only(children.refresh).children
      const end = withData?.[0]
      const filled = end === undefined || !has(end.children.No)
      return { kind: 'refresh', name: qualifiedName(only(name)), withData: filled, span }
    }
    if (children.begin !== undefined) return this.#begin(only(children.begin))
    if (children.commit !== undefined)
      return { kind: 'commit', chain: chains(only(children.commit).children.chaining), span }
    if (children.rollback !== undefined) return this.#rollback(only(children.rollback))
    const mark = children.savepoint?.[0] ?? children.release?.[0]
    if (mark !== undefined) {
      const kind = children.savepoint === undefined ? 'release' : 'savepoint'
      return { kind, name: identifier(only(mark.children.ColumnId)), span }
    }
    if (children.explain !== undefined) return this.#explain(only(children.explain))
    if (children.setting !== undefined) return this.#set(only(children.setting))
    if (children.resetting !== undefined) {
      const name = settingWord(only(only(children.resetting).children.settingWord))
      return { kind: 'set', reset: true, scope: 'session', name, values: null, span }
    }
    if (children.lockTable !== undefined) return lockTable(only(children.lockTable))
    if (children.maintain !== undefined) return maintain(only(children.maintain))
    if (children.doBlock !== undefined) return doBlock(only(children.doBlock))
    return { kind: 'show', name: settingWord(only(only(children.show).children.settingWord)), span }
  }

  /** SELECT INTO makes a table, as CREATE TABLE AS does. */
  #dataOrInto(node: DataStatementCst): Statement {
    const [query] = only(node.children.plainStatement).children.query ?? []
    const [select] = query === undefined ? [] : (only(query.children.queryTerm).children.select ?? [])
    const into = select?.children.intoClause?.[0]?.children
    if (into === undefined || select === undefined) return this.dataStatement(node)
    this.intoSelect = select
    const made = this.dataStatement(node)
    this.intoSelect = null
    if (made.kind !== 'query') throw this.unexpected(only(into.Into).startOffset)
    return {
      kind: 'createTableAs',
      table: qualifiedName(only(into.qualifiedName)),
      ifNotExists: false,
      temporary: has(into.Temp) || has(into.Temporary),
      columns: [],
      query: made,
      withData: true,
      span: made.span,
    }
  }

  #prepare(node: PrepareCst): Prepare {
    const { ColumnId, typeName = [], dataStatement } = node.children
    return {
      kind: 'prepare',
      name: identifier(only(ColumnId)),
      types: typeName.map((type) => this.typeName(type)),
      statement: this.dataStatement(only(dataStatement)),
      span: spanOf(node),
    }
  }

  #begin(node: BeginCst): Begin {
    const start = has(node.children.Start)
    return { kind: 'begin', start, ...this.#modes(node.children.transactionModes?.[0]), span: spanOf(node) }
  }

  #modes(node: TransactionModesCst | undefined): Pick<Begin, 'isolation' | 'readOnly'> {
    let isolation: IsolationLevel | null = null
    let readOnly: boolean | null = null
    for (const mode of node?.children.transactionMode ?? []) {
      const { isolationLevel, Only, Deferrable } = mode.children
      const level = isolationLevel?.[0]
      // Nothing is ever waited for, so DEFERRABLE changes nothing.
      if (has(Deferrable)) continue
      if (level === undefined) readOnly = has(Only)
      else
        isolation = (level.children.word ?? []).map((word) => scanned(word).value).join(' ') as IsolationLevel
    }
    return { isolation, readOnly }
  }

  #rollback(node: RollbackCst): Statement {
    const name = node.children.ColumnId?.[0]
    const span = spanOf(node)
    return name === undefined
      ? { kind: 'rollback', chain: chains(node.children.chaining), span }
      : { kind: 'rollbackTo', name: identifier(name), span }
  }

  #explain(node: ExplainCst): Explain {
    const { optionList, Analyze, Analyse, Verbose, explained } = node.children
    const { dataStatement, create, execute } = only(explained).children
    const list = optionList?.[0]
    const all = list === undefined ? [] : this.options(list)
    const on = (word: string): boolean => {
      const option = all.findLast(
        ({ name }) => name.name === word || (word === 'analyze' && name.name === 'analyse'),
      )
      return option !== undefined && !['false', 'off', '0'].includes((option.value ?? 'true').toLowerCase())
    }
    const statement =
      dataStatement !== undefined
        ? this.dataStatement(only(dataStatement))
        : execute !== undefined
          ? this.execute(only(execute))
          : this.create(only(create))
    return {
      kind: 'explain',
      analyze: has(Analyze) || has(Analyse) || on('analyze'),
      verbose: has(Verbose) || on('verbose'),
      options: all.filter(({ name }) => !['analyze', 'analyse', 'verbose'].includes(name.name)),
      statement,
      span: spanOf(node),
    }
  }

  #set(node: SettingCst): Statement {
    const { Session, Local, Time, transactionModes, settingName, settingValues, Characteristics } =
      node.children
    const { Constraints, qualifiedName: names = [], Deferred, zoneInterval } = node.children
    const span = spanOf(node)
    if (has(Constraints))
      return { kind: 'setConstraints', names: names.map(qualifiedName), deferred: has(Deferred), span }
    const scope = has(Local) ? 'local' : 'session'
    const modes = transactionModes?.[0]
    if (modes !== undefined) {
      const { isolation, readOnly } = this.#modes(modes)
      if (has(Characteristics) && !has(Session)) throw this.unexpected(only(Characteristics).startOffset)
      return { kind: 'setTransaction', session: has(Characteristics), isolation, readOnly, span }
    }
    const interval = zoneInterval?.[0]
    if (interval !== undefined)
      return { kind: 'set', reset: false, scope, name: 'timezone', values: [this.#eastward(interval)], span }
    const { settingValue } = only(settingValues).children
    const values = settingValue === undefined ? null : settingValue.map((value) => this.settingText(value))
    const set: SetStatement = { kind: 'set', reset: false, scope, name: 'timezone', values, span }
    return has(Time) ? set : { ...set, name: dotted(only(settingName)) }
  }

  /** Hours east of UTC, as SET TIME ZONE takes them. */
  #eastward(node: ZoneIntervalCst): string {
    const token = only(node.children.StringLiteral)
    const [, sign, hours, minutes = '0'] =
      /^\s*([-+]?)(\d{1,3})(?::(\d{2}))?\s*$/.exec(scanned(token).value) ?? []
    if (hours === undefined) throw this.unexpected(token.startOffset)
    const east = Number(hours) + Number(minutes) / 60
    return String(sign === '-' ? -east : east)
  }
}

const chains = (chaining: readonly ChainingCst[] | undefined): boolean =>
  chaining?.[0] !== undefined && !has(chaining[0].children.No)

const dotted = ({ children }: NonNullable<SettingCst['children']['settingName']>[number]): string =>
  [...children.ColumnId, ...(children.Label ?? [])]
    .map((token) => scanned(token).value.toLowerCase())
    .join('.')

function settingWord({ children }: SettingWordCst): string {
  if (has(children.All)) return 'all'
  if (has(children.Time)) return 'timezone'
  return has(children.Transaction) ? 'transaction_isolation' : dotted(only(children.settingName))
}
