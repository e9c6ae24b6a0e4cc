import ts from 'typescript'
import { type Place, placeOf } from './places.ts'
import type { Violation } from './tree.ts'

/** One import of a module, in any of the ways TypeScript has. */
export interface Import {
  readonly specifier: string
  readonly line: number
}

export interface SourceFacts {
  readonly imports: readonly Import[]
  /** String literals that may name a package, as in `import.meta.resolve('vega-datasets/…')`. */
  readonly literals: ReadonlySet<string>
  readonly violations: readonly Violation[]
}

const linesMax = 600
const timers = new Set(['setTimeout', 'setInterval', 'setImmediate'])
const testWords = new Set(['test', 'it', 'describe'])
const testModifiers = new Set(['skip', 'only', 'todo'])
const testAliases = new Set(['xit', 'xtest', 'xdescribe', 'fit', 'fdescribe'])
/** Tests read golden scripts and temporary folders; sockets, processes and timers stay in test/e2e. */
const testBuiltins =
  /^node:(?:fs|fs\/promises|path|url|os|assert|assert\/strict|util|buffer|crypto|stream|zlib)$/

const advice = {
  random: 'take a Random from core as a port',
  clock: 'take a Clock from core as a port; in a machine, time comes in as a tick',
  timer: 'take the timers of core as a port; only src/driver and the edge packages set real ones',
  sleep: 'run the simulator in virtual time, or move the test to test/e2e',
  builtin: 'move it to src/driver, or take what it does as a port of core',
  testBuiltin: 'move the test to test/e2e, or use the simulated network and disk of testkit',
  asyncMachine: 'return an effect and take its outcome as an input; a machine is synchronous',
  any: 'use unknown and narrow it, or a type parameter',
  nonNull: 'handle the absent case, or assert it with a message',
  enum: 'use a union of string literals',
  defaultExport: 'export it by name',
  inactiveTest: 'let it run and pass, or delete it',
  marker: 'do it now, or write an issue and say in the comment what is true today',
  long: `split it by subject; ${linesMax} lines are the limit`,
  emptyCatch: 'handle the error, or say in a comment why it does not matter',
} as const

/** True where an identifier names a member or a declaration, so that it does not refer to the global. */
function isOwnName(node: ts.Identifier, parent: ts.Node): boolean {
  if (ts.isPropertyAccessExpression(parent) && parent.name === node)
    return !(ts.isIdentifier(parent.expression) && parent.expression.text === 'globalThis')
  if (
    ts.isPropertyAssignment(parent) ||
    ts.isMethodDeclaration(parent) ||
    ts.isMethodSignature(parent) ||
    ts.isPropertySignature(parent) ||
    ts.isPropertyDeclaration(parent)
  )
    return parent.name === node
  if (ts.isImportSpecifier(parent) || ts.isExportSpecifier(parent)) return true
  return ts.isQualifiedName(parent) && parent.right === node
}

function isMember(node: ts.Node, object: string, members: ReadonlySet<string>): boolean {
  return (
    ts.isPropertyAccessExpression(node) &&
    members.has(node.name.text) &&
    ((ts.isIdentifier(node.expression) && node.expression.text === object) ||
      (ts.isPropertyAccessExpression(node.expression) && node.expression.name.text === object))
  )
}

const randomOf = new Set(['random'])
const nowOf = new Set(['now'])
const cryptoChance = new Set(['getRandomValues', 'randomUUID'])

/** The root word of `test.only`, `describe.each([]).skip` and the like. */
function rootWord(node: ts.Expression): string | null {
  if (ts.isIdentifier(node)) return node.text
  if (ts.isPropertyAccessExpression(node) || ts.isCallExpression(node)) return rootWord(node.expression)
  return null
}

function specifierOf(node: ts.Node): ts.StringLiteralLike | null {
  const literal = (at: ts.Node | undefined): ts.StringLiteralLike | null =>
    at !== undefined && ts.isStringLiteralLike(at) ? at : null
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return literal(node.moduleSpecifier)
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) return literal(node.argument.literal)
  if (ts.isExternalModuleReference(node)) return literal(node.expression)
  if (!ts.isCallExpression(node)) return null
  const { expression } = node
  const dynamic = expression.kind === ts.SyntaxKind.ImportKeyword
  const required = ts.isIdentifier(expression) && expression.text === 'require'
  const mocked =
    ts.isPropertyAccessExpression(expression) && /^(?:unstable_)?mock(?:Module)?$/.test(expression.name.text)
  return dynamic || required || mocked ? literal(node.arguments[0]) : null
}

function checkNode(
  node: ts.Node,
  parent: ts.Node,
  text: string,
  place: Place,
  report: (rule: keyof typeof advice) => void,
): void {
  if (node.kind === ts.SyntaxKind.AnyKeyword) report('any')
  else if (ts.isNonNullExpression(node)) report('nonNull')
  else if ((ts.isPropertyDeclaration(node) || ts.isVariableDeclaration(node)) && node.exclamationToken)
    report('nonNull')
  else if (ts.isEnumDeclaration(node)) report('enum')
  else if (ts.isExportAssignment(node)) report('defaultExport')
  else if (node.kind === ts.SyntaxKind.DefaultKeyword && !ts.isDefaultClause(parent)) report('defaultExport')
  else if (ts.isExportSpecifier(node) && node.name.text === 'default') report('defaultExport')
  else if (ts.isCatchClause(node) && node.block.statements.length === 0) {
    const inside = text.slice(node.block.pos, node.block.end)
    if (!/\/[/*]/.test(inside)) report('emptyCatch')
  }

  if (place.half === 'test') {
    if (ts.isPropertyAccessExpression(node) && testModifiers.has(node.name.text)) {
      const root = rootWord(node.expression)
      if (root !== null && testWords.has(root)) report('inactiveTest')
    } else if (
      ts.isCallExpression(node) &&
      ts.isIdentifier(node.expression) &&
      testAliases.has(node.expression.text)
    )
      report('inactiveTest')
  }

  if (place.machine) {
    if (node.kind === ts.SyntaxKind.AsyncKeyword || ts.isAwaitExpression(node)) report('asyncMachine')
    else if (ts.isIdentifier(node) && /^Promise(?:Like)?$/.test(node.text) && !isOwnName(node, parent))
      report('asyncMachine')
    else if (ts.isPropertyAccessExpression(node) && node.name.text === 'then') report('asyncMachine')
  }

  if (place.edge) return
  if (isMember(node, 'Math', randomOf) || isMember(node, 'crypto', cryptoChance)) report('random')
  else if (isMember(node, 'Date', nowOf) || isMember(node, 'performance', nowOf)) report('clock')
  else if (ts.isIdentifier(node) && !isOwnName(node, parent)) {
    if (timers.has(node.text)) report(place.half === 'test' ? 'sleep' : 'timer')
    // `new Date(ms)` only converts; without arguments it reads the clock.
    else if (
      node.text === 'Date' &&
      ((ts.isNewExpression(parent) && (parent.arguments?.length ?? 0) === 0) ||
        ts.isCallExpression(parent)) &&
      parent.expression === node
    )
      report('clock')
  }
}

/** What one TypeScript file imports, and where it breaks a rule that can be seen in it alone. */
export function sourceFacts(file: string, text: string): SourceFacts {
  const place = placeOf(file)
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, false)
  const imports: Import[] = []
  const literals = new Set<string>()
  const violations: Violation[] = []
  const lineAt = (position: number): number => source.getLineAndCharacterOfPosition(position).line + 1
  const add = (rule: keyof typeof advice, line: number): void => {
    violations.push({ file, line, rule, instead: advice[rule] })
  }

  const visit = (node: ts.Node, parent: ts.Node): void => {
    const specifier = specifierOf(node)
    if (specifier !== null) {
      const line = lineAt(specifier.getStart(source))
      imports.push({ specifier: specifier.text, line })
      if (specifier.text.startsWith('node:') && !place.edge) {
        const test = place.half === 'test'
        if (!test) add('builtin', line)
        else if (!testBuiltins.test(specifier.text)) add('testBuiltin', line)
      }
    }
    if (ts.isStringLiteralLike(node)) literals.add(node.text)
    checkNode(node, parent, text, place, (rule) => add(rule, lineAt(node.getStart(source))))
    ts.forEachChild(node, (child) => visit(child, node))
  }
  visit(source, source)

  const lines = text.split('\n')
  const count = lines.at(-1) === '' ? lines.length - 1 : lines.length
  if (place.half === 'src' && count > linesMax) add('long', linesMax + 1)
  for (const [index, line] of lines.entries())
    if (/\b(?:TO[D]O|FIX[M]E|XX[X])\b/.test(line)) add('marker', index + 1)
  return { imports, literals, violations }
}
