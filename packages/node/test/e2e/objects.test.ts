import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join as joinPath } from 'node:path'
import { join } from '@cluster/node'
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals'

// Real sockets and disks on a machine that may be busy.
jest.setTimeout(60_000)

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(joinPath(tmpdir(), 'cluster-objects-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

test('shared objects of a node are there after it stopped and started again', async () => {
  const options = { data: joinPath(folder, 'one'), listen: ['127.0.0.1:0'], mdns: false, alone: true }
  {
    await using cluster = await join(options)
    await cluster.map<string, { readonly since: Date }>('sessions').set('ada', { since: new Date(5) })
    await cluster.queue<string>('jobs').push('first')
    await cluster.transaction(async (tx) => {
      tx.add('visits', 2)
      await tx.push('jobs', 'second')
    })
    cluster.fastCounter('visits').add(40)
  }
  await using cluster = await join(options)
  expect(await cluster.map('sessions').get('ada')).toEqual({ since: new Date(5) })
  expect(await cluster.counter('visits').value()).toBe(42)
  const message = await cluster.queue<string>('jobs').take()
  expect(message?.value).toBe('first')
  expect(cluster.containers().map(({ name, kind, size }) => `${kind} ${name} ${size}`)).toEqual([
    'queue jobs 2',
    'map sessions 1',
    'counter visits 1',
  ])
  expect(JSON.stringify(cluster.structure())).toContain('sessions')
})
