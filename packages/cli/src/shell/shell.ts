import { createInterface, type Interface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { errorText } from './error-text.ts'
import type { MetaCommands } from './meta.ts'
import { resultText } from './output.ts'
import { writeAll } from './script.ts'
import type { ShellSession } from './session.ts'
import { isBlank, splitStatements } from './split.ts'

export interface ShellOptions {
  readonly input: Readable
  readonly output: Writable
  readonly session: ShellSession
  readonly meta: MetaCommands
  /** Lines of earlier sessions, newest first. */
  readonly history: readonly string[]
  /** Called with all lines, newest first, whenever one was added. */
  readonly onHistory: (lines: readonly string[]) => void
}

const HISTORY_MAX = 1000
const HELP_HINT = 'Statements end with a semicolon. \\? lists the commands, \\q or Ctrl-C stops the node.'

/** The interactive prompt. Notices printed meanwhile go above the line being typed. */
export class Shell {
  readonly #options: ShellOptions
  readonly #readline: Interface
  #typed = ''
  #running: AbortController | null = null
  /** Statements typed or pasted while one runs wait here. */
  #queue: Promise<void> = Promise.resolve()
  #closed = false

  constructor(options: ShellOptions) {
    this.#options = options
    this.#readline = createInterface({
      input: options.input,
      output: options.output,
      terminal: true,
      history: [...options.history],
      historySize: HISTORY_MAX,
      removeHistoryDuplicates: true,
      prompt: this.#prompt(),
    })
    this.#readline.on('history', options.onHistory)
  }

  /** Prompts until the person ends it (`\q`, Ctrl-D, Ctrl-C on an empty line) or `close` is called. */
  async run(): Promise<void> {
    const ended = new Promise<void>((resolve) => {
      this.#readline.on('close', resolve)
    })
    this.#readline.on('line', (line) => {
      this.#queue = this.#queue.then(() => this.#line(line))
    })
    this.#readline.on('SIGINT', () => this.#interrupt())
    this.notice(HELP_HINT)
    this.#showPrompt()
    await ended
    this.#closed = true
    this.#running?.abort()
    await this.#queue
  }

  /** Prints a line without disturbing what is being typed. */
  notice(text: string): void {
    if (this.#closed) return
    const { output } = this.#options
    if (this.#running !== null) {
      output.write(`${text}\n`)
      return
    }
    output.write(`\r\x1b[K${text}\n`)
    this.#readline.prompt(true)
  }

  close(): void {
    this.#readline.close()
  }

  async #line(line: string): Promise<void> {
    if (this.#closed) return
    if (this.#typed === '' && line.trimStart().startsWith('\\')) await this.#meta(line.trim())
    else {
      const { statements, rest } = splitStatements(`${this.#typed}${line}\n`)
      this.#typed = isBlank(rest) ? '' : rest
      for (const statement of statements) await this.#statement(statement.trimStart())
    }
    if (!this.#closed) this.#showPrompt()
  }

  async #meta(line: string): Promise<void> {
    if (line === '\\q') {
      this.#readline.close()
      return
    }
    await this.#guarded(line, async () => {
      const text = await this.#options.meta.run(line)
      this.#options.output.write(`${text}\n`)
    })
  }

  async #statement(statement: string): Promise<void> {
    await this.#guarded(statement, async (signal) => {
      const { session, output } = this.#options
      if (session.copies(statement) === 'to') await writeAll(session.copyTo(statement, signal), output)
      else output.write(`${resultText(await session.run(statement, signal))}\n`)
    })
  }

  async #guarded(statement: string, run: (signal: AbortSignal) => Promise<void>): Promise<void> {
    this.#running = new AbortController()
    try {
      await run(this.#running.signal)
    } catch (error) {
      this.#options.output.write(`${errorText(error, statement)}\n`)
    } finally {
      this.#running = null
    }
  }

  /** Ctrl-C: cancels what runs, else drops what was typed, else ends the shell. */
  #interrupt(): void {
    if (this.#running !== null) {
      this.#running.abort()
      return
    }
    if (this.#typed === '' && this.#readline.line === '') {
      this.#options.output.write('\n')
      this.#readline.close()
      return
    }
    this.#typed = ''
    this.#options.output.write('^C\n')
    this.#readline.write(null, { ctrl: true, name: 'e' })
    this.#readline.write(null, { ctrl: true, name: 'u' })
    this.#showPrompt()
  }

  #showPrompt(): void {
    this.#readline.setPrompt(this.#prompt())
    this.#readline.prompt()
  }

  #prompt(): string {
    if (this.#typed !== '') return '...> '
    return this.#options.session.inTransaction ? 'sql*> ' : 'sql> '
  }
}
