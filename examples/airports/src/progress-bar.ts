const WIDTH = 40

/** One line that fills up; where the output is no terminal, only its last state. */
export class ProgressBar {
  readonly #label: string
  readonly #total: number
  readonly #startedAt = performance.now()
  #done = 0

  constructor(label: string, total: number) {
    this.#label = label
    this.#total = total
    this.#draw()
  }

  advance(by: number): void {
    this.#done += by
    this.#draw()
  }

  done(): void {
    const seconds = (performance.now() - this.#startedAt) / 1000
    const line = `${this.#line()} in ${seconds.toFixed(1)} s, ${Math.round(this.#done / seconds)} rows/s\n`
    process.stdout.write(process.stdout.isTTY ? `\r${line}` : line)
  }

  #draw(): void {
    if (process.stdout.isTTY) process.stdout.write(`\r${this.#line()}`)
  }

  #line(): string {
    const filled = Math.round((this.#done / Math.max(1, this.#total)) * WIDTH)
    return `${this.#label} [${'#'.repeat(filled)}${'.'.repeat(WIDTH - filled)}] ${this.#done} of ${this.#total} rows`
  }
}
