import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseHeaderFormat } from './header.ts'

describe('a declared header', () => {
  test.each([
    ['<Date> <Level> <Content>', 'a  INFO b c', ['a', 'INFO', 'b c']],
    ['\\[<Time>\\] <Content>', '[10:05] b', ['10:05', 'b']],
    ['<Time>\\|<Component>\\|<Content>', '1||b', ['1', '', 'b']],
    ['<Content> at <Time>$', 'b at c at 1', ['b', 'c at 1']],
    ['<Component>(\\[<Pid>\\])?: <Content>', 'app[7]: b', ['app', '7', 'b']],
    ['<Component>(\\[<Pid>\\])?: <Content>', 'app: b', ['app', '', 'b']],
  ])('%s', (format, line, values) => {
    expect(parseHeaderFormat(format).read(line)).toEqual(values)
  })

  test('that a line does not have gives nothing', () => {
    expect(parseHeaderFormat('<Date> <Level>: <Content>').read('a b c')).toBeUndefined()
  })

  test('without a message, or that is no pattern, is refused', () => {
    expect(() => parseHeaderFormat('<Date>')).toThrow('<Content>')
    expect(() => parseHeaderFormat('(<Content>')).toThrow('pattern')
  })
})

test('fields are those that the whole expression finds', () => {
  const format = fc.constantFrom(
    '<A> <B> <Content>',
    '<A> <B>: <Content>',
    '\\[<A>\\] <B> - <Content>',
    '<A>,<B> \\[<C>\\] <Content>',
  )
  const line = fc
    .array(fc.constantFrom('a', 'b', ' ', ':', '[', ']', '-', ','), { maxLength: 30 })
    .map((parts) => parts.join('').replace(/ +/g, ' '))
  fc.assert(
    fc.property(format, line, (declared, text) => {
      const header = parseHeaderFormat(declared)
      const found = new RegExp(header.pattern, 's').exec(text)
      expect(header.read(text)).toEqual(found === null ? undefined : found.slice(1))
    }),
    { numRuns: 1000 },
  )
})

test('a long line without the header is told at once', () => {
  const { read } = parseHeaderFormat('<Date> <Time> <Pid> <Level> <Component>: <Content>')
  expect(read('word '.repeat(200_000))).toBeUndefined()
})
