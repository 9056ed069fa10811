import { describe, expect, test } from 'vitest'
import type { TextOutput } from './output.ts'
import { rowsProgress } from './rows-progress.ts'

/** An output that keeps what it was given, and a clock that stands until it is moved. */
function stage(interactive: boolean) {
  let us = 5_000_000
  let said = ''
  const output: TextOutput = {
    interactive,
    line: (text = '') => void (said += `${text}\n`),
    raw: (text) => void (said += text),
    style: (_style, text) => text,
  }
  const from = { rows: 100_000, share: 0.1 }
  return {
    progress: rowsProgress({ output, nowUs: () => us, from }),
    pass: (seconds: number) => void (us += seconds * 1e6),
    said: () => said,
  }
}

describe('rows that are being worked through', () => {
  test('are a line that is written over where a person watches, and gone at the end', () => {
    const { progress, pass, said } = stage(true)
    progress.at(110_000, 0.11)
    expect(said()).toBe('')
    pass(10)
    progress.at(600_000, 0.6)
    expect(said()).toBe('\r\u001b[K600,000 rows, 60 %, 50,000 rows/s, 8 s left')
    progress.end()
    progress.end()
    expect(said().slice(said().indexOf('left') + 4)).toBe('\r\u001b[K')
  })

  test('are a line now and then where nobody does', () => {
    const { progress, pass, said } = stage(false)
    pass(9)
    progress.at(200_000, 0.2)
    expect(said()).toBe('')
    pass(91)
    progress.at(200_000, 0.2)
    progress.at(200_001, 0.2)
    progress.end()
    expect(said()).toBe('200,000 rows, 20 %, 1,000 rows/s, 14 min left\n')
  })

  test('say nothing of the rest before it can be told', () => {
    const { progress, pass, said } = stage(false)
    pass(20)
    progress.at(100_000, 0.1)
    expect(said()).toBe('100,000 rows, 10 %, 0 rows/s\n')
  })
})
