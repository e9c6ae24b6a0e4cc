import { isNumber, type Json, quoteJson } from '../json.ts'
import { type ParsedPath, type Path, parsePath } from './parse.ts'

/** How tightly the parts of a path hold together. */
function rank(path: Path): number {
  switch (path.kind) {
    case 'or':
      return 0
    case 'and':
      return 1
    case 'compare':
    case 'startsWith':
      return 2
    case 'math':
      return path.sign === '+' || path.sign === '-' ? 3 : 4
    case 'negate':
      return 5
    default:
      return 6
  }
}

const level = (value: number): string => (Number.isFinite(value) ? String(value) : 'last')

function descent(from: number, to: number): string {
  if (from === 0 && !Number.isFinite(to)) return '**'
  return from === to ? `**{${level(from)}}` : `**{${level(from)} to ${level(to)}}`
}

const literal = (value: Json): string =>
  typeof value === 'string' ? quoteJson(value) : isNumber(value) ? value.text : String(value)

/** @param enclose what is an operation stands in parentheses */
function shown(path: Path, enclose: boolean): string {
  const operation = (text: string): string => (enclose ? `(${text})` : text)
  const operand = (part: Path): string => shown(part, rank(part) <= rank(path))
  // What accessors follow is one value.
  const base = (part: Path): string =>
    part.kind === 'literal' && isNumber(part.value) ? `(${shown(part, true)})` : shown(part, true)
  switch (path.kind) {
    case 'root':
      return '$'
    case 'current':
      return '@'
    case 'last':
      return 'last'
    case 'variable':
      return `$${quoteJson(path.name)}`
    case 'literal':
      return literal(path.value)
    case 'member':
      return `${base(path.of)}.${quoteJson(path.key)}`
    case 'members':
      return `${base(path.of)}.*`
    case 'descend':
      return `${base(path.of)}.${descent(path.from, path.to)}`
    case 'items': {
      const bounds = path.bounds?.map(
        ([from, to]) => shown(from, false) + (to === null ? '' : ` to ${shown(to, false)}`),
      )
      return `${base(path.of)}[${bounds?.join(',') ?? '*'}]`
    }
    case 'filter':
      return `${base(path.of)}?(${shown(path.test, false)})`
    case 'method':
      return `${base(path.of)}.${path.name}()`
    case 'datetime':
      return `${base(path.of)}.datetime(${path.template === null ? '' : quoteJson(path.template)})`
    case 'math':
    case 'compare':
      return operation(`${operand(path.left)} ${path.sign} ${operand(path.right)}`)
    case 'and':
    case 'or':
      return operation(`${operand(path.left)} ${path.kind === 'and' ? '&&' : '||'} ${operand(path.right)}`)
    case 'negate':
      return operation(`${path.plus ? '+' : '-'}${operand(path.of)}`)
    case 'not':
      return `!(${shown(path.of, false)})`
    case 'exists':
      return `exists (${shown(path.of, false)})`
    case 'isUnknown':
      return `(${shown(path.of, false)}) is unknown`
    case 'startsWith':
      return operation(`${operand(path.of)} starts with ${operand(path.start)}`)
    case 'likeRegex': {
      const flags = path.flags === '' ? '' : ` flag ${quoteJson(path.flags)}`
      return operation(`${operand(path.of)} like_regex ${quoteJson(path.pattern)}${flags}`)
    }
  }
}

const pathText = ({ strict, root }: ParsedPath): string => (strict ? 'strict ' : '') + shown(root, true)

/** The canonical text of a path. @throws 42601, 22P02 and what `parsePath` throws */
export const jsonPathOf = (text: string): string => pathText(parsePath(text))
