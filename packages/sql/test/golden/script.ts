import { nodeId } from '@cluster/core'
import { objectsOf } from '../../src/index.ts'
import { failure, testEngine, textOf } from '../engine/support.ts'

/**
 * Plays a script, one command a line, on an engine of its own:
 * - `plan STATEMENT`: how it is run;
 * - `rule NAME: STATEMENT`: its logical plan before and after that rule of the optimizer;
 * - `feed "DATA": COPY …`: copies the data, a JSON string, in; `give: COPY …` shows what it gives, a line each;
 * - `STATEMENT`: its result, or what is wrong with it.
 * Lines that begin with `#` are comments.
 */
export async function playScript(commands: string): Promise<string> {
  const { engine } = await testEngine({ nodes: ['a', 'b', 'c'].map(nodeId) })
  const session = engine.session()
  const out: string[] = []
  for (const line of commands.split('\n')) {
    if (line === '' || line.startsWith('#')) continue
    out.push(`> ${line}`)
    out.push(...(await play(line)), '')
  }
  return out.join('\n')

  async function play(line: string): Promise<string[]> {
    const rule = /^rule (?<name>[a-z ]+): (?<statement>.*)$/.exec(line)?.groups
    if (rule !== undefined) return changeBy(rule['name'] ?? '', rule['statement'] ?? '')
    const feed = /^feed (?<data>"(?:[^"\\]|\\.)*"): (?<statement>.*)$/.exec(line)?.groups
    if (feed !== undefined)
      return told(async () => {
        const result = await session.copyFrom(feed['statement'] ?? '', [JSON.parse(feed['data'] ?? '""')])
        return [`${result.command} ${result.rowCount}`]
      })
    if (line.startsWith('give: ')) return told(() => given(line.slice(6)))
    if (line.startsWith('plan ')) return show(`EXPLAIN ${line.slice(5)}`)
    return show(line)
  }

  function show(statement: string): Promise<string[]> {
    return told(async () => {
      const result = await session.query(statement)
      if (result.columns.length === 0) return [`${result.command} ${result.rowCount}`]
      if (result.command === 'EXPLAIN') return textOf(result)
      return [result.columns.map(({ name }) => name).join('|'), ...textOf(result)]
    })
  }

  async function given(statement: string): Promise<string[]> {
    const decoder = new TextDecoder()
    let text = ''
    for await (const bytes of session.copyTo(statement)) text += decoder.decode(bytes, { stream: true })
    return text.split('\n').slice(0, -1)
  }

  async function told(work: () => Promise<string[]>): Promise<string[]> {
    try {
      return await work()
    } catch (error) {
      const { sqlstate, message, detail, hint, position, context } = await failure(Promise.reject(error))
      return [
        `ERROR ${sqlstate}${position === undefined ? '' : ` at ${position}`}: ${message}`,
        ...(detail === undefined ? [] : [`DETAIL ${detail}`]),
        ...(hint === undefined ? [] : [`HINT ${hint}`]),
        ...(context === undefined ? [] : [`CONTEXT ${context}`]),
      ]
    }
  }

  /** The paragraph of the rule in EXPLAIN VERBOSE, and the one before it. */
  async function changeBy(rule: string, statement: string): Promise<string[]> {
    const result = await session.query(`EXPLAIN VERBOSE ${statement}`)
    const lines = objectsOf(result).map((row) => String(row['QUERY PLAN']))
    const starts = lines.flatMap((line, i) => (line.startsWith(' ') || !line.endsWith(':') ? [] : [i]))
    const at = starts.findIndex((start) => lines[start] === `${rule}:`)
    if (at < 0) return ['(changes nothing)']
    return lines.slice(starts[at - 1], starts[at + 1])
  }
}
