import { expect, test } from '@jest/globals'
import { parseAddresses } from '../src/addresses.ts'

test.each([
  ['10.0.0.5:7000', ['/ip4/10.0.0.5/tcp/7000']],
  ['[::1]:7000', ['/ip6/::1/tcp/7000']],
  ['shop-1.local:7000', ['/dns/shop-1.local/tcp/7000']],
  [':7000', ['/ip4/0.0.0.0/tcp/7000', '/ip6/::/tcp/7000']],
  ['7000', ['/ip4/0.0.0.0/tcp/7000', '/ip6/::/tcp/7000']],
  ['10.0.0.5', ['/ip4/10.0.0.5/tcp/0']],
  ['/ip4/10.0.0.5/tcp/7000', ['/ip4/10.0.0.5/tcp/7000']],
])('%s', (text, expected) => {
  expect(parseAddresses(text, 'listen', 0)).toEqual(expected)
})

test.each(['', 'a:b', '10.0.0.5:70000', '[10.0.0.5]:1', 'http://x', '::1:7000'])(
  '"%s" is refused',
  (text) => {
    expect(() => parseAddresses(text, 'seed', 0)).toThrow(/is not an address: write host:port/)
  },
)

test('a seed needs its port', () => {
  expect(() => parseAddresses('10.0.0.5', 'seed', null)).toThrow('host:port')
})
