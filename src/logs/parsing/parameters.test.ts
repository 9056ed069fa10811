import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createParameterReader, typeOfParameter } from './parameters.ts'

test.each([
  ['12', 'number'],
  ['-3.5e7', 'number'],
  ['98%', 'number'],
  ['0673dd71-34c5-4fbb-86c4-40623fbe45b4', 'uuid'],
  ['10.0.0.7', 'ip'],
  ['/10.0.0.7:8080', 'ip'],
  ['fe80::1ff:fe23:4567:890a', 'ip'],
  ['00:1b:44:11:3a:b7', 'mac'],
  ['250ms', 'duration'],
  ['2.0 GB', 'size'],
  ['2015-10-18 18:01:47,978', 'timestamp'],
  ['Sun Jul 10 03:55:15 2005', 'timestamp'],
  ['03:55:15.120', 'timestamp'],
  ['0x7fed806eb5d', 'hex'],
  ['9f4ef63', 'hex'],
  ['http://a.example/b?c=d', 'url'],
  ['/var/log/app.log', 'path'],
  ['C:\\Windows\\cbs.dll', 'path'],
  ['proxy.example.org:5070', 'host'],
  ['ada', 'word'],
  ['blk_-12', 'word'],
  ['two words', 'text'],
  ['', 'empty'],
])('%s is a %s', (value, type) => {
  expect(typeOfParameter(value)).toBe(type)
})

describe('values are read by the template', () => {
  test.each([
    ['sent <*> of <*>', 'sent 1  of 2', ['1', '2']],
    ['<*> closed', '10.0.0.7 closed', ['10.0.0.7']],
    ['closed', 'closed', []],
    ['open <*>: failed', 'open /a: b: failed', ['/a: b']],
    ['user=<*>', 'user=', ['']],
  ])('%s', (template, message, values) => {
    expect(createParameterReader(template)(message)).toEqual(values)
  })

  test('a message that does not follow it has none', () => {
    expect(createParameterReader('sent <*> of <*>')('sent 1')).toBeUndefined()
    expect(createParameterReader('sent')('sent 1')).toBeUndefined()
  })

  test('put back into the template they are the message', () => {
    const word = fc.stringMatching(/^[a-z<*>]{0,6}$/)
    const text = fc
      .array(word, { minLength: 1, maxLength: 6 })
      .map((words) => words.join(' ').trim())
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('<*>', 'a', 'b', '=', ' '), { maxLength: 9 }),
        text,
        (parts, message) => {
          const template = parts.join('').replace(/ +/g, ' ').trim()
          const values = createParameterReader(template)(message)
          if (values === undefined) return
          const pieces = template.split('<*>')
          const again = pieces.map((piece, i) => piece + (values[i] ?? '')).join('')
          expect(again.replaceAll(' ', '')).toBe(message.replaceAll(' ', ''))
        },
      ),
    )
  })

  test('a message made to be slow takes no longer than its length', () => {
    const read = createParameterReader('<*>a<*>a<*>a<*>a<*>a<*>b')
    expect(read('a'.repeat(60_000))).toBeUndefined()
  })
})
