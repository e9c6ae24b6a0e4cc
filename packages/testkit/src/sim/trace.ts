import { hash32, type LogFields, type Logger, type LogLevel } from '@cluster/core'

interface TraceLine {
  readonly time: number
  readonly node: string
  readonly what: string
  readonly fields: LogFields
}

/** The newest lines, up to a limit. */
class Ring {
  readonly #lines: TraceLine[] = []
  readonly #max: number
  #next = 0

  constructor(max: number) {
    this.#max = max
  }

  push(line: TraceLine): void {
    if (this.#lines.length < this.#max) this.#lines.push(line)
    else this.#lines[this.#next] = line
    this.#next = (this.#next + 1) % this.#max
  }

  all(): TraceLine[] {
    if (this.#lines.length < this.#max) return [...this.#lines]
    return [...this.#lines.slice(this.#next), ...this.#lines.slice(0, this.#next)]
  }
}

const ORDER: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 }

function format({ time, node, what, fields }: TraceLine): string {
  let text = `${time.toFixed(3).padStart(11)} ${node.padEnd(4)} ${what}`
  for (const [name, value] of Object.entries(fields))
    if (value !== undefined) text += ` ${name}=${typeof value === 'bigint' ? `${value}n` : String(value)}`
  return text
}

/**
 * What happened: a running hash over everything, to compare two runs, and the newest lines in clear, to read.
 * Lines are formatted only when asked for.
 */
export class Trace {
  readonly #now: () => number
  readonly #lines: Ring
  readonly #wire: Ring
  #hash = 0

  constructor(now: () => number, linesMax: number) {
    this.#now = now
    this.#lines = new Ring(linesMax)
    this.#wire = new Ring(linesMax)
  }

  /** A digest of all that was noted so far. Two runs of one seed have the same. */
  get hash(): string {
    return (this.#hash >>> 0).toString(16).padStart(8, '0')
  }

  mix(number: number): void {
    this.#hash = Math.imul(this.#hash ^ (number | 0), 0x9e3779b1)
    this.#hash ^= this.#hash >>> 15
  }

  /** A line that people want to read: faults, starts, log lines. */
  note(node: string, what: string, fields: LogFields = {}): void {
    this.#mixLine(what, fields)
    this.#lines.push({ time: this.#now(), node, what, fields })
  }

  /** A frame; kept apart, so that traffic does not push the notes out. */
  frame(node: string, what: string, fields: LogFields): void {
    this.#mixLine(what, fields)
    this.#wire.push({ time: this.#now(), node, what, fields })
  }

  #mixLine(what: string, fields: LogFields): void {
    this.mix(this.#now() * 1024)
    this.mix(hash32(what))
    for (const value of Object.values(fields))
      this.mix(typeof value === 'number' ? value * 64 : hash32(String(value)))
  }

  /** The last `count` notes, oldest first; with `frames`, the frames between them too. */
  tail(count: number, { frames = false }: { readonly frames?: boolean } = {}): string[] {
    let lines = this.#lines.all()
    if (frames) lines = [...lines, ...this.#wire.all()].sort((a, b) => a.time - b.time)
    return count <= 0 ? [] : lines.slice(-count).map(format)
  }

  /** A logger whose lines of `level` and above become notes of `node`. */
  logger(node: string, level: LogLevel, alive: () => boolean): Logger {
    const make = (bound: LogFields): Logger => ({
      log: (lineLevel, event, fields) => {
        if (!alive() || ORDER[lineLevel] < ORDER[level]) return
        this.note(node, lineLevel === 'info' ? event : `${lineLevel}: ${event}`, { ...bound, ...fields })
      },
      child: (fields) => make({ ...bound, ...fields }),
    })
    return make({})
  }
}
