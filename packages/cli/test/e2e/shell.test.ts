import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals'
import { CliPlace, TEST_MS_MAX } from './cli-process.ts'

jest.setTimeout(TEST_MS_MAX)

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
/** Gives a program a pseudo terminal; a part of util-linux. */
const SCRIPT = '/usr/bin/script'
const CTRL_C = '\x03'

let place: CliPlace
beforeEach(async () => {
  place = await CliPlace.open()
})
afterEach(() => place.stop())

/** A node in a terminal. Without `script` there is no terminal to be had, and nothing to be tested. */
function terminal(...args: readonly string[]) {
  const command = [
    process.execPath,
    '--conditions=source',
    '--disable-warning=ExperimentalWarning',
    MAIN,
    '--no-mdns --listen 127.0.0.1:0 --alone --redundancy 1',
    ...args,
  ]
  return place.program(SCRIPT, ['-qfec', `exec ${command.join(' ')}`, '/dev/null'], { input: 'open' })
}

test('a terminal gets a prompt, tables, commands and a way back from a slip', async () => {
  if (!existsSync(SCRIPT)) return
  const shell = terminal()
  await shell.said('Statements end with a semicolon')
  await shell.said('sql> ')
  shell.write('create table tea (id integer primary key,\r')
  await shell.said('...> ')
  shell.write('name text not null);\r')
  await shell.said('CREATE TABLE')
  shell.write("insert into tea values (1, 'assam');\r")
  await shell.said('INSERT 0 1')
  // Half a statement is dropped, half a line too, and the shell goes on.
  shell.write('select wrong,\r')
  await shell.said('select wrong,')
  shell.write(`half a line${CTRL_C}`)
  await shell.said('^C')
  shell.write('select upper(name) as name from tea;\r')
  await shell.said('ASSAM')
  expect(shell.stdout).not.toContain('ERROR')
  shell.write('select nam from tea;\r')
  await shell.said('Perhaps you meant to reference the column "tea.name"')
  shell.write('\\d tea\r')
  await shell.said(/name +\| text +\| NO/)
  shell.write("select cluster_lock('till') > 0 as got;\r")
  await shell.said(/got/)
  shell.write('\\locks\r')
  await shell.said(/till +\| exclusive +\| held/)
  shell.write('\\break till it hangs\r')
  await shell.said('till was taken from 1')
  shell.write('\\?\r')
  await shell.said(/\\structure +the tree of cluster objects/)
  shell.write('begin;\r')
  await shell.said('sql*> ')
  shell.write('rollback;\r')
  await shell.said('ROLLBACK')
  shell.write('\\q\r')
  expect((await shell.exited).code).toBe(0)
})

test('Ctrl-C on an empty line stops the node', async () => {
  if (!existsSync(SCRIPT)) return
  const shell = terminal()
  await shell.said('sql> ')
  shell.write(CTRL_C)
  expect((await shell.exited).code).toBe(0)
})
