import { describe, expect, test } from 'vitest'
import { AssayError } from '../lib/errors.ts'
import { exitCodes } from './exit-codes.ts'
import { count, printError, printTable, type Terminal } from './output.ts'
import { runCommandLine, type Actions } from './program.ts'

/** A terminal that keeps what was written to it. */
function memoryTerminal(): Terminal & { text(): string } {
  let text = ''
  const output = {
    interactive: false,
    line: (line = '') => void (text += `${line}\n`),
    raw: (piece: string) => void (text += piece),
    style: (_style: string, plain: string) => plain,
  }
  return { out: output, err: output, text: () => text }
}

const definition = { status: 409, title: 'It cannot be done', action: 'Do something else.' }

describe('an error', () => {
  test('says what happened, what to do, and its code', () => {
    const terminal = memoryTerminal()
    const code = printError(
      new AssayError('not_so', definition, 'The moon is in the way.'),
      terminal,
    )
    expect(terminal.text()).toBe('error: The moon is in the way.\nDo something else. (not_so)\n')
    expect(code).toBe(exitCodes.failed)
  })

  test('lists the failures that came with it, at most ten', () => {
    const terminal = memoryTerminal()
    const failures = Array.from({ length: 12 }, (_, i) => ({
      column: `c${i}`,
      rule: 'type',
      message: 'No.',
    }))
    printError(new AssayError('not_so', definition, 'Wrong.', { extra: { failures } }), terminal)
    expect(terminal.text()).toContain('  c0: No. (type)\n')
    expect(terminal.text()).toContain('  and 2 more\n')
  })

  test.each([
    ['home_locked', exitCodes.busy],
    ['option_invalid', exitCodes.usage],
    ['file_not_found', exitCodes.failed],
  ])('%s ends with code %d', (code, expected) => {
    expect(printError(new AssayError(code, definition, ''), memoryTerminal())).toBe(expected)
  })

  test('that nobody foresaw is shown whole, to be reported', () => {
    const terminal = memoryTerminal()
    expect(printError(new TypeError('x is not a function'), terminal)).toBe(exitCodes.failed)
    expect(terminal.text()).toContain('TypeError: x is not a function\n    at ')
  })
})

test('columns of a table are as wide as their widest cell, without blanks at the end', () => {
  const terminal = memoryTerminal()
  printTable(
    terminal.out,
    ['key', 'of'],
    [
      ['key_1', 'Ada'],
      ['k', 'Grace Hopper'],
    ],
  )
  expect(terminal.text()).toBe('key    of\nkey_1  Ada\nk      Grace Hopper\n')
})

test('a count is grouped and agrees with its noun', () => {
  expect([count(1_754_155), count(1, 'row'), count(0, 'row')]).toEqual([
    '1,754,155',
    '1 row',
    '0 rows',
  ])
})

describe('a command line', () => {
  const run = (actions: Partial<Actions>, ...args: string[]) =>
    runCommandLine('1.2.3', actions as Actions, args, memoryTerminal())

  test('ends with the code of its command, which gets its options', async () => {
    const seen: unknown[] = []
    const keysCreate: Actions['keysCreate'] = async (options) => (seen.push(options), 3)
    expect(await run({ keysCreate }, 'keys', 'create', '--name', 'Ada', '--home', 'h')).toBe(3)
    expect(seen).toEqual([{ name: 'Ada', home: 'h', program: false }])
  })

  test('ends with the code of the error that its command throws', async () => {
    const open: Actions['open'] = () =>
      Promise.reject(new AssayError('home_locked', definition, ''))
    expect(await run({ open }, 'open')).toBe(exitCodes.busy)
  })
})
