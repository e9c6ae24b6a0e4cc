import { SQLSTATE, sqlError } from '../../errors.ts'
import type {
  Assignment,
  Begin,
  ConflictTarget,
  Delete,
  Drop,
  Explain,
  Identifier,
  Insert,
  IsolationLevel,
  OnConflict,
  SelectItem,
  SetStatement,
  Statement,
  Update,
} from '../ast.ts'
import type { ReturningCst, TargetAliasCst, WhereClauseCst } from '../cst/query.ts'
import type {
  BeginCst,
  DropCst,
  ExplainCst,
  RollbackCst,
  ScriptCst,
  SettingCst,
  SettingWordCst,
  StatementCst,
  TransactionModesCst,
} from '../cst/statement.ts'
import type { AssignmentCst, DeletionCst, InsertCst, OnConflictCst, UpdateCst } from '../cst/write.ts'
import { positionAt } from '../scanner.ts'
import { TableBuilder } from './table-builder.ts'
import { has, identifier, only, qualifiedName, scanned, spanOf } from './tree.ts'

/** Every statement. */
export class StatementBuilder extends TableBuilder {
  script(node: ScriptCst): Statement[] {
    return (node.children.statement ?? []).map((statement) => this.#statement(statement))
  }

  #statement(node: StatementCst): Statement {
    const { children } = node
    const span = spanOf(node)
    if (children.query !== undefined) return this.query(only(children.query))
    if (children.insert !== undefined) return this.#insert(only(children.insert))
    if (children.update !== undefined) return this.#update(only(children.update))
    if (children.deletion !== undefined) return this.#delete(only(children.deletion))
    if (children.create !== undefined) return this.create(only(children.create))
    if (children.drop !== undefined) return this.#drop(only(children.drop))
    if (children.truncate !== undefined) {
      const { qualifiedName: tables } = only(children.truncate).children
      return { kind: 'truncate', tables: tables.map(qualifiedName), span }
    }
    if (children.begin !== undefined) return this.#begin(only(children.begin))
    if (children.commit !== undefined) return { kind: 'commit', span }
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
      return { kind: 'set', scope: 'session', name, values: null, span }
    }
    return { kind: 'show', name: settingWord(only(only(children.show).children.settingWord)), span }
  }

  #returning(node: ReturningCst | undefined): SelectItem[] {
    return node === undefined ? [] : this.selectItems(only(node.children.selectItems))
  }

  #where(node: WhereClauseCst | undefined) {
    return node === undefined ? null : this.expression(only(node.children.expression))
  }

  #insert(node: InsertCst): Insert {
    const { qualifiedName: name, ColumnId, nameList, query, onConflict, returning } = node.children
    const alias = ColumnId?.[0]
    return {
      kind: 'insert',
      table: qualifiedName(only(name)),
      alias: alias === undefined ? null : identifier(alias),
      columns: this.names(nameList?.[0]),
      source: this.#insertSource(query?.[0]),
      onConflict: onConflict === undefined ? null : this.#onConflict(only(onConflict)),
      returning: this.#returning(returning?.[0]),
      span: spanOf(node),
    }
  }

  #onConflict(node: OnConflictCst): OnConflict {
    const { nameList, ColumnId, Update: updates, assignment = [], whereClause } = node.children
    const columns = nameList?.[0]
    const constraint = ColumnId?.[0]
    const target: ConflictTarget | null =
      columns !== undefined
        ? { by: 'columns', columns: this.names(columns) }
        : constraint !== undefined
          ? { by: 'constraint', constraint: identifier(constraint) }
          : null
    const update = !has(updates)
      ? null
      : {
          assignments: assignment.flatMap((item) => this.#assignments(item)),
          where: this.#where(whereClause?.[0]),
        }
    return { target, update, span: spanOf(node) }
  }

  #insertSource(node: NonNullable<InsertCst['children']['query']>[number] | undefined): Insert['source'] {
    if (node === undefined) return { kind: 'defaultValues' }
    const { withClause, queryTerm, setTail, sortList, limitClause } = node.children
    const rows = only(queryTerm).children.values?.[0]
    if (rows === undefined || has(withClause) || has(setTail) || has(sortList) || has(limitClause)) {
      const query = this.query(node)
      const { body, orderBy, limit, offset, with: common } = query
      // VALUES in parentheses is VALUES.
      const plain = orderBy.length === 0 && limit === null && offset === null && common.length === 0
      return plain && body.kind === 'values' ? { kind: 'rows', rows: body.rows } : { kind: 'query', query }
    }
    return { kind: 'rows', rows: this.rows(rows) }
  }

  #alias(node: TargetAliasCst): Identifier | null {
    const alias = node.children.ColumnId?.[0]
    return alias === undefined ? null : identifier(alias)
  }

  #update(node: UpdateCst): Update {
    const { qualifiedName: name, targetAlias, assignment, fromList, whereClause, returning } = node.children
    const from = fromList?.[0]
    return {
      kind: 'update',
      table: qualifiedName(only(name)),
      alias: this.#alias(only(targetAlias)),
      assignments: assignment.flatMap((item) => this.#assignments(item)),
      from: from === undefined ? [] : this.tables(from),
      where: this.#where(whereClause?.[0]),
      returning: this.#returning(returning?.[0]),
      span: spanOf(node),
    }
  }

  /** Several for `(a, b) = (1, 2)`. */
  #assignments(node: AssignmentCst): Assignment[] {
    const { ColumnId, Default, expression, nameList, valuesRow } = node.children
    const span = spanOf(node)
    const column = ColumnId?.[0]
    if (column !== undefined) {
      const word = Default?.[0]
      const value =
        word === undefined
          ? this.expression(only(expression))
          : ({ kind: 'default', span: { start: word.startOffset, end: scanned(word).end } } as const)
      return [{ column: identifier(column), value, span }]
    }
    const columns = this.names(nameList?.[0])
    const values = this.row(only(valuesRow))
    if (columns.length !== values.length)
      throw sqlError(SQLSTATE.syntaxError, 'number of columns does not match number of values', {
        position: positionAt(this.source, spanOf(only(valuesRow)).start),
      })
    return columns.map((name, i) => ({ column: name, value: only(values.slice(i)), span }))
  }

  #delete(node: DeletionCst): Delete {
    const { qualifiedName: name, targetAlias, fromList, whereClause, returning } = node.children
    const using = fromList?.[0]
    return {
      kind: 'delete',
      table: qualifiedName(only(name)),
      alias: this.#alias(only(targetAlias)),
      using: using === undefined ? [] : this.tables(using),
      where: this.#where(whereClause?.[0]),
      returning: this.#returning(returning?.[0]),
      span: spanOf(node),
    }
  }

  #drop(node: DropCst): Drop {
    const { Table, Index, If, qualifiedName: names, Cascade } = node.children
    return {
      kind: has(Table) ? 'dropTable' : has(Index) ? 'dropIndex' : 'dropView',
      names: names.map(qualifiedName),
      ifExists: has(If),
      cascade: has(Cascade),
      span: spanOf(node),
    }
  }

  #begin(node: BeginCst): Begin {
    return { kind: 'begin', ...this.#modes(node.children.transactionModes?.[0]), span: spanOf(node) }
  }

  #modes(node: TransactionModesCst | undefined): Pick<Begin, 'isolation' | 'readOnly'> {
    let isolation: IsolationLevel | null = null
    let readOnly: boolean | null = null
    for (const mode of node?.children.transactionMode ?? []) {
      const { isolationLevel, Only } = mode.children
      const level = isolationLevel?.[0]
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
      ? { kind: 'rollback', span }
      : { kind: 'rollbackTo', name: identifier(name), span }
  }

  #explain(node: ExplainCst): Explain {
    const { optionList, Analyze, Analyse, Verbose, explained } = node.children
    const { query, insert, update, deletion, create } = only(explained).children
    const list = optionList?.[0]
    const all = list === undefined ? [] : this.options(list)
    const on = (word: string): boolean => {
      const option = all.findLast(
        ({ name }) => name.name === word || (word === 'analyze' && name.name === 'analyse'),
      )
      return option !== undefined && !['false', 'off', '0'].includes((option.value ?? 'true').toLowerCase())
    }
    const statement =
      query !== undefined
        ? this.query(only(query))
        : insert !== undefined
          ? this.#insert(only(insert))
          : update !== undefined
            ? this.#update(only(update))
            : deletion !== undefined
              ? this.#delete(only(deletion))
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
    const span = spanOf(node)
    const scope = has(Local) ? 'local' : 'session'
    const modes = transactionModes?.[0]
    if (modes !== undefined) {
      const { isolation, readOnly } = this.#modes(modes)
      if (has(Characteristics) && !has(Session)) throw this.unexpected(only(Characteristics).startOffset)
      const prefix = has(Characteristics) ? 'default_transaction' : 'transaction'
      return isolation === null
        ? { kind: 'set', scope, name: `${prefix}_read_only`, values: [readOnly ? 'on' : 'off'], span }
        : { kind: 'set', scope, name: `${prefix}_isolation`, values: [isolation], span }
    }
    const { settingValue } = only(settingValues).children
    const values = settingValue === undefined ? null : settingValue.map((value) => this.settingText(value))
    const set: SetStatement = { kind: 'set', scope, name: 'timezone', values, span }
    return has(Time) ? set : { ...set, name: dotted(only(settingName)) }
  }
}

const dotted = ({ children }: NonNullable<SettingCst['children']['settingName']>[number]): string =>
  [...children.ColumnId, ...(children.Label ?? [])]
    .map((token) => scanned(token).value.toLowerCase())
    .join('.')

function settingWord({ children }: SettingWordCst): string {
  if (has(children.All)) return 'all'
  if (has(children.Time)) return 'timezone'
  return has(children.Transaction) ? 'transaction_isolation' : dotted(only(children.settingName))
}
