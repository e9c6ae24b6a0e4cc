import { ClusterError } from '@cluster/core'
import type { Cluster, ClusterDatabase } from '@cluster/node'
import { groupText, membersText } from '../report.ts'
import { copyCommand, exportCommand, importCommand } from './file-commands.ts'
import type { MetaCommands } from './meta.ts'
import { resultText } from './output.ts'
import type { ShellSession } from './session.ts'
import { drawTree } from './tree.ts'

interface Command {
  readonly names: readonly string[]
  readonly argument?: string
  readonly help: string
  run(argument: string): Promise<string>
}

const TABLES = `SELECT table_name AS "table", table_schema AS "schema" FROM information_schema.tables
  WHERE table_schema = 'public' ORDER BY table_name`

const LOCKS = `SELECT name AS "lock", mode, CASE WHEN granted THEN 'held' ELSE 'waits, ' || place END AS "state", node, token,
  permits || coalesce(' of ' || permit_limit, '') AS "permits", round(seconds::numeric, 1) AS "seconds", broken AS "broken, why"
  FROM cluster_locks ORDER BY name, place, token`

/** Names have no spaces here; for others there is `cluster_break_lock`. */
async function breakLock(cluster: Cluster, words: string): Promise<string> {
  const [, name = '', reason = ''] = /^(\S+)\s+(.+)$/.exec(words.trim()) ?? []
  if (name === '')
    throw new ClusterError(
      { code: 'UNKNOWN_COMMAND', outcome: 'rejected' },
      'say which lock, and why: \\break till-1 its program hangs',
    )
  const holders = await cluster.locks.break(name, reason)
  return holders === 0 ? `nobody has the lock ${name}` : `${name} was taken from ${holders}`
}

export function metaCommands(
  cluster: Cluster,
  session: ShellSession,
  database: Pick<ClusterDatabase, 'exportSql'>,
): MetaCommands {
  const query = async (statement: string): Promise<string> =>
    resultText(await session.run(statement, new AbortController().signal))

  const commands: readonly Command[] = [
    {
      names: ['\\d', '\\dt'],
      argument: '[table]',
      help: 'the tables, or the columns of one table',
      run: (table) => query(table === '' ? TABLES : columnsOf(table)),
    },
    { names: ['\\members'], help: 'the nodes of the cluster', run: async () => membersText(cluster) },
    {
      names: ['\\group'],
      help: 'voters, learners, leader and log',
      run: async () => groupText(cluster.group()),
    },
    {
      names: ['\\structure'],
      help: 'the tree of cluster objects',
      run: async () => drawTree(cluster.structure()),
    },
    {
      names: ['\\replicas'],
      help: 'which node holds which partition',
      run: () => query('SELECT * FROM cluster_replicas ORDER BY partition, node'),
    },
    {
      names: ['\\copy'],
      argument: "table | (query) from | to 'file' [options]",
      help: 'rows from a file of this machine, or to one; the options of COPY',
      run: (text) => copyCommand(text, session),
    },
    {
      names: ['\\export'],
      argument: 'file [table]',
      help: 'definitions and rows as SQL, which \\import and psql read',
      run: (text) => exportCommand(text, database),
    },
    {
      names: ['\\import'],
      argument: 'file',
      help: 'runs the statements of a file',
      run: (path) => importCommand(path, session),
    },
    {
      names: ['\\locks'],
      help: 'who has which lock, and who waits',
      run: () => query(LOCKS),
    },
    {
      names: ['\\break'],
      argument: '<lock> <reason>',
      help: 'take a lock from who has it',
      run: (words) => breakLock(cluster, words),
    },
    { names: ['\\q'], help: 'stop this node and leave the shell', run: async () => '' },
    { names: ['\\?', '\\h'], help: 'this list', run: async () => help(commands) },
  ]

  return {
    async run(line) {
      const [name = '', ...rest] = line.replace(/;\s*$/, '').split(/\s+/)
      const command = commands.find(({ names }) => names.includes(name))
      if (!command) {
        throw new ClusterError(
          { code: 'UNKNOWN_COMMAND', outcome: 'rejected' },
          `there is no command ${name}; \\? lists the commands`,
        )
      }
      // Blanks within quotes are the command's own.
      return await command.run(name === '\\copy' ? line.slice(name.length) : rest.join(' '))
    },
  }
}

function columnsOf(table: string): string {
  const name = table.startsWith('"') ? table.replaceAll('"', '') : table.toLowerCase()
  return `SELECT column_name AS "column", data_type AS "type", is_nullable AS "nullable", column_default AS "default"
    FROM information_schema.columns WHERE table_name = '${name.replaceAll("'", "''")}' ORDER BY ordinal_position`
}

function help(commands: readonly Command[]): string {
  const rows = commands.map(({ names, argument = '', help: text }) => [
    `${names.join(', ')} ${argument}`.trimEnd(),
    text,
  ])
  const width = Math.max(...rows.map(([left = '']) => left.length))
  return rows.map(([left = '', right = '']) => `  ${left.padEnd(width)}   ${right}`).join('\n')
}
