import { wire } from '@cluster/testkit'

type Startup = Readonly<Record<string, string>>

/** A client that means well and asks again and again. */
export class Bystander {
  readonly #client: wire.WireClient
  #done: Promise<void> = Promise.resolve()
  #stopped = false
  #asked = 0
  #slowestMs = 0
  #slowestLately = 0
  #problem: string | null = null

  private constructor(client: wire.WireClient) {
    this.#client = client
  }

  static async start(port: number, startup: Startup): Promise<Bystander> {
    const client = await wire.WireClient.ready(port, startup)
    const bystander = new Bystander(client)
    await bystander.ask('CREATE TABLE t (id int PRIMARY KEY, v text)')
    await bystander.ask("INSERT INTO t VALUES (1, 'one')")
    bystander.#done = bystander.#loop(await wire.WireClient.ready(port, startup))
    return bystander
  }

  ask(text: string): Promise<string[]> {
    this.#client.send(wire.query(text))
    return this.#client.untilReady()
  }

  async #loop(client: wire.WireClient): Promise<void> {
    const wanted = ['columns v:25', 'row one', 'complete SELECT 1', 'ready I']
    while (!this.#stopped && this.#problem === null) {
      const start = performance.now()
      client.send(wire.query('SELECT v FROM t WHERE id = 1'))
      const lines = await client.untilReady()
      const ms = performance.now() - start
      this.#slowestMs = Math.max(this.#slowestMs, ms)
      this.#slowestLately = Math.max(this.#slowestLately, ms)
      this.#asked++
      if (JSON.stringify(lines) !== JSON.stringify(wanted)) this.#problem = lines.join(', ')
      await new Promise((resolve) => {
        setTimeout(resolve, 5)
      })
    }
    client.close()
  }

  /** The slowest answer since this was asked last, in milliseconds. */
  slowest(): number {
    const slowest = this.#slowestLately
    this.#slowestLately = 0
    return slowest
  }

  async stop(): Promise<{
    readonly asked: number
    readonly slowestMs: number
    readonly problem: string | null
  }> {
    this.#stopped = true
    await this.#done
    this.#client.close()
    return { asked: this.#asked, slowestMs: this.#slowestMs, problem: this.#problem }
  }
}
