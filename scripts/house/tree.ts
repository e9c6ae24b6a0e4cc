import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Violation {
  readonly file: string
  readonly line: number
  readonly rule: string
  /** What to do instead, in one sentence. */
  readonly instead: string
}

export interface Manifest {
  readonly name?: string
  readonly version?: string
  readonly private?: boolean
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

/** `scripts/layers.json`; dependency-cruiser reads the same file. */
export interface Layers {
  readonly compose: readonly string[]
  readonly libraryMayImport: readonly string[]
  readonly testsMayImport: readonly string[]
  readonly testTools: readonly string[]
  readonly thirdParty: Readonly<Record<string, readonly string[]>>
}

/** One package of the workspace, with the paths of its files relative to the root. */
export interface Package {
  readonly dir: string
  /** The folder's name, which is the package's name without the scope. */
  readonly short: string
  readonly kind: 'library' | 'compose' | 'example'
  readonly manifest: Manifest
  readonly manifestText: string
}

export interface Tree {
  readonly root: string
  readonly files: readonly string[]
  readonly packages: readonly Package[]
  readonly layers: Layers
  readonly rootManifest: Manifest
  text(file: string): string
}

const ignoredFolders = new Set(['node_modules', 'dist', 'coverage', '.git', '.cache', '.nx', '.cluster'])

function walk(root: string, folder: string, files: string[]): void {
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`
    if (entry.isDirectory()) {
      if (!ignoredFolders.has(entry.name)) walk(root, path, files)
    } else if (entry.isFile()) files.push(path)
  }
}

export function readTree(root: string): Tree {
  const files: string[] = []
  walk(root, '', files)
  files.sort()
  const texts = new Map<string, string>()
  const text = (file: string): string => {
    let found = texts.get(file)
    if (found === undefined) {
      found = readFileSync(join(root, file), 'utf8')
      texts.set(file, found)
    }
    return found
  }
  const manifestAt = (file: string): Manifest => JSON.parse(text(file)) as Manifest
  const layers = JSON.parse(text('scripts/layers.json')) as Layers
  const packages = files
    .filter((file) => /^(?:packages|examples)\/[^/]+\/package\.json$/.test(file))
    .map((file): Package => {
      const [folder = '', short = ''] = file.split('/')
      const kind = folder === 'examples' ? 'example' : layers.compose.includes(short) ? 'compose' : 'library'
      return { dir: `${folder}/${short}`, short, kind, manifest: manifestAt(file), manifestText: text(file) }
    })
  const rootManifest = existsSync(join(root, 'package.json')) ? manifestAt('package.json') : {}
  return { root, files, packages, layers, rootManifest, text }
}

/** The line, from 1, on which the first `needle` stands; 1 if it stands nowhere. */
export function lineOf(text: string, needle: string): number {
  const at = text.indexOf(needle)
  return at < 0 ? 1 : text.slice(0, at).split('\n').length
}
