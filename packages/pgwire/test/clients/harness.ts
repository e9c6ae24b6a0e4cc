/** What a client's program says of one case, as a line of JSON. */
interface Said {
  readonly name: string
  readonly ok: boolean
  readonly ms: number
  readonly error?: string
}

/** Connection URLs of the database that the client may fill, one for each node. */
export const urls: readonly string[] = (process.env.CLIENT_URLS ?? '').split(' ').filter((url) => url !== '')
/** The one that the client uses. */
export const url: string = urls[0] ?? ''
if (url === '') throw new Error('CLIENT_URLS must hold the URL of a database; `npm run clients` sets it')

/** The URL's parts, for clients that want them apart. */
export const parts = {
  host: new URL(url).hostname,
  port: Number(new URL(url).port),
  user: new URL(url).username,
  database: new URL(url).pathname.slice(1),
}

/** A door to the same database that encrypts and asks this role for its password. */
export const secured = JSON.parse(process.env.CLIENT_SECURED ?? '{}') as {
  readonly user: string
  readonly port: number
}

let failed = false

/** Runs one case and says how it went. Cases after a failed one still run. */
export async function check(name: string, run: () => Promise<void>): Promise<void> {
  const start = performance.now()
  const say = (said: Omit<Said, 'ms' | 'name'>): void => {
    console.log(JSON.stringify({ name, ms: performance.now() - start, ...said }))
  }
  try {
    await run()
    say({ ok: true })
  } catch (error) {
    failed = true
    say({ ok: false, error: explain(error) })
  }
}

/** All cases are through: ends the program, whatever a failed case left open. One that ends without this counts as failed. */
export function done(): never {
  console.log(JSON.stringify({ done: true }))
  process.exit(failed ? 1 : 0)
}

const FRAMES = 5
const TEXT_MAX = 1_500

/** What was wrong, what was asked, and where in the case. */
function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const all = error as Error & Readonly<Record<string, unknown>>
  const more = ['code', 'detail', 'hint', 'position', 'sql', 'query'].flatMap((name) =>
    typeof all[name] === 'string' ? [`${name}: ${all[name].slice(0, TEXT_MAX)}`] : [],
  )
  const { parent } = all
  const cause = error.cause ?? (parent === error ? undefined : parent)
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line))
  return [
    `${error.name}: ${error.message.slice(0, TEXT_MAX)}`,
    ...more,
    ...frames.slice(0, FRAMES),
    ...(cause === undefined ? [] : [`cause: ${explain(cause)}`]),
  ].join('\n')
}

/** What an asynchronous call is refused for. @throws when it is not refused */
export async function refusal(run: () => PromiseLike<unknown>): Promise<Error & Record<string, unknown>> {
  try {
    await run()
  } catch (error) {
    if (error instanceof Error) return error as Error & Record<string, unknown>
    throw error
  }
  throw new Error('this should have been refused')
}
