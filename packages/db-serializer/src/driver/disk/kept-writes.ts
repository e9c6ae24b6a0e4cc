import type { Disk } from '@cluster/core'
import { BUNDLE_MACHINE, BUNDLE_NAME } from '../../machine/commands/bundle.ts'
import { type CommandBody, decodeBody, decodeEnvelope } from '../../machine/commands/envelope.ts'
import { SessionTable, type SessionTableState } from '../../machine/commands/session-table.ts'
import type { Recovered } from '../../machine/raft/types.ts'

/** The file beside the log of a history that was given up. */
export const KEPT_WRITES = 'writes.jsonl'

/**
 * Writes down what was committed only in the history that is given up, or in the whole cluster when no history parted from it: a line of JSON that says which history it was,
 * then one for each command, its bytes in hexadecimal digits. `complete` is false when the log was cut behind the branch: the
 * snapshot beside this file has what is missing.
 * @param atSnapshot the sessions that the snapshot holds; null without one
 */
export async function keepWrites(
  folder: Disk,
  { hardState, snapshot, entries }: Recovered,
  atSnapshot: SessionTableState | null,
): Promise<void> {
  const history = hardState?.history
  if (!history) return
  const branch = history.ancestry.at(-1) ?? null
  const parted = branch?.index ?? 0
  const sessions = new SessionTable()
  if (atSnapshot !== null) sessions.load(atSnapshot)
  const first = entries[0]?.index ?? (snapshot?.index ?? 0) + 1
  const head = {
    cluster: history.cluster,
    lineage: history.lineage,
    parted: branch && { lineage: branch.lineage, index: branch.index, by: branch.by },
    complete: first <= parted + 1,
  }
  const lines = [JSON.stringify(head)]
  for (const entry of entries) {
    const envelope = entry.kind === 'command' ? decodeEnvelope(entry.data) : null
    if (envelope?.kind === 'note' && envelope.note.note === 'open' && entry.index > (snapshot?.index ?? 0))
      sessions.open(entry.index, envelope.note)
    if (envelope === null || envelope.kind === 'note') continue
    const { session } = envelope
    const body = envelope.kind === 'command' ? envelope : bodyOf(sessions.gather(envelope))
    if (body === null || entry.index <= parted) continue
    const { machine, key, command } = body
    const name = machine === BUNDLE_MACHINE ? BUNDLE_NAME : sessions.machineOf(session, machine)
    lines.push(
      JSON.stringify({
        index: entry.index,
        wall: entry.wall,
        origin: sessions.ownerOf(session),
        machine: name,
        ...(key !== null && { key }),
        command: hex(command),
      }),
    )
  }
  await folder.replace(KEPT_WRITES, new TextEncoder().encode(`${lines.join('\n')}\n`))
}

const bodyOf = (whole: Uint8Array | null): CommandBody | null => whole && decodeBody(whole)

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
