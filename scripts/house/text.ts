import type { Tree, Violation } from './tree.ts'

const kebab = /^\.?[a-z0-9]+(?:-[a-z0-9]+)*(?:\.[a-z0-9]+(?:-[a-z0-9]+)*)*$/
/** Names that the world expects in capitals. */
const capitals = /^(?:README|DESIGN|CHANGELOG|CONTRIBUTING|SECURITY|LICENSE|NOTICE)(?:\.md)?$/
/** Absolute paths of a machine; a document speaks of paths inside the repository. */
const machinePath = /(?:^|[\s"'`(=:])\/(?:work|root|home|Users)(?:\/|\b)/
const prose = /\.(?:md|txt|ya?ml|json|sh)$/

/** What can be seen in the names and the plain text of files. */
export function textRules(tree: Tree): Violation[] {
  const found: Violation[] = []
  for (const file of tree.files) {
    const name = file.slice(file.lastIndexOf('/') + 1)
    if (/^(?:packages|examples|scripts|docs)\//.test(file) && !kebab.test(name) && !capitals.test(name))
      found.push({ file, line: 1, rule: 'file-name', instead: 'name the file in kebab-case' })
    if (!prose.test(name) || name.startsWith('tsconfig')) continue
    const text = tree.text(file)
    const lock = name === 'package-lock.json'
    const markdown = name.endsWith('.md')
    if (!lock && !machinePath.test(text) && !markdown) continue
    for (const [index, line] of text.split('\n').entries()) {
      const add = (rule: string, instead: string): void => {
        found.push({ file, line: index + 1, rule, instead })
      }
      if (lock) {
        if (/"resolved": "https?:/.test(line))
          add(
            'lock-registry',
            'install with the .npmrc of the repository, so that the lock names no registry',
          )
        continue
      }
      if (machinePath.test(line)) add('machine-path', 'write the path relative to the repository')
      if (markdown && /\b(?:TO[D]O|FIX[M]E)\b/.test(line)) add('marker', 'write what is true today')
    }
  }
  return found
}
