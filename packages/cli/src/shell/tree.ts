import type { StructureNode } from '@cluster/core'

/** Draws the tree of cluster objects, one line each. */
export function drawTree(root: StructureNode): string {
  const lines = [label(root)]
  const walk = (node: StructureNode, indent: string): void => {
    for (const [i, child] of node.children.entries()) {
      const last = i === node.children.length - 1
      lines.push(`${indent}${last ? '└─ ' : '├─ '}${label(child)}`)
      walk(child, indent + (last ? '   ' : '│  '))
    }
  }
  walk(root, '')
  return lines.join('\n')
}

function label({ kind, name, facts }: StructureNode): string {
  const text = Object.entries(facts).map(([fact, value]) => `${fact} ${shorten(String(value))}`)
  return [kind, shorten(name), text.length > 0 ? `(${text.join(', ')})` : '']
    .filter((part) => part !== '')
    .join(' ')
}

/** Ids of nodes by their end, as everywhere in the shell. */
function shorten(text: string): string {
  return /^[A-Za-z0-9]{40,}$/.test(text) ? text.slice(-8) : text
}
