import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { VARIABLE } from './parser.ts'
import {
  CHARACTERS_MAX,
  keyOfScan,
  newScan,
  scanMessage,
  TOKENS_MAX,
  tokensOfScan,
} from './scan.ts'

const tokens = (message: string) => tokensOfScan(message, scanMessage(message, newScan())).join(' ')

describe('what varies by its form', () => {
  test.each([
    ['numbers', 'sent 12 of 3.5 for -7', 'sent <*> of <*> for <*>'],
    ['addresses', 'from 10.0.0.7:8080 to /10.0.0.8', 'from <*> to <*>'],
    ['addresses of version 6', 'from fe80::1ff:fe23:4567:890a on eth0', 'from <*> on <*>'],
    ['hardware addresses', 'FF:F2:9F:16:DC:D7 is new', '<*> is new'],
    ['names of hosts', 'proxy.example.org:5070 opens github.com:443', '<*> opens <*>'],
    ['URLs', 'get http://a.example/b?c=d&e=f now', 'get <*> now'],
    ['paths', 'open /var/log/app.log: no such file', 'open <*> : no such file'],
    ['paths with queries', '"GET /v2/list?limit=1&all=True HTTP/1.1" ok', '" GET <*> " ok'],
    ['paths of Windows', 'core C:\\Windows\\cbs.dll loaded', 'core <*> loaded'],
    ['UUIDs', 'instance 0673dd71-34c5-4fbb-86c4-40623fbe45b4 up', 'instance <*> up'],
    ['dates', 'at Sun Jul 10 03:55:15 2005 it ended', 'at <*> it ended'],
    ['dates with a zone', 'at Aug 3 03:55:15 PDT 2005 it ended', 'at <*> it ended'],
    ['sizes', 'free 2.0 GB of 12KB', 'free <*> of <*>'],
    ['lists of values', 'ids 1,2,3;4 done', 'ids <*> done'],
    ['names of classes', 'by org.example.app.Main it', 'by <*> it'],
    ['values of keys', 'uid=12 name=ada', 'uid = <*> name = ada'],
    ['keys before a colon', 'uid:12, name: ada', 'uid : <*> , name : ada'],
    ['brackets round nothing', 'from 10.0.0.7 () at', 'from <*> ( <*> ) at'],
    ['arguments that are numbers', 'synchronized to LOCAL(0)', 'synchronized to LOCAL(<*>)'],
    ['leaders', 'data address....0x0002', 'data address <*>'],
  ])('%s', (_name, message, expected) => {
    expect(tokens(message)).toBe(expected)
  })

  test.each(['main() begins', 'setLight(true)', 'state: on, mode=slow', 'read/write locked'])(
    'words stay: %s',
    (message) => {
      expect(tokens(message)).not.toContain(VARIABLE)
    },
  )
})

test('tokens and what stands between them are the message', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary', maxLength: 200 }), mixed), (message) => {
      const { count, start, end } = scanMessage(message, newScan())
      const between: string[] = []
      let at = 0
      for (let i = 0; i < count; i++) {
        between.push(start[i] < at || end[i] < start[i] ? 'overlap' : message.slice(at, start[i]))
        at = end[i]
      }
      // Between tokens there is only white space, and leaders.
      expect([...between, message.slice(at)].join('')).toMatch(/^[\s\0.]*$/)
    }),
  )
})

test('messages of one key have the same tokens', () => {
  fc.assert(
    fc.property(mixed, mixed, (a, b) => {
      const [scanA, scanB] = [scanMessage(a, newScan()), scanMessage(b, newScan())]
      const isSame = tokensOfScan(a, scanA).join('\0') === tokensOfScan(b, scanB).join('\0')
      expect(keyOfScan(a, scanA) === keyOfScan(b, scanB)).toBe(isSame)
    }),
  )
})

test('a message of any length has few tokens and is looked at only so far', () => {
  const long = 'word '.repeat(10_000_000)
  const scan = scanMessage(long, newScan())
  expect(scan.count).toBeLessThanOrEqual(TOKENS_MAX)
  expect(tokensOfScan(long, scan).at(-1)).toBe(VARIABLE)
  const wide = scanMessage('x'.repeat(CHARACTERS_MAX * 4), newScan())
  expect(wide.end[wide.count - 1]).toBe(CHARACTERS_MAX * 4)
})

const others = [' ', '  ', 'a.b', 'f(3)', '[', ']', 'ff:ee', '://', '\\', '.', '-', '\0']
const mixed = fc
  .array(
    fc.constantFrom(
      ...'from user 12 10.0.0.7 /a/b = : ( ) " , ... Jul Sun 0x1f KB'.split(' '),
      ...others,
    ),
    { maxLength: 24 },
  )
  .map((parts) => parts.join(''))
