import { SQLSTATE, sqlError } from '../../errors.ts'
import type {
  CloseCursor,
  Copy,
  CopyOption,
  DeclareCursor,
  FetchDirection,
  FetchRows,
  Statement,
} from '../ast.ts'
import type {
  CloseCursorCst,
  CopyCst,
  CopyOptionCst,
  CopyWordCst,
  DeclareCursorCst,
  FetchDirectionCst,
  FetchRowsCst,
  SignedCountCst,
} from '../cst/copy.ts'
import type { StatementCst } from '../cst/statement.ts'
import { positionAt } from '../scanner.ts'
import { DefinitionBuilder } from './definition-builder.ts'
import { has, identifier, only, qualifiedName, scanned, spanOf, tokenSpan } from './tree.ts'

/** PostgreSQL reads such numbers as 32 bits. */
const COUNT_MAX = 2_147_483_647

/** COPY, and the statements about cursors. */
export class CopyBuilder extends DefinitionBuilder {
  /** Null for another statement. */
  protected copyOrCursor({ children }: StatementCst): Statement | null {
    const { copy, declareCursor, fetchRows, closeCursor } = children
    if (copy !== undefined) return this.#copy(only(copy))
    if (declareCursor !== undefined) return this.#declare(only(declareCursor))
    if (fetchRows !== undefined) return this.#fetch(only(fetchRows))
    return closeCursor === undefined ? null : closed(only(closeCursor))
  }

  #copy(node: CopyCst): Copy {
    const { children } = node
    const { copyQuery, qualifiedName: name, nameList, copyOption, copyWord = [], whereClause } = children
    const file = children.file?.[0]
    const query = copyQuery === undefined ? null : only(copyQuery).children.dataStatement
    const direction = has(children.From) ? 'from' : 'to'
    const where = whereClause?.[0]
    if (where !== undefined && direction === 'to')
      throw this.refused('WHERE clause not allowed with COPY TO', SQLSTATE.syntaxError, spanOf(where).start)
    if (query !== null && direction === 'from') throw this.unexpected(only(children.From).startOffset)
    if (has(children.Program) && file === undefined) {
      const stream = only(children.Stdin ?? children.Stdout)
      throw this.refused('STDIN/STDOUT not allowed with PROGRAM', SQLSTATE.syntaxError, stream.startOffset)
    }
    const before: CopyOption[] = []
    const binary = children.Binary?.[0]
    if (binary !== undefined) before.push(option('format', 'binary', tokenSpan(binary)))
    const delimiters = children.delimiters?.[0]
    if (delimiters !== undefined)
      before.push(option('delimiter', scanned(delimiters).value, tokenSpan(delimiters)))
    return {
      kind: 'copy',
      direction,
      table: name === undefined ? null : qualifiedName(only(name)),
      columns: nameList === undefined ? [] : only(nameList).children.ColumnId.map(identifier),
      query: query === null ? null : this.dataStatement(only(query)),
      file: file === undefined ? null : { name: scanned(file).value, program: has(children.Program) },
      options: [
        ...before,
        ...(copyOption ?? []).map((one) => this.#option(one)),
        ...copyWord.map((word) => oldOption(word)),
      ],
      where: where === undefined ? null : this.expression(only(where.children.expression)),
      span: spanOf(node),
    }
  }

  #option(node: CopyOptionCst): CopyOption {
    const { Label, settingValue, Star, nameList } = node.children
    const name = scanned(only(Label)).value.toLowerCase()
    const span = spanOf(node)
    if (has(Star)) return { name, value: '*', list: true, span }
    if (nameList !== undefined)
      return { name, value: only(nameList).children.ColumnId.map(identifier), list: true, span }
    return option(name, settingValue === undefined ? null : this.settingText(only(settingValue)), span)
  }

  #declare(node: DeclareCursorCst): DeclareCursor {
    const { ColumnId, Binary, Scroll, noScroll, With, Hold, query, Insensitive, Asensitive } = node.children
    if (has(Scroll) && has(noScroll))
      throw this.refused(
        'cannot specify both SCROLL and NO SCROLL',
        '42P11',
        only(node.children.Declare).startOffset,
      )
    if (has(Insensitive) && has(Asensitive))
      throw this.refused(
        'cannot specify both INSENSITIVE and ASENSITIVE',
        '42P11',
        only(node.children.Declare).startOffset,
      )
    return {
      kind: 'declare',
      name: identifier(only(ColumnId)),
      binary: has(Binary),
      scroll: has(Scroll) ? true : has(noScroll) ? false : null,
      hold: has(Hold) && has(With),
      query: this.query(only(query)),
      span: spanOf(node),
    }
  }

  #fetch(node: FetchRowsCst): FetchRows {
    const { Move, ColumnId, fetchDirection } = node.children
    return {
      kind: has(Move) ? 'move' : 'fetch',
      cursor: identifier(only(ColumnId)),
      direction:
        fetchDirection === undefined ? { way: 'forward', count: 1 } : this.#direction(only(fetchDirection)),
      span: spanOf(node),
    }
  }

  #direction({ children }: FetchDirectionCst): FetchDirection {
    const { word, All, signedCount } = children
    const count = has(All) ? 'all' : signedCount === undefined ? 1 : this.#count(only(signedCount))
    switch (word === undefined ? 'forward' : scanned(only(word)).value.toLowerCase()) {
      case 'prior':
        return { way: 'backward', count: 1 }
      case 'first':
        return { way: 'absolute', count: 1 }
      case 'last':
        return { way: 'absolute', count: -1 }
      case 'absolute':
        return { way: 'absolute', count }
      case 'relative':
        return { way: 'relative', count }
      case 'backward':
        return { way: 'backward', count }
      default:
        return { way: 'forward', count }
    }
  }

  #count({ children }: SignedCountCst): number {
    const token = only(children.NumberLiteral)
    const { value } = scanned(token)
    if (!/^\d+$/.test(value) || Number(value) > COUNT_MAX) throw this.unexpected(token.startOffset)
    return has(children.Minus) ? -Number(value) : Number(value)
  }

  /** An error of the grammar that a rule of it cannot tell. */
  protected refused(message: string, sqlstate: string, offset: number) {
    return sqlError(sqlstate, message, { position: positionAt(this.source, offset) })
  }
}

const option = (name: string, value: string | null, span: CopyOption['span']): CopyOption => ({
  name,
  value,
  list: false,
  span,
})

function oldOption(node: CopyWordCst): CopyOption {
  const { flag, word, StringLiteral, forced, notNull, Star, ColumnId = [] } = node.children
  const span = spanOf(node)
  if (flag !== undefined) {
    const name = scanned(only(flag)).value.toLowerCase()
    return name === 'csv' || name === 'binary' ? option('format', name, span) : option(name, null, span)
  }
  if (word !== undefined)
    return option(scanned(only(word)).value.toLowerCase(), scanned(only(StringLiteral)).value, span)
  const what = has(notNull) ? 'not_null' : scanned(only(forced)).value.toLowerCase()
  return { name: `force_${what}`, value: has(Star) ? '*' : ColumnId.map(identifier), list: true, span }
}

function closed(node: CloseCursorCst): CloseCursor {
  const { ColumnId } = node.children
  const name = ColumnId === undefined ? null : identifier(only(ColumnId))
  return { kind: 'close', name, span: spanOf(node) }
}
