import { generateCstDts } from 'chevrotain'
import { StatementGrammar } from '../../src/syntax/grammar/statement-grammar.ts'

const files = ['expression', 'query', 'write', 'table', 'definition', 'copy', 'statement'] as const
/** The first rule of each file; the rules stand in the order of the grammar's classes. */
const firsts: Readonly<Record<string, (typeof files)[number]>> = {
  query: 'query',
  dataStatement: 'write',
  ifNotExists: 'table',
  create: 'definition',
  copy: 'copy',
  script: 'statement',
}

const capital = (word: string): string => word.slice(0, 1).toUpperCase() + word.slice(1)

/**
 * The types of the concrete tree, made from the grammar: the text of `src/syntax/cst/<file>.ts` by file.
 * Formatting is the formatter's business.
 */
export function cstTypes(): ReadonlyMap<string, string> {
  const declared = generateCstDts(new StatementGrammar().getGAstProductions(), {
    includeVisitorInterface: false,
  })
  const homes = new Map<string, string>()
  const bodies = new Map<string, string[]>(files.map((file) => [file, []]))
  let file: (typeof files)[number] = 'expression'
  for (const [, rule = '', children = ''] of declared.matchAll(
    /name: "(\w+)";[\s\S]*?export type \w+CstChildren = \{([\s\S]*?)\n\};/g,
  )) {
    file = firsts[rule] ?? file
    const type = `${capital(rule)}Cst`
    homes.set(type, file)
    const fields = children
      .replaceAll(/\((\w+)\)\[\]/g, '$1[]')
      .replaceAll(/(\w+)CstNode\b/g, '$1Cst')
      .replaceAll(/^\s*(\w+)(\??): ([^;]+)\[\];?$/gm, '  readonly $1$2: readonly $3[]')
    bodies.get(file)?.push(`export type ${type} = Cst<{${fields}\n}>\n`)
  }
  const texts = new Map<string, string>()
  for (const [name, types] of bodies) {
    // Rules of a later file would make a cycle of imports: the builder names their types.
    const later = new Set(files.slice(files.indexOf(name as (typeof files)[number]) + 1))
    const body = types
      .join('\n')
      .replaceAll(/\b\w+Cst\b/g, (type) => (later.has(homes.get(type) as never) ? 'Cst<unknown>' : type))
    const used = new Set(body.match(/\b\w+Cst\b/g) ?? [])
    const node = "import type { Cst } from './node.ts'"
    const imports = files
      .filter((other) => other !== name)
      .flatMap((other) => {
        const names = [...used].filter((type) => homes.get(type) === other).sort()
        return names.length === 0 ? [] : [`import type { ${names.join(', ')} } from './${other}.ts'`]
      })
      .concat(node)
      // In the formatter's order: by path.
      .sort((a, b) => ((a.split("'")[1] ?? '') < (b.split("'")[1] ?? '') ? -1 : 1))
    texts.set(
      name,
      [
        '// Made from the grammar; the test of these types says how to make it again.',
        "import type { IToken } from 'chevrotain'",
        ...imports,
        '',
        body,
      ].join('\n'),
    )
  }
  return texts
}
