import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { houseRules } from '../house/index.ts'

const repository = join(import.meta.dirname, '../..')
const version = '0.1.0'
let root = ''

function write(files: Readonly<Record<string, string | object>>): void {
  for (const [file, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, file)), { recursive: true })
    writeFileSync(join(root, file), typeof content === 'string' ? content : JSON.stringify(content, null, 2))
  }
}

function manifest(short: string, dependencies: object = {}, devDependencies: object = {}): object {
  return {
    name: `@cluster/${short}`,
    version,
    type: 'module',
    exports: { '.': { source: './src/index.ts' } },
    dependencies,
    devDependencies,
  }
}

/** A tiny clean repository: core, two libraries, testkit, the facade, and two third parties. */
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'house-'))
  const core = { '@cluster/core': version }
  write({
    'package.json': {
      name: 'planted',
      version,
      workspaces: ['packages/*', 'examples/*'],
      devDependencies: { '@jest/globals': '1' },
    },
    'scripts/layers.json': {
      compose: ['node'],
      libraryMayImport: ['core'],
      testsMayImport: ['core', 'testkit'],
      testTools: ['@jest/globals'],
      thirdParty: { red: ['listed'], node: [] },
    },
    'packages/core/package.json': manifest('core'),
    'packages/core/src/index.ts': 'export type Id = string\nexport const one = 1\n',
    'packages/red/package.json': manifest('red', { ...core, listed: '1' }, { '@cluster/testkit': version }),
    'packages/red/src/index.ts': "export { one } from '@cluster/core'\nexport { go } from './go.ts'\n",
    'packages/red/src/go.ts': "import { listed } from 'listed'\n\nexport const go = () => listed\n",
    'packages/red/src/machine/step.ts': 'export const step = (n: number): number => n + 1\n',
    'packages/red/test/red.test.ts': "import '@cluster/testkit'\nimport '../src/index.ts'\n",
    'packages/blue/package.json': manifest('blue', core),
    'packages/blue/src/index.ts': "import type { Id } from '@cluster/core'\n\nexport const blue: Id = 'b'\n",
    'packages/testkit/package.json': manifest('testkit', core),
    'packages/testkit/src/index.ts': "export type { Id } from '@cluster/core'\n",
    'packages/node/package.json': manifest('node', { '@cluster/red': version, '@cluster/blue': version }),
    'packages/node/src/index.ts': "export { blue } from '@cluster/blue'\nexport { go } from '@cluster/red'\n",
    'examples/shop/package.json': manifest('example-shop', { '@cluster/node': version }),
    'examples/shop/src/main.ts': "import '@cluster/node'\n",
  })
  for (const name of ['listed', 'stranger', '@jest/globals'])
    write({
      [`node_modules/${name}/package.json`]: { name, version: '1.0.0', main: 'index.js' },
      [`node_modules/${name}/index.js`]: '',
    })
  mkdirSync(join(root, 'node_modules/@cluster'))
  for (const short of ['core', 'red', 'blue', 'testkit', 'node'])
    symlinkSync(join(root, 'packages', short), join(root, 'node_modules/@cluster', short))
})

afterEach(() => rmSync(root, { recursive: true, force: true }))

/** `file:line rule` of every violation that the script finds. */
const house = (): string[] => houseRules(root).map(({ file, line, rule }) => `${file}:${line} ${rule}`)

/** `rule from` of every violation that dependency-cruiser finds. */
function layers(): string[] {
  const tool = join(repository, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs')
  write({
    '.dependency-cruiser.cjs': `module.exports = require(${JSON.stringify(join(repository, '.dependency-cruiser.cjs'))})`,
  })
  const options = ['--config', '.dependency-cruiser.cjs', '--output-type', 'json', 'packages', 'examples']
  const run = spawnSync(process.execPath, [tool, ...options], {
    cwd: root,
    encoding: 'utf8',
  })
  if (run.stdout === '') throw new Error(run.stderr)
  const { summary } = JSON.parse(run.stdout) as {
    summary: { violations: { from: string; rule: { name: string } }[] }
  }
  return summary.violations.map(({ from, rule }) => `${rule.name} ${from}`).sort()
}

test('a clean tree has no violation', () => {
  expect(house()).toEqual([])
  expect(layers()).toEqual([])
})

describe('programs with a manifest of their own', () => {
  const dir = 'packages/red/test/clients'

  test('are held to that one, and not to the package around them', () => {
    write({
      [`${dir}/package.json`]: {
        name: 'clients',
        dependencies: { driver: '1', idle: '1', '@types/driver': '1' },
      },
      [`${dir}/one.ts`]: "import 'driver'\nimport 'nowhere'\nimport '../../src/go.ts'\nimport './two.ts'\n",
      [`${dir}/two.ts`]: 'export {}\n',
    })
    expect(house()).toEqual([
      `${dir}/one.ts:2 undeclared`,
      `${dir}/one.ts:3 relative-crossing`,
      `${dir}/package.json:5 unused`,
    ])
  })
})

describe('imports across layers', () => {
  const file = 'packages/red/src/planted.ts'
  test.each([
    ['plain', "import { blue } from '@cluster/blue'\n\nexport const x = blue\n"],
    ['type-only', "import type { blue } from '@cluster/blue'\n\nexport type X = typeof blue\n"],
    ['re-export', "export * from '@cluster/blue'\n"],
    ['dynamic import()', "export const x = () => import('@cluster/blue')\n"],
    ['import type', "export type X = typeof import('@cluster/blue')\n"],
  ])('a %s of a sibling fails both checks', (_, text) => {
    write({
      [file]: text,
      'packages/red/package.json': manifest(
        'red',
        { '@cluster/core': version, '@cluster/blue': version, listed: '1' },
        { '@cluster/testkit': version },
      ),
    })
    expect(house().filter((found) => found.startsWith(file))).toEqual([expect.stringMatching(/ sibling$/)])
    expect(house()).toContainEqual(expect.stringMatching(/^packages\/red\/package\.json:\d+ sibling$/))
    expect(layers()).toEqual([`library-imports-sibling ${file}`])
  })

  test('a relative import that leaves the package fails both checks', () => {
    write({
      [file]: "export { one } from '../../core/src/index.ts'\n",
      'examples/shop/src/far.ts': "import '../../../packages/red/src/go.ts'\n",
    })
    expect(house()).toEqual(['examples/shop/src/far.ts:1 relative-crossing', `${file}:1 relative-crossing`])
    expect(layers()).toEqual([
      'relative-import-leaves-package examples/shop/src/far.ts',
      `relative-import-leaves-package ${file}`,
    ])
  })

  test('an undeclared import fails', () => {
    write({ [file]: "import 'nowhere'\n", 'packages/blue/src/listed.ts': "import 'listed'\n" })
    expect(house()).toEqual([
      'packages/blue/src/listed.ts:1 undeclared',
      'packages/blue/src/listed.ts:1 third-party',
      `${file}:1 undeclared`,
      `${file}:1 third-party`,
    ])
    expect(layers()).toEqual([`not-resolvable ${file}`, 'third-party-blue-src packages/blue/src/listed.ts'])
  })

  test('a third party that is declared but not on the list fails both checks', () => {
    write({
      'packages/blue/package.json': manifest('blue', { '@cluster/core': version, stranger: '1' }),
      'packages/blue/src/planted.ts': "import 'stranger'\n",
    })
    expect(house()).toEqual([
      expect.stringMatching(/^packages\/blue\/package\.json:\d+ third-party$/),
      'packages/blue/src/planted.ts:1 third-party',
    ])
    expect(layers()).toEqual(['third-party-blue-src packages/blue/src/planted.ts'])
  })

  test('a declared dependency that nothing imports fails', () => {
    write({
      'packages/red/src/go.ts': 'export const go = () => 1\n',
      'packages/red/test/red.test.ts': "import '../src/index.ts'\n",
    })
    expect(houseRules(root).map(({ rule, file: at }) => `${rule} ${at}`)).toEqual([
      'unused packages/red/package.json',
      'unused packages/red/package.json',
    ])
  })

  test('tests, src and machines keep apart', () => {
    write({
      'packages/red/test/sibling.test.ts': "import '@cluster/blue'\n",
      'packages/red/test/helper.ts': 'export const help = 1\n',
      'packages/red/src/back.ts': "export { help } from '../test/helper.ts'\n",
      'packages/red/src/driver/run.ts': "export { connect } from 'node:net'\n",
      'packages/red/src/machine/impure.ts': "import 'listed'\nimport 'node:fs'\nimport '../driver/run.ts'\n",
      'packages/red/src/a.ts': "import type { B } from './b.ts'\n\nexport type A = B\n",
      'packages/red/src/b.ts': "import type { A } from './a.ts'\n\nexport type B = A\n",
    })
    expect(layers()).toEqual([
      'library-test-imports-sibling packages/red/test/sibling.test.ts',
      'machine-imports-driver packages/red/src/machine/impure.ts',
      'machine-is-pure packages/red/src/machine/impure.ts',
      'machine-is-pure packages/red/src/machine/impure.ts',
      'no-cycle packages/red/src/a.ts',
      'src-imports-test packages/red/src/back.ts',
    ])
    expect(house()).toEqual([
      'packages/red/src/back.ts:1 src-imports-test',
      'packages/red/src/machine/impure.ts:1 machine-third-party',
      'packages/red/src/machine/impure.ts:2 builtin',
      'packages/red/test/sibling.test.ts:1 undeclared',
      'packages/red/test/sibling.test.ts:1 sibling',
    ])
  })
})

describe('inside one file', () => {
  const library = 'packages/red/src/planted.ts'
  const machine = 'packages/red/src/machine/planted.ts'
  const ofTest = 'packages/red/test/planted.test.ts'
  const marker = ['TO', 'DO'].join('')

  test.each([
    [library, 'export const x = Math.random()', 'random'],
    [library, 'export const x = globalThis.crypto.randomUUID()', 'random'],
    [library, 'export const x = Date.now()', 'clock'],
    [library, 'export const x = new Date()', 'clock'],
    [library, 'export const x = Date()', 'clock'],
    [library, 'export const x = performance.now()', 'clock'],
    [library, 'export const x = setTimeout(() => 1, 1)', 'timer'],
    [library, 'export const x = globalThis.setInterval', 'timer'],
    [library, "export { createHash } from 'node:crypto'", 'builtin'],
    [library, 'export const x = (y: unknown) => y as any', 'any'],
    [library, 'export const x = (y: string[]) => y[0]!', 'nonNull'],
    [library, 'export class X { y!: number }', 'nonNull'],
    [library, 'export enum X { Y }', 'enum'],
    [library, 'export default 1', 'defaultExport'],
    [library, 'export default function x() {}', 'defaultExport'],
    [library, 'const x = 1; export { x as default }', 'defaultExport'],
    [library, 'export function x() { try { x() } catch {} }', 'emptyCatch'],
    [library, `// ${marker}: later`, 'marker'],
    [machine, 'export async function x() {}', 'asyncMachine'],
    [machine, 'export const x: Promise<number>[] = []', 'asyncMachine'],
    [ofTest, 'test.skip()', 'inactiveTest'],
    [ofTest, 'describe.only.each([])()', 'inactiveTest'],
    [ofTest, 'it.todo()', 'inactiveTest'],
    [ofTest, 'xit()', 'inactiveTest'],
    [ofTest, 'await new Promise((wake) => setTimeout(wake, 5))', 'sleep'],
    [ofTest, "import 'node:net'", 'testBuiltin'],
  ])('%s: %j', (file, text, rule) => {
    write({ [file]: `\n${text}\n` })
    expect(house()).toEqual([`${file}:2 ${rule}`])
  })

  test.each([
    [
      library,
      'export const x = (clock: { setTimeout(): void }, ms: number) => [clock.setTimeout(), new Date(ms)]',
    ],
    [
      library,
      'export function x() { try { x() } catch { /* the peer is gone, which is what we wanted */ } }',
    ],
    [library, 'export const x = (y: number) => { switch (y) { default: return y } }'],
    [
      'packages/red/src/driver/planted.ts',
      "export { setTimeout } from 'node:timers'\nexport const x = Date.now()",
    ],
    ['packages/testkit/src/real/planted.ts', 'export const x = Math.random()'],
    ['packages/node/src/planted.ts', "export { hostname } from 'node:os'\nsetTimeout(() => 1, 1)"],
    ['packages/red/test/e2e/planted.test.ts', "import 'node:net'\nsetTimeout(() => 1, 1)"],
    [ofTest, "import { readFileSync } from 'node:fs'\nexport const x = readFileSync"],
  ])('%s may: %j', (file, text) => {
    write({ [file]: `${text}\n` })
    expect(house()).toEqual([])
  })

  test('a file has one subject', () => {
    write({ [library]: '// line\n'.repeat(600) })
    expect(house()).toEqual([])
    write({ [library]: '// line\n'.repeat(601) })
    expect(house()).toEqual([`${library}:601 long`])
  })
})

test('names and texts', () => {
  write({
    'packages/red/src/camelCase.ts': 'export const x = 1\n',
    'packages/red/README.md': '# Red\n\nSee `/home/somebody/red`.\n',
    'package-lock.json': '{\n  "resolved": "https://registry.example/red.tgz"\n}\n',
  })
  expect(house()).toEqual([
    'package-lock.json:2 lock-registry',
    'packages/red/README.md:3 machine-path',
    'packages/red/src/camelCase.ts:1 file-name',
  ])
})

test('every package takes part in the type check', () => {
  write({
    'tsconfig.json': { references: [{ path: 'packages/core' }] },
    'packages/core/tsconfig.json': {},
    'packages/blue/tsconfig.json': {},
  })
  expect(house()).toEqual(
    expect.arrayContaining([
      'packages/blue/tsconfig.json:1 references',
      'packages/red/package.json:1 references',
      'tsconfig.json:1 references',
    ]),
  )
})
