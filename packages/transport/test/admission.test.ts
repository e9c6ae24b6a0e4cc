import { createHmac } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import {
  Admission,
  type AdmissionEffect,
  type HandshakeMessage,
  parseHandshake,
} from '../src/machine/admission.ts'

const GOLDEN = new URL('./golden/admission.txt', import.meta.url)
type Role = 'dial' | 'accept'

const hash = (key: string, text: string): string => createHmac('sha256', key).update(text).digest('hex')
const nonceOf = (of: string): string => hash('nonce', of)

function side(role: Role, args: ReadonlyMap<string, string>): Admission {
  const secret = args.get(`${role}.secret`)
  return new Admission({
    role,
    self: `${role}-id`,
    peer: `${role === 'dial' ? 'accept' : 'dial'}-id`,
    name: args.get(`${role}.name`) ?? 'shop',
    nonce: nonceOf(role),
    start: role === 'dial' ? 3 : 7,
    listening: [`/at/${role}`],
    secret: secret !== undefined,
    mac: (text) => hash(secret ?? '', text),
    matches: (a, b) => a === b,
  })
}

/** Nonces and proofs by their first digits. */
function short(message: HandshakeMessage): string {
  return JSON.stringify(message, (key, value: unknown) =>
    (key === 'nonce' || key === 'proof') && typeof value === 'string' ? `${value.slice(0, 6)}…` : value,
  )
}

function describeEffect(role: Role, effect: AdmissionEffect): string {
  if (effect.type === 'send') return `${role}: send ${short(effect.message)}`
  if (effect.type === 'named') return `${role}: link ${effect.link.slice(0, 6)}…`
  if (effect.type === 'admitted')
    return `${role}: admitted start=${effect.start} listening=${effect.listening.join()}`
  const who = effect.byPeer ? 'refused by the peer' : 'refuses'
  return `${role}: ${who}, ${effect.reason}: ${effect.detail}`
}

/** Two admissions talk until nobody has anything to say. */
function meet(args: ReadonlyMap<string, string>): string[] {
  const sides = { dial: side('dial', args), accept: side('accept', args) }
  const lines: string[] = []
  const queue: { readonly to: Role; readonly message: HandshakeMessage }[] = []
  const run = (role: Role, effects: readonly AdmissionEffect[]): void => {
    for (const effect of effects) {
      lines.push(describeEffect(role, effect))
      if (effect.type === 'send')
        queue.push({ to: role === 'dial' ? 'accept' : 'dial', message: effect.message })
    }
  }
  run('dial', sides.dial.begin())
  for (let next = queue.shift(); next; next = queue.shift()) run(next.to, sides[next.to].step(next.message))
  return lines
}

/** A stranger says what he likes to an accepting node with a secret. */
function say(lines: readonly string[]): string[] {
  const accept = side('accept', new Map([['accept.secret', 's']]))
  const echo = side('accept', new Map([['accept.secret', 's']]))
  const output: string[] = []
  for (const line of lines) {
    const [, what = '', ...rest] = line.split(' ')
    const args = new Map(rest.map((pair) => pair.split('=') as [string, string]))
    const hello: HandshakeMessage = {
      t: 'hello',
      v: Number(args.get('v') ?? 1),
      name: 'shop',
      secret: true,
      nonce: nonceOf('stranger'),
    }
    // The proof that the node itself would give to the same nonces.
    echo.step(hello)
    const proof = hash(
      's',
      JSON.stringify([
        'cluster link',
        1,
        'accept',
        'dial-id',
        'accept-id',
        nonceOf('stranger'),
        nonceOf('accept'),
        'shop',
      ]),
    )
    const message: HandshakeMessage =
      what === 'hello'
        ? hello
        : what === 'refuse'
          ? { t: 'refuse', reason: 'name' }
          : what === 'use'
            ? { t: 'use' }
            : {
                t: 'prove',
                proof: what === 'echo' ? proof : nonceOf('guess'),
                start: 1,
                listening: [],
              }
    output.push(...accept.step(message).map((effect) => describeEffect('accept', effect)))
  }
  return output
}

function play(script: string): string {
  const lines = script.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  const [first = ''] = lines
  if (!first.startsWith('meet')) return say(lines).join('\n')
  const pairs = first.split(' ').slice(1)
  return meet(new Map(pairs.map((pair) => pair.split('=') as [string, string]))).join('\n')
}

const cases = readFileSync(GOLDEN, 'utf8')
  .split(/\n\n+/)
  .filter((text) => text.trim() !== '')
  .map((text) => {
    const [script = '', expected = ''] = text.split('\n---')
    return { script: script.trim(), expected: expected.trim() }
  })

describe('the handshake, as recorded in golden/admission.txt', () => {
  for (const [index, { script, expected }] of cases.entries())
    test(`${index + 1}: ${script.split('\n')[0]}`, () => {
      const played = play(script)
      if (process.env['UPDATE_GOLDEN']) {
        const updated = cases.map((each) => `${each.script}\n---\n${play(each.script)}\n`)
        writeFileSync(GOLDEN, updated.join('\n'))
      } else expect(played).toBe(expected)
    })
})

test('what is no handshake message is not taken for one', () => {
  const nonce = nonceOf('x')
  expect(parseHandshake(JSON.stringify({ t: 'hello', v: 1, secret: false, nonce, more: 1 }))).toEqual({
    t: 'hello',
    v: 1,
    secret: false,
    nonce,
  })
  for (const wrong of [
    '',
    'null',
    '[]',
    '{"t":"hello"}',
    '{',
    '{"t":"have","link":"x"}',
    '{"t":"refuse","reason":"mood"}',
    JSON.stringify({ t: 'hello', v: 1, secret: 'no', nonce }),
    JSON.stringify({ t: 'hello', v: 1, secret: true, nonce: 'short' }),
    JSON.stringify({ t: 'hello', v: 1, secret: true, nonce, name: 'n'.repeat(1000) }),
    JSON.stringify({ t: 'prove', proof: nonce, start: -1, listening: [] }),
    JSON.stringify({ t: 'prove', proof: nonce, start: 1.5, listening: [] }),
    JSON.stringify({ t: 'prove', proof: nonce, start: 1, listening: Array(17).fill('/a') }),
    JSON.stringify({ t: 'prove', proof: nonce, start: 1, listening: ['a'.repeat(500)] }),
    JSON.stringify({ t: 'prove', proof: nonce, start: 1, listening: [1] }),
  ])
    expect(parseHandshake(wrong)).toBeNull()
})
