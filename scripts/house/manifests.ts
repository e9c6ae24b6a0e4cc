import { posix } from 'node:path'
import { placeOf } from './places.ts'
import type { SourceFacts } from './source.ts'
import { lineOf, type Manifest, type Package, type Tree, type Violation } from './tree.ts'

/** `@scope/name/deep` → `@scope/name`; null for relative paths, builtins and `#imports`. */
function packageOf(specifier: string): string | null {
  if (/^(?:\.|\/|#|node:|data:|file:)/.test(specifier)) return null
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
}

const scope = '@cluster/'

function declared(pack: Package, half: 'src' | 'test' | 'other', tree: Tree): Set<string> {
  const { dependencies, devDependencies, peerDependencies, optionalDependencies } = pack.manifest
  const names = [dependencies, peerDependencies, optionalDependencies]
  if (half !== 'src') names.push(devDependencies)
  const all = new Set(names.flatMap((part) => Object.keys(part ?? {})))
  if (half !== 'src') for (const tool of Object.keys(tree.rootManifest.devDependencies ?? {})) all.add(tool)
  return all
}

/** Imports against the package's manifest, its layer and its allow list. */
function checkImports(tree: Tree, pack: Package, facts: ReadonlyMap<string, SourceFacts>): Violation[] {
  const found: Violation[] = []
  const { layers } = tree
  const allowed = layers.thirdParty[pack.short] ?? []
  for (const [file, { imports }] of facts) {
    const place = placeOf(file)
    if (place.packageDir !== pack.dir) continue
    const add = (line: number, rule: string, instead: string): void => {
      found.push({ file, line, rule, instead })
    }
    const known = declared(pack, place.half, tree)
    for (const { specifier, line } of imports) {
      if (specifier.startsWith('.')) {
        const target = posix.join(posix.dirname(file), specifier)
        if (!target.startsWith(`${pack.dir}/`))
          add(line, 'relative-crossing', 'import the other package by its name')
        else if (place.half === 'src' && target.startsWith(`${pack.dir}/test/`))
          add(line, 'src-imports-test', 'move the helper into src or into testkit')
        continue
      }
      const name = packageOf(specifier)
      if (name === null || name === pack.manifest.name) continue
      if (!known.has(name)) {
        const part = place.half === 'src' ? 'dependencies' : 'devDependencies'
        add(line, 'undeclared', `add ${name} to the ${part} of ${pack.dir}/package.json`)
      }
      if (pack.kind === 'example') continue
      if (!name.startsWith(scope)) {
        const tools = place.half === 'src' ? [] : layers.testTools
        if (!allowed.includes(name) && !tools.includes(name))
          add(
            line,
            'third-party',
            `do without ${name}, or argue for it in docs/decisions and list it in scripts/layers.json`,
          )
        if (place.machine)
          add(line, 'machine-third-party', 'a machine imports no third party; use it in src/driver')
      } else if (pack.kind === 'library') {
        const may = place.half === 'src' ? layers.libraryMayImport : layers.testsMayImport
        if (!may.includes(name.slice(scope.length)))
          add(
            line,
            'sibling',
            place.half === 'src'
              ? 'take it as a port of core; packages/node hands the implementation in'
              : 'a test of two libraries lives in packages/node/test',
          )
      }
    }
  }
  return found
}

/** What a manifest declares against what its files use, and against the layer rule. */
function checkManifest(tree: Tree, pack: Package, facts: ReadonlyMap<string, SourceFacts>): Violation[] {
  const found: Violation[] = []
  const file = `${pack.dir}/package.json`
  const add = (needle: string, rule: string, instead: string): void => {
    found.push({ file, line: lineOf(pack.manifestText, needle), rule, instead })
  }
  const used = new Set<string>()
  const halves = new Set<string>()
  let begun = false
  for (const [path, { imports, literals }] of facts) {
    const place = placeOf(path)
    if (place.packageDir !== pack.dir) continue
    halves.add(place.half)
    if (place.half === 'src' && !/^\s*export \{\}\s*$/.test(tree.text(path))) begun = true
    for (const text of [...imports.map(({ specifier }) => specifier), ...literals]) {
      const name = packageOf(text)
      if (name !== null) used.add(`${place.half === 'src' ? 'src' : 'test'} ${name}`)
    }
  }
  const { dependencies = {}, devDependencies = {}, peerDependencies = {} } = pack.manifest
  for (const [name, range] of Object.entries({ ...dependencies, ...devDependencies, ...peerDependencies })) {
    const needle = `"${name}":`
    const dev = name in devDependencies && !(name in dependencies)
    const isUsed = used.has(`src ${name}`) || (dev && used.has(`test ${name}`))
    const judged = dev ? begun && halves.has('test') : begun
    if (judged && !isUsed)
      add(
        needle,
        'unused',
        dev ? 'remove it from devDependencies' : 'remove it from dependencies, src does not import it',
      )
    if (name.startsWith(scope)) {
      if (range !== tree.rootManifest.version)
        add(needle, 'workspace-version', `write ${tree.rootManifest.version}`)
      const may = dev ? tree.layers.testsMayImport : tree.layers.libraryMayImport
      if (pack.kind === 'library' && !may.includes(name.slice(scope.length)))
        add(needle, 'sibling', 'a library depends on core; packages/node composes')
    } else if (pack.kind !== 'example' && !dev && !(tree.layers.thirdParty[pack.short] ?? []).includes(name))
      add(
        needle,
        'third-party',
        `do without ${name}, or argue for it in docs/decisions and list it in scripts/layers.json`,
      )
  }
  if (pack.manifest.version !== tree.rootManifest.version)
    add('"version"', 'version', `write ${tree.rootManifest.version}; all packages share one version`)
  return found
}

/** A folder of programs with a manifest of its own: what they import stands there, and what stands there is imported. */
function checkPrograms(
  tree: Tree,
  manifestFile: string,
  facts: ReadonlyMap<string, SourceFacts>,
): Violation[] {
  const found: Violation[] = []
  const dir = posix.dirname(manifestFile)
  const text = tree.text(manifestFile)
  const { dependencies = {}, devDependencies = {} } = JSON.parse(text) as Manifest
  const known = { ...dependencies, ...devDependencies }
  const used = new Set<string>()
  for (const [file, { imports, literals }] of facts) {
    if (!file.startsWith(`${dir}/`)) continue
    for (const literal of literals) used.add(packageOf(literal.replace(/^node_modules\//, '')) ?? '')
    for (const { specifier, line } of imports) {
      const name = packageOf(specifier)
      if (name === null) {
        if (specifier.startsWith('.') && !posix.join(posix.dirname(file), specifier).startsWith(`${dir}/`))
          found.push({ file, line, rule: 'relative-crossing', instead: 'these programs stand alone' })
        continue
      }
      used.add(name)
      if (!Object.hasOwn(known, name))
        found.push({ file, line, rule: 'undeclared', instead: `add ${name} to ${manifestFile}` })
    }
  }
  for (const name of Object.keys(known))
    if (!used.has(name) && !name.startsWith('@types/'))
      found.push({
        file: manifestFile,
        line: lineOf(text, `"${name}":`),
        rule: 'unused',
        instead: 'remove it, no program there imports it',
      })
  return found
}

/** Every package takes part in `npm run types`, with the references that its dependencies ask for. */
function checkReferences(tree: Tree, pack: Package): Violation[] {
  const found: Violation[] = []
  const rootConfig = 'tsconfig.json'
  if (!tree.files.includes(rootConfig)) return found
  const has = (file: string): boolean => tree.files.includes(file)
  const hasTests = tree.files.some((file) => file.startsWith(`${pack.dir}/test/`) && file.endsWith('.ts'))
  for (const dir of hasTests && pack.kind !== 'example' ? [pack.dir, `${pack.dir}/test`] : [pack.dir]) {
    if (!has(`${dir}/tsconfig.json`))
      found.push({
        file: `${pack.dir}/package.json`,
        line: 1,
        rule: 'references',
        instead: `add ${dir}/tsconfig.json`,
      })
    else if (!tree.text(rootConfig).includes(`"${dir}"`))
      found.push({ file: rootConfig, line: 1, rule: 'references', instead: `add { "path": "${dir}" }` })
  }
  const own = `${pack.dir}/tsconfig.json`
  if (!has(own)) return found
  const text = tree.text(own)
  for (const name of Object.keys(pack.manifest.dependencies ?? {})) {
    if (!name.startsWith(scope)) continue
    const path =
      pack.kind === 'example'
        ? `../../packages/${name.slice(scope.length)}`
        : `../${name.slice(scope.length)}`
    if (!text.includes(`"${path}"`))
      found.push({
        file: own,
        line: lineOf(text, '"references"'),
        rule: 'references',
        instead: `add { "path": "${path}" }`,
      })
  }
  return found
}

export function manifestRules(tree: Tree, facts: ReadonlyMap<string, SourceFacts>): Violation[] {
  const programs = tree.files.filter((file) => /^packages\/[^/]+\/test\/clients\/package\.json$/.test(file))
  return [
    ...tree.packages.flatMap((pack) => [
      ...checkImports(tree, pack, facts),
      ...checkManifest(tree, pack, facts),
      ...checkReferences(tree, pack),
    ]),
    ...programs.flatMap((file) => checkPrograms(tree, file, facts)),
  ]
}
