import { describe, expect, test } from '@jest/globals'
import {
  type AddressClass,
  classOfIp,
  hostFirst,
  orderAddresses,
  parseTcpAddress,
  sameIp,
  servedWithoutSecret,
  withoutPeer,
} from '../src/machine/addresses.ts'

const classes: readonly (readonly [string, AddressClass])[] = [
  ['127.0.0.1', 'loopback'],
  ['127.255.0.9', 'loopback'],
  ['10.0.0.1', 'private'],
  ['172.16.0.1', 'private'],
  ['172.31.255.255', 'private'],
  ['172.32.0.1', 'public'],
  ['172.15.0.1', 'public'],
  ['192.168.44.5', 'private'],
  ['192.169.0.1', 'public'],
  ['169.254.9.9', 'link-local'],
  ['100.64.0.1', 'public'],
  ['8.8.8.8', 'public'],
  ['0.0.0.0', 'unusable'],
  ['224.0.0.251', 'unusable'],
  ['256.1.1.1', 'unusable'],
  ['1.2.3', 'unusable'],
  ['::1', 'loopback'],
  ['::', 'unusable'],
  ['fe80::1%eth0', 'link-local'],
  ['febf::1', 'link-local'],
  ['fec0::1', 'public'],
  ['fc00::1', 'private'],
  ['fdff:1:2::3', 'private'],
  ['2001:db8::1', 'public'],
  ['ff02::fb', 'unusable'],
  ['::ffff:10.1.2.3', 'private'],
  ['::ffff:8.8.8.8', 'public'],
  ['::ffff:7f00:1', 'loopback'],
  ['1::2::3', 'unusable'],
  ['1:2:3:4:5:6:7:8:9', 'unusable'],
  ['', 'unusable'],
  ['localhost', 'unusable'],
]

describe('classOfIp', () => {
  for (const [ip, expected] of classes)
    test(`${ip || '(empty)'} is ${expected}`, () => {
      expect(classOfIp(ip)).toBe(expected)
      expect(servedWithoutSecret(ip)).toBe(expected !== 'public' && expected !== 'unusable')
    })
})

test('TCP addresses are read, others are not', () => {
  expect(parseTcpAddress('/ip4/10.0.0.1/tcp/4100')).toEqual({
    kind: 'ip4',
    host: '10.0.0.1',
    port: 4100,
    peer: null,
  })
  expect(parseTcpAddress('/ip6/::1/tcp/0/p2p/12D3')).toMatchObject({ kind: 'ip6', host: '::1', peer: '12D3' })
  expect(parseTcpAddress('/ip6zone/eth0/ip6/fe80::1/tcp/9')).toMatchObject({ host: 'fe80::1', port: 9 })
  expect(parseTcpAddress('/dns4/till-1.local/tcp/4100')).toMatchObject({ kind: 'dns', host: 'till-1.local' })
  for (const wrong of [
    '',
    '10.0.0.1:4100',
    '/ip4/10.0.0/tcp/1',
    '/ip4/10.0.0.1/udp/1',
    '/ip4/10.0.0.1/tcp/70000',
    '/ip4/10.0.0.1/tcp/1/ws',
    '/ip6/zz/tcp/1',
    '/dns/a b/tcp/1',
  ])
    expect(parseTcpAddress(wrong)).toBeNull()
})

test('own addresses are told best first, without what others cannot use', () => {
  expect(
    orderAddresses([
      '/ip6/::1/tcp/2',
      '/ip4/127.0.0.1/tcp/1',
      '/ip6/fe80::5/tcp/2',
      '/ip6/fd00::5/tcp/2',
      '/ip4/192.168.1.9/tcp/1',
      '/ip4/192.168.1.9/tcp/1',
      '/ip4/8.8.4.4/tcp/1',
    ]),
  ).toEqual([
    '/ip4/192.168.1.9/tcp/1',
    '/ip6/fd00::5/tcp/2',
    '/ip4/8.8.4.4/tcp/1',
    '/ip4/127.0.0.1/tcp/1',
    '/ip6/::1/tcp/2',
  ])
})

test('the address of the host of a link comes first', () => {
  const listening = ['/ip4/10.0.0.1/tcp/1', '/ip4/10.0.0.2/tcp/1', '/ip6/::1/tcp/2']
  expect(hostFirst(listening, '::ffff:10.0.0.2')[0]).toBe('/ip4/10.0.0.2/tcp/1')
  expect(hostFirst(listening, '0:0:0:0:0:0:0:1')[0]).toBe('/ip6/::1/tcp/2')
  expect(hostFirst(listening, '10.9.9.9')).toEqual(listening.slice(0, 2))
  expect(hostFirst(listening, '127.0.0.1')).toEqual(listening)
  expect(sameIp('fe80::1%eth0', 'fe80:0::1')).toBe(true)
  expect(withoutPeer('/ip4/1.2.3.4/tcp/1/p2p/12D3')).toBe('/ip4/1.2.3.4/tcp/1')
})
