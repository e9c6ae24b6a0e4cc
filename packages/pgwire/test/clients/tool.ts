import { spawn } from 'node:child_process'

export interface Ran {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** Runs a program to its end, with something to read; in English and in UTC, whatever the machine speaks. */
export async function tool(program: string, args: readonly string[], input = ''): Promise<Ran> {
  const env = { ...process.env, LC_ALL: 'C', PGTZ: 'UTC', PGCLIENTENCODING: 'UTF8' }
  const child = spawn(program, [...args], { env, stdio: ['pipe', 'pipe', 'pipe'] })
  const ran = { out: '', err: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => (ran.out += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (ran.err += text))
  child.stdin.on('error', (error: NodeJS.ErrnoException) => {
    // It ended before it had read all; its exit code tells why.
    if (error.code !== 'EPIPE') throw error
  })
  child.stdin.end(input)
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  return { code, ...ran }
}

/** Its output. @throws when it fails */
export async function output(program: string, args: readonly string[], input = ''): Promise<string> {
  const { code, out, err } = await tool(program, args, input)
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${code}\n${err}`)
  return out
}
