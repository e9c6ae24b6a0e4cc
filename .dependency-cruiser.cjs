// The layer rule. What may import what is listed in scripts/layers.json; house-rules reads the same list.
const { readdirSync } = require('node:fs')
const { join } = require('node:path')
const layers = require(join(process.cwd(), 'scripts/layers.json'))

const literal = (text) => text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')
const oneOf = (names) => `(?:${names.map(literal).join('|')})`
const compose = oneOf(layers.compose)
// The tree is the working directory, so that tests can plant violations in a tree of their own.
const packages = readdirSync(join(process.cwd(), 'packages')).sort()

const thirdParty = packages.flatMap((name) => {
  const allowed = layers.thirdParty[name] ?? []
  const rule = (half, names, comment) => ({
    name: `third-party-${name}-${half}`,
    comment,
    severity: 'error',
    from: { path: `^packages/${literal(name)}/${half}/` },
    to: {
      path: 'node_modules/',
      pathNot: `node_modules/${oneOf([...names, '@cluster', '@types'])}(?:/|$)`,
    },
  })
  return [
    rule('src', allowed, `${name} may use: ${allowed.join(', ') || 'no third party'} (scripts/layers.json).`),
    rule(
      'test',
      [...allowed, ...layers.testTools],
      'Tests may use what their package uses, and the test tools in scripts/layers.json.',
    ),
  ]
})

module.exports = {
  forbidden: [
    {
      name: 'library-imports-sibling',
      comment:
        'A library imports @cluster/core and itself; hand the sibling in as a port from packages/node.',
      severity: 'error',
      from: { path: '^packages/([^/]+)/src/', pathNot: `^packages/${compose}/` },
      to: {
        path: '^packages/',
        pathNot: `^packages/(?:$1|${layers.libraryMayImport.map(literal).join('|')})/`,
      },
    },
    {
      name: 'library-test-imports-sibling',
      comment:
        'A library test imports core, testkit and its own package; a test of two libraries lives in packages/node/test.',
      severity: 'error',
      from: { path: '^packages/([^/]+)/test/', pathNot: `^packages/${compose}/` },
      to: {
        path: '^packages/',
        pathNot: `^packages/(?:$1|${layers.testsMayImport.map(literal).join('|')})/`,
      },
    },
    {
      name: 'no-cycle',
      comment: 'Move what both files need into a third one.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'src-imports-test',
      comment: 'Move the helper into src or into testkit.',
      severity: 'error',
      from: { path: '^(?:packages|examples)/[^/]+/src/' },
      to: { path: '(?:^|/)test/|\\.test\\.ts$', pathNot: 'node_modules/' },
    },
    {
      name: 'package-imports-outside',
      comment: 'Packages never import scripts or examples.',
      severity: 'error',
      from: { path: '^packages/' },
      to: { path: '^(?:scripts|examples|docs)/' },
    },
    {
      name: 'relative-import-leaves-package',
      comment: 'Import the other package by its name.',
      severity: 'error',
      from: { path: '^(?:packages|examples)/([^/]+)/' },
      to: {
        path: '^(?:packages|examples)/',
        pathNot: '^(?:packages|examples)/$1/',
        dependencyTypesNot: ['aliased', 'aliased-workspace', 'npm', 'npm-dev', 'npm-no-pkg', 'npm-unknown'],
      },
    },
    {
      name: 'machine-is-pure',
      comment:
        'A machine imports no Node builtin and no third party; do the work in src/driver and pass the result in.',
      severity: 'error',
      from: { path: '^packages/[^/]+/src/machine/' },
      to: { dependencyTypes: ['core', 'npm', 'npm-dev', 'npm-peer', 'npm-optional'], pathNot: '^packages/' },
    },
    {
      name: 'machine-imports-driver',
      comment: 'The driver knows the machine, never the other way round.',
      severity: 'error',
      from: { path: '^packages/[^/]+/src/machine/' },
      to: { path: '^packages/[^/]+/src/driver/' },
    },
    {
      name: 'not-resolvable',
      comment: 'The module does not exist: correct the path, or add the dependency to the package.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    ...thirdParty,
  ],
  options: {
    tsPreCompilationDeps: true,
    combinedDependencies: true,
    doNotFollow: { path: 'node_modules' },
    // The clients of pgwire have packages of their own, which the root's installation does not bring.
    exclude: { path: '^(?:packages|examples)/[^/]+/dist/|^\\.cache/|^packages/pgwire/test/clients/' },
    tsConfig: { fileName: join(__dirname, 'tsconfig.base.json') },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['source', 'import', 'node', 'default', 'types'],
      mainFields: ['module', 'main', 'types', 'typings'],
    },
    reporterOptions: { text: { highlightFocused: true } },
  },
}
