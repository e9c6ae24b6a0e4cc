import { ClusterError } from '@cluster/core'
import { Command, InvalidArgumentError, Option } from 'commander'
import { IMPORT_ROWS } from './limits.ts'
import { versionText } from './version.ts'

/** What the command line asks for. */
export interface StartOptions {
  readonly name: string
  readonly data?: string
  readonly database: string
  /** Absent: as the database is, or 2 for a new one. */
  readonly redundancy?: number | 'all'
  readonly listen?: readonly string[]
  readonly seed?: readonly string[]
  readonly expect?: number
  readonly alone?: boolean
  readonly witness?: boolean
  readonly quorum?: 'majority' | 'last-standing'
  readonly keep?: 'oldest-voter' | 'most-writes'
  readonly storage?: 'memory' | 'lmdb'
  readonly secret?: string
  readonly giveUpDamaged?: boolean
  readonly continueAlone?: boolean
  readonly giveUpHistory?: boolean
  readonly adopt?: string
  /** False: nothing is exported before this node goes into another cluster. */
  readonly export: boolean
  readonly recoverFromSurvivors?: boolean
  readonly mdns: boolean
  /** Where clients of PostgreSQL's protocol connect; false for nowhere, absent for the usual place. */
  readonly postgres?: string | false
  /** Files in PEM: a certificate and its key. */
  readonly postgresCert?: string
  readonly postgresKey?: string
  readonly postgresPasswords?: boolean
  readonly postgresConnections?: number
  readonly shell: boolean
  readonly log: 'debug' | 'info' | 'warn' | 'error'
}

/** What export and import are asked besides. */
export interface TransferOptions {
  readonly format: 'sql' | 'csv'
  /** One for CSV, any number for SQL. */
  readonly table?: readonly string[]
  readonly rowsPerTransaction: number
}

/** More copies than any cluster has nodes; the databases refuse more. */
const REDUNDANCY_MAX = 1024
/** More nodes than anybody forms a cluster of at once; a slip of the finger otherwise waits for ever. */
const EXPECT_MAX = 1024
/** More clients than a process has file descriptors for. */
const CONNECTIONS_MAX = 1_000_000
/** Far more than one transaction holds. */
const ROWS_MAX = 1_000_000

const collect = (value: string, before: readonly string[] | undefined): readonly string[] => [
  ...(before ?? []),
  notEmpty(value),
]

function wholeNumber(value: string, max: number, orElse = ''): number {
  if (/^\d+$/.test(value) && Number(value) >= 1 && Number(value) <= max) return Number(value)
  throw new InvalidArgumentError(`It must be a whole number from 1 to ${max}${orElse}.`)
}

function notEmpty(value: string): string {
  // An unset variable in a script (`--data "$FOLDER"`) must not quietly mean the default.
  if (value.trim() === '')
    throw new InvalidArgumentError('It must not be empty; leave the option out instead.')
  return value
}

/** What the command line can be asked to do. */
export interface Commands {
  start(options: StartOptions): Promise<void>
  /** @param file null: standard output */
  export(file: string | null, options: StartOptions & TransferOptions): Promise<void>
  /** @param file null: standard input */
  import(file: string | null, options: StartOptions & TransferOptions): Promise<void>
}

/** The command line, with help on every option. */
export function commandLine(commands: Commands): Command {
  const program = new Command('cluster')
    .description(
      'Runs one node. Nodes of one name find each other on the network, share a SQL database and keep copies of ' +
        'every row on several nodes. In a terminal it gives a sql> prompt; piped input is run as statements; with ' +
        'neither it serves until a signal comes.',
    )
    .enablePositionalOptions()
  nodeOptions(program)
    .option(
      '--postgres <address>',
      "host:port for psql and other clients of PostgreSQL's protocol (default: 127.0.0.1:5432, or a free port)",
      notEmpty,
    )
    .option('--postgres-cert <file>', 'certificate in PEM, so that those clients can encrypt', notEmpty)
    .option('--postgres-key <file>', 'the key of the certificate, in PEM', notEmpty)
    .option(
      '--postgres-passwords',
      'clients on this machine need the password of their role, too; those of other machines always do',
    )
    .option('--postgres-connections <count>', 'clients at once; more are refused (default: 500)', (value) =>
      wholeNumber(value, CONNECTIONS_MAX),
    )
    .option('--no-postgres', "do not serve clients of PostgreSQL's protocol")
    .option('--no-shell', 'no prompt: serve until a signal comes')
    .version(versionText(), '-V, --version', 'the version of this program, and of the clusters it can be in')
    .helpOption('-h, --help', 'this help')
    .showHelpAfterError('(--help lists the options)')
    .allowExcessArguments(true)
    .action((options: StartOptions) => {
      const [word] = program.args
      if (word !== undefined) program.error(unknownCommand(program, word))
      return commands.start(options)
    })
  program.addCommand(
    transferCommand('export', commands).description(
      'Writes a database as SQL, which import and psql read, or a table as CSV: to the file, or to standard output. ' +
        'It runs a node for as long as that takes.',
    ),
  )
  program.addCommand(
    transferCommand('import', commands)
      .description(
        'Runs the statements of a file, such as export and pg_dump write, or reads rows of a table from CSV: from the ' +
          'file, or from standard input. It runs a node for as long as that takes.',
      )
      .option(
        '--rows-per-transaction <rows>',
        'commit every so many rows; what was committed stays when a later row is refused',
        (value) => wholeNumber(value, ROWS_MAX),
        IMPORT_ROWS,
      ),
  )
  return program
}

function unknownCommand(program: Command, word: string): string {
  const known = program.commands.map((command) => command.name())
  return `error: unknown command '${word}'; there are ${known.join(' and ')}, and without one a node runs`
}

/** `export` or `import`, with the options of a node. */
function transferCommand(word: 'export' | 'import', commands: Commands): Command {
  const command = new Command(word).argument('[file]')
  return nodeOptions(command)
    .addOption(
      new Option('--format <format>', 'SQL, or CSV with a line of names first')
        .choices(['sql', 'csv'])
        .default('sql'),
    )
    .option('--table <name>', 'only this table, again for more; one for CSV', collect)
    .helpOption('-h, --help', 'this help')
    .showHelpAfterError('(--help lists the options)')
    .allowExcessArguments(false)
    .action((file: string | undefined, options: StartOptions & TransferOptions) => {
      if (options.format === 'csv' && options.table?.length !== 1)
        command.error(`error: --format csv wants one --table to ${word}`)
      const { parent } = command
      const misplaced = parent?.options.find(
        (option) => parent.getOptionValueSource(option.attributeName()) === 'cli',
      )
      // There it would be the option of a node of its own, and nobody would heed it here.
      if (misplaced !== undefined) command.error(`error: put ${misplaced.long} behind ${word}`)
      return commands[word](file ?? null, options)
    })
}

/** The options of every command that runs a node. */
function nodeOptions(command: Command): Command {
  return command
    .option('--name <name>', 'name of the cluster; only nodes of one name join', checkName, 'cluster')
    .option(
      '--data <folder>',
      'data folder (default: the first free one of .cluster/<name>/1, 2, …)',
      notEmpty,
    )
    .option('--database <name>', 'database that the shell opens', checkName, 'main')
    .option(
      '--redundancy <copies>',
      'copies of every row: a number, or "all" for one on every node (default: 2)',
      (value: string) => (value === 'all' ? value : wholeNumber(value, REDUNDANCY_MAX, ', or "all"')),
    )
    .option(
      '--listen <address>',
      'host:port to listen on, again for more (default: a free port everywhere)',
      collect,
    )
    .option('--seed <address>', 'host:port of another node, again for more', collect)
    .option('--expect <nodes>', 'form a new cluster only with that many nodes', (value) =>
      wholeNumber(value, EXPECT_MAX),
    )
    .option('--alone', 'form a new cluster alone, without waiting for others')
    .option('--witness', 'vote and hold no data: the third voice beside two nodes that do')
    .addOption(
      new Option(
        '--quorum <rule>',
        'what the last two voters do when one is silent: wait for it, or go on alone (default: majority)',
      ).choices(['majority', 'last-standing']),
    )
    .addOption(
      new Option(
        '--keep <rule>',
        'whose history stays when two nodes both went on alone and meet again; set it on both (default: ask you)',
      ).choices(['oldest-voter', 'most-writes']),
    )
    .addOption(
      new Option(
        '--storage <engine>',
        'where rows are kept: in memory, or with LMDB for data larger than that (default: as the data folder has it, memory for a new one)',
      ).choices(['memory', 'lmdb']),
    )
    .addOption(
      new Option('--secret <text>', 'only nodes that know it may join')
        .env('CLUSTER_SECRET')
        .argParser(notEmpty),
    )
    .option(
      '--give-up-damaged',
      'keep a damaged log aside and start without it; what no other node has is lost',
    )
    .option(
      '--continue-alone',
      'go on without the other one of the last two voters, which will not come back',
    )
    .option(
      '--give-up-history',
      'after both went on alone: keep the files of this node aside and take those of the other',
    )
    .option(
      '--recover-from-survivors',
      'most voters are lost for good: go on from what this node has; say it on the survivor with the longest log',
    )
    .option(
      '--adopt <cluster id>',
      'go into that cluster of the same name; the rows of this one are exported as SQL first, its log is kept aside',
      notEmpty,
    )
    .option('--no-export', 'with --adopt: go without exporting the rows')
    .option('--no-mdns', 'do not look for nodes by mDNS; use --seed')
    .addOption(
      new Option('--log <level>', 'least level of the log on standard error')
        .choices(['debug', 'info', 'warn', 'error'])
        .default('warn'),
    )
}

function checkName(value: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(value)) {
    throw new InvalidArgumentError('Use 1 to 63 letters, digits, dots, dashes or underscores.')
  }
  return value
}

/** The message for standard error when the node could not start. */
export function startErrorText(error: unknown): string {
  if (error instanceof ClusterError) return `cluster: ${error.message} (${error.code})`
  return `cluster: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`
}
